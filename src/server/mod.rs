//! The server: accept, admit, queue, decide, answer.

mod ack_on_error;
mod admin;
mod admission;
mod answer;
mod article;
mod config;
mod confirms;
mod consumer;
mod data;
mod global_result;
mod http;
mod ledger;
mod open;
mod orphans;
mod ready;
mod result;
mod route;
mod run;
mod waiting;

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use crate::clock::Clock;
use crate::queue::Queue;
use crate::store::Store;

pub use admin::AdminToken;
pub use admission::{Admission, RateLimit};
pub use answer::Body;
pub use config::{Config, PREFETCH_MAX, QueueAt, ServeError, StoreAt};
pub use confirms::Confirms;
pub use consumer::Acks;
pub use data::{DataError, DataFolder};
pub use http::{Limits, serve_connections};
pub use route::{Results, route};
pub use run::Server;

/// What every request and every consumer shares.
#[derive(Debug)]
pub struct App {
    /// Where accepted attempts wait.
    pub queue: Queue,
    /// Where they are decided.
    pub store: Store,
    /// The time by which sales open and close.
    pub clock: Clock,
    /// Who may open sales and read the ledger.
    pub admin_token: AdminToken,
    /// Orders that one buyer may have in a sale that does not say.
    pub per_buyer: u32,
    /// Attempts per second, if they are limited.
    pub rate_limit: Option<RateLimit>,
    /// Whether the server is shutting down.
    pub draining: Draining,
    /// Which announced attempts are queued, to be noted in the store.
    pub confirms: Confirms,
    /// How attempts are admitted.
    pub admission: Admission,
    /// What is told of an attempt.
    pub results: Results,
    /// When a consumer acknowledges.
    pub acks: Acks,
}

/// Set once, when the server begins to shut down.
#[derive(Debug, Default)]
pub struct Draining {
    flag: AtomicBool,
    changed: watch::Sender<()>,
}

impl Draining {
    /// Begins the shutdown: no attempt is accepted any more, and nobody is kept waiting.
    pub fn start(&self) {
        self.flag.store(true, Ordering::Release);
        self.changed.send_replace(());
    }

    /// Whether the shutdown has begun.
    pub fn has_started(&self) -> bool {
        self.flag.load(Ordering::Acquire)
    }

    /// Resolves when the shutdown begins.
    async fn started(&self) {
        let mut changed = self.changed.subscribe();
        while !self.has_started() {
            if changed.changed().await.is_err() {
                return;
            }
        }
    }
}
