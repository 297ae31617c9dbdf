//! Runs a server: serves, drains, syncs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::app::App;
use super::consumer::{self, Share};
use super::data_dir::DataDir;
use super::deciding_thread::DecidingThread;
use super::error::ServeError;
use super::http::{Limits, serve_connections};
use super::intake::{self, Orphans};
use super::requests::Requests;
use super::{compaction, dead_letters, expiry};

/// How long the requests in flight may take at shutdown, and after them the queued attempts.
pub(super) const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// A server that listens and has recovered its accepted attempts.
#[derive(Debug)]
pub struct Server {
    pub(super) app: Arc<App>,
    pub(super) listener: TcpListener,
    pub(super) address: SocketAddr,
    pub(super) limits: Limits,
    pub(super) consumers: usize,
    pub(super) prefetch: usize,
    pub(super) orphans: Orphans,
    /// How long the embedded store keeps a replaced sale.
    pub(super) keep_replaced: Duration,
    /// Keeps the data dir locked.
    pub(super) _data: DataDir,
}

impl Server {
    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The state shared by all requests, for calling [`super::route()`] without a socket.
    pub fn app(&self) -> Arc<App> {
        Arc::clone(&self.app)
    }

    /// Serves until `shutdown` resolves; then accepts nothing more, answers the requests in flight,
    /// decides the queued attempts, syncs, and returns.
    ///
    /// # Errors
    /// Returns [`ServeError::Disk`] as soon as the disk fails: an attempt that cannot be written
    /// must not be accepted; and [`ServeError::Thread`] before it serves anything.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), ServeError> {
        let app = Arc::clone(&self.app);
        let deciding = DecidingThread::start().map_err(ServeError::Thread)?;
        tokio::select! {
            served = self.serve(&deciding, shutdown) => served.map_err(ServeError::Disk),
            reason = app.queue.failed() => Err(ServeError::Disk(reason)),
            reason = app.store.failed() => Err(ServeError::Disk(reason)),
        }
    }

    async fn serve(
        self,
        deciding: &DecidingThread,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), String> {
        let helpers = self.helpers();
        let Self { app, listener, limits, .. } = self;
        let mut consumers = JoinSet::new();
        let share = Share::of(&app.queue, self.consumers);
        for _ in 0..self.consumers {
            let consumer = consumer::run(Arc::clone(&app), self.prefetch, share);
            consumers.spawn_on(consumer, deciding.handle());
        }
        let draining = Arc::clone(&app);
        let shutdown = async move {
            shutdown.await;
            tracing::info!("shutting down");
            draining.draining.begin();
        };
        serve_connections(listener, limits, Requests(Arc::clone(&app)), shutdown).await;
        app.queue.close_when_empty();
        let decided = async { while consumers.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN_TIMEOUT, decided).await.is_err() {
            tracing::warn!(
                "stopped before all queued attempts were decided; a restart decides them"
            );
        }
        consumers.shutdown().await;
        drop(helpers);
        app.confirm_batcher.flush(&app.store).await;
        let queue = app.queue.close().await;
        app.store.close().and(queue)
    }

    /// Starts the tasks that the queue needs besides consumers. They run until dropped.
    fn helpers(&self) -> JoinSet<()> {
        let mut helpers = JoinSet::new();
        intake::spawn_tasks(&self.app, self.orphans, &mut helpers);
        helpers.spawn(compaction::run(Arc::clone(&self.app), self.keep_replaced));
        if self.consumers > 0 {
            helpers.spawn(dead_letters::run(Arc::clone(&self.app)));
            helpers.spawn(expiry::run(Arc::clone(&self.app)));
        }
        helpers
    }
}
