//! A server's life: open, recover, serve, drain, sync.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyper::header::{CONNECTION, HeaderValue};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::journal::{self, Durability, JournalError};
use crate::queue::{self, Queue};
use crate::sale::{ItemId, Terms};
use crate::store::{self, Store, StoreError};
use crate::units::{Rate, Secret};

use super::{AdminToken, App, DataError, DataFolder, Draining, Limits, RateLimit};
use super::{consumer, http, route};

/// How long requests in flight may take at the shutdown, and then what is queued.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Attempts that one consumer takes at a time, at the most: their decisions and those of all
/// consumers beside it fit what may wait for one commit.
pub const PREFETCH_MAX: usize = 400;

/// How a server is to be run. Checked where it was made.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address to listen on; port 0 takes a free one.
    pub listen: String,
    /// Folder of the embedded queue and store.
    pub data: PathBuf,
    /// When an attempt counts as accepted.
    pub durability: Durability,
    /// Consumers side by side; at least 1.
    pub consumers: usize,
    /// Attempts that one consumer takes at a time; 1 to [`PREFETCH_MAX`].
    pub prefetch: usize,
    /// Attempts that may wait.
    pub queue_max: usize,
    /// Connections at a time.
    pub connections_max: usize,
    /// Attempts accepted per second.
    pub rate_limit: Option<Rate>,
    /// The admin token; one is made and kept in the data folder where none is given.
    pub admin_token: Option<Secret>,
    /// The sale to open where the store has none of this item.
    pub sale: Terms,
}

/// Why a server cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The data folder cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// One of the two journals is gone.
    #[error(
        "{} is missing though {} is there: restore it from a copy, or give another --data",
        lost.display(),
        left.display()
    )]
    Half {
        /// The one that is gone.
        lost: PathBuf,
        /// The one that is there.
        left: PathBuf,
    },
    /// The sale could not be opened.
    #[error("cannot open the sale: {0}")]
    Store(#[from] StoreError),
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: {cause}; give another address with --listen, or port 0 \
         for a free one"
    )]
    Listen {
        /// The address.
        address: String,
        /// What the system said.
        cause: io::Error,
    },
    /// The disk failed while serving.
    #[error(
        "stopped, because what is accepted can no longer be written: {0}. Everything that was \
         answered is safe; make room or repair the disk, then start again on the same folder"
    )]
    Disk(String),
}

/// A server that listens, and has recovered what it had accepted.
#[derive(Debug)]
pub struct Server {
    app: Arc<App>,
    listener: TcpListener,
    address: SocketAddr,
    limits: Limits,
    consumers: usize,
    prefetch: usize,
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
        let data = DataFolder::open(&config.data)?;
        let journals = ["store.journal", "queue.journal"].map(|name| data.file(name));
        refuse_half(&journals)?;
        let [store_path, queue_path] = &journals;
        let store = store::Embedded::open(store_path, config.durability)?;
        let queue = queue::Embedded::open(queue_path, config.durability, config.queue_max)?;
        for (journal, cut_bytes) in [("store", store.cut_bytes()), ("queue", queue.cut_bytes())] {
            if cut_bytes > 0 {
                tracing::warn!(journal, cut_bytes, "cut an unfinished write at the end");
            }
        }
        let token = config.admin_token.map_or_else(|| data.admin_token(), Ok)?;
        let app = App {
            queue: Queue::Embedded(queue),
            store: Store::Embedded(store),
            clock: Clock::System,
            admin_token: AdminToken::new(token),
            per_buyer: config.sale.per_buyer,
            rate_limit: config.rate_limit.map(RateLimit::new),
            draining: Draining::default(),
        };
        open_or_resume(&app.store, config.sale).await?;
        let (consumers, prefetch) = (config.consumers, config.prefetch.clamp(1, PREFETCH_MAX));
        let limits =
            Limits { connections_max: config.connections_max, drain_timeout: DRAIN_TIMEOUT };
        let app = Arc::new(app);
        Ok(Self { app, listener, address, limits, consumers, prefetch, _data: data })
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
            let queued = app.queue.depth();
            tracing::warn!(queued, "stopped before all was decided; a restart goes on with it");
        }
        consumers.shutdown().await;
        let (store, queue) = (app.store.close(), app.queue.close());
        store.and(queue)
    }
}

/// Refuses a folder of which one journal is gone while the other is in use: what is left of it
/// would be decided anew.
fn refuse_half(journals: &[PathBuf; 2]) -> Result<(), ServeError> {
    for (lost, left) in [(0, 1), (1, 0)].map(|(a, b)| (&journals[a], &journals[b])) {
        if !lost.exists() && journal::is_used(left)? {
            return Err(ServeError::Half { lost: lost.clone(), left: left.clone() });
        }
    }
    Ok(())
}

/// Opens the sale where the store has none of its item; otherwise goes on with that one.
async fn open_or_resume(store: &Store, terms: Terms) -> Result<(), StoreError> {
    let item: ItemId = terms.item.clone();
    match store.sale(Some(&item)) {
        Ok(sale) => {
            let (stock, left) = (sale.terms.stock, sale.left);
            tracing::info!(%item, stock, left, "going on with the sale in the data folder");
            if sale.terms != terms {
                tracing::warn!(
                    %item,
                    "the sale in the data folder has other terms than the flags, and keeps \
                     them: open a fresh one with PUT /admin/sale, or give another --data"
                );
            }
            Ok(())
        }
        Err(StoreError::UnknownItem | StoreError::ItemRequired) => {
            store.open_sale(terms).await.map(|_| ())
        }
        Err(error) => Err(error),
    }
}
