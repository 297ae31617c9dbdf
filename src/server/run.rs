//! A server's life: open, recover, serve, drain, sync.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::header::{CONNECTION, HeaderValue};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::flaws::Flaw;
use crate::queue::Queue;

use super::config::{Config, PREFETCH_MAX, ServeError};
use super::open::{self, Opened};
use super::{Acks, AdminToken, Admission, App, Confirms, DataFolder, Draining, Limits, RateLimit};
use super::{Results, consumer, http, orphans, route};

/// How long requests in flight may take at the shutdown, and then what is queued.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// A server that listens, and has recovered what it had accepted.
#[derive(Debug)]
pub struct Server {
    app: Arc<App>,
    listener: TcpListener,
    address: SocketAddr,
    limits: Limits,
    consumers: usize,
    prefetch: usize,
    /// Whether it queues again what others announced and did not queue.
    adopts: bool,
    _data: DataFolder,
}

impl Server {
    /// Opens the data folder, recovers, and listens.
    ///
    /// # Errors
    /// See [`ServeError`].
    pub async fn start(config: Config) -> Result<Self, ServeError> {
        // The address first: a port in use is told before anything is written.
        let listen_error = |cause| ServeError::Listen { address: config.listen.clone(), cause };
        let listener = http::listen(&config.listen).map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;
        let Opened { data, queue, store } = open::open(&config).await?;
        let token = config.admin_token.clone().map_or_else(|| data.admin_token(), Ok)?;
        let app = App {
            queue,
            store,
            clock: Clock::System,
            admin_token: AdminToken::new(token),
            per_buyer: config.sale.per_buyer,
            rate_limit: config.rate_limit.map(RateLimit::new),
            draining: Draining::default(),
            confirms: Confirms::default(),
            admission: match (config.accepts, config.blind) {
                (false, _) => Admission::Closed,
                (true, false) => Admission::Checked,
                (true, true) => Admission::Blind,
            },
            results: match config.flaws.has(Flaw::GlobalResult) {
                false => Results::OfAttempt,
                true => Results::OfSale,
            },
            acks: match config.flaws.has(Flaw::AckOnError) {
                false => Acks::AfterCommit,
                true => Acks::Always,
            },
        };
        open::sale(&app.store, &config).await?;
        let (consumers, prefetch) = (config.consumers, config.prefetch.clamp(1, PREFETCH_MAX));
        let limits =
            Limits { connections_max: config.connections_max, drain_timeout: DRAIN_TIMEOUT };
        // Whoever loses what it promised must not find it again.
        let loses = [Flaw::TransientQueue, Flaw::UnconfirmedPublish];
        let adopts = consumers > 0 && !loses.iter().any(|flaw| config.flaws.has(*flaw));
        let app = Arc::new(app);
        Ok(Self { app, listener, address, limits, consumers, prefetch, adopts, _data: data })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it shares among requests: for calling [`super::route()`] without a socket.
    pub fn app(&self) -> Arc<App> {
        Arc::clone(&self.app)
    }

    /// Serves until `shutdown` resolves; then accepts nothing more, answers what is in flight,
    /// decides what is queued, syncs, and returns.
    ///
    /// # Errors
    /// [`ServeError::Disk`], at once: what cannot be written must not be promised.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), ServeError> {
        let app = Arc::clone(&self.app);
        tokio::select! {
            served = self.serve(shutdown) => served.map_err(ServeError::Disk),
            reason = app.queue.failed() => Err(ServeError::Disk(reason)),
            reason = app.store.failed() => Err(ServeError::Disk(reason)),
        }
    }

    async fn serve(self, shutdown: impl Future<Output = ()>) -> Result<(), String> {
        let helpers = self.helpers();
        let Self { app, listener, limits, .. } = self;
        let mut consumers = JoinSet::new();
        for _ in 0..self.consumers {
            consumers.spawn(consumer::run(Arc::clone(&app), self.prefetch));
        }
        let draining = Arc::clone(&app);
        let shutdown = async move {
            shutdown.await;
            tracing::info!("shutting down");
            draining.draining.start();
        };
        let handled = Arc::clone(&app);
        let handler = move |request| {
            let app = Arc::clone(&handled);
            async move {
                let mut response = route(&app, request).await;
                if app.draining.has_started() {
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                response
            }
        };
        super::serve_connections(listener, limits, handler, shutdown).await;
        app.queue.close_when_empty();
        let decided = async { while consumers.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN_TIMEOUT, decided).await.is_err() {
            tracing::warn!("stopped before all was decided; a restart goes on with it");
        }
        consumers.shutdown().await;
        drop(helpers);
        app.confirms.flush(&app.store).await;
        let queue = app.queue.close().await;
        app.store.close().and(queue)
    }

    /// What a broker needs besides consumers, until dropped.
    fn helpers(&self) -> JoinSet<()> {
        let mut helpers = JoinSet::new();
        let Queue::RabbitMq(queue) = &self.app.queue else { return helpers };
        let app = Arc::clone(&self.app);
        helpers.spawn(async move { app.confirms.run(&app.store).await });
        if self.consumers > 0 {
            helpers.spawn(consumer::bury(Arc::clone(&self.app), Arc::clone(queue)));
        }
        if self.adopts {
            helpers.spawn(orphans::adopt(Arc::clone(&self.app), Arc::clone(queue)));
        }
        helpers
    }
}
