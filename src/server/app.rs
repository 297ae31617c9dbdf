//! What requests and consumers share, and the steps that start-up can replace.
//!
//! Knows the types of the steps, but neither their standard forms nor the replacements.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use hyper::Response;

use crate::clock::Clock;
use crate::queue::{Batch, Queue};
use crate::store::{Store, StoreError};

use super::admin_token::AdminToken;
use super::concurrency::ConcurrencyLimit;
use super::draining::Draining;
use super::intake::{ConfirmBatcher, DecidedRate, Progress};
use super::keyed_rate_limit::KeyedRateLimit;
use super::ledger::LedgerReaders;
use super::limits::AdmissionLimits;
use super::precedence::Precedence;
use super::purchase_request::PurchaseRequest;
use super::rate_limit::RateLimit;
use super::recent_check::RecentCheck;
use super::waiting_room::WaitingRoom;

/// What every request and every consumer shares.
#[derive(Debug)]
pub struct App {
    /// Where accepted attempts wait.
    pub queue: Arc<Queue>,
    /// Where attempts are decided.
    pub store: Arc<Store>,
    /// The time by which sales open and close.
    pub clock: Clock,
    /// The token that opening sales and reading the ledger requires.
    pub admin_token: AdminToken,
    /// The default limit of orders per buyer, for sales that are opened without one.
    pub per_buyer: u32,
    /// How long orders are held, in microseconds, at sales that are opened without a hold.
    pub hold_us: Option<u64>,
    /// Limits the attempts per second, if they are limited.
    pub rate_limit: Option<RateLimit>,
    /// Limits the attempts per second of each buyer, if they are limited.
    pub buyer_rate_limit: Option<KeyedRateLimit>,
    /// The other limits on what is admitted.
    pub limits: AdmissionLimits,
    /// Limits how many attempts are being accepted at a time.
    pub concurrency: Arc<ConcurrencyLimit>,
    /// Whether the server has begun to shut down.
    pub draining: Draining,
    /// Collects the published attempts that are still to be confirmed in the store's register.
    pub confirm_batcher: ConfirmBatcher,
    /// Limits how many ledgers are read at a time.
    pub ledger_readers: LedgerReaders,
    /// The last check of the queue.
    pub queue_check: RecentCheck,
    /// The last check of the store.
    pub store_check: RecentCheck,
    /// How far this process has decided the queue.
    pub progress: Progress,
    /// How fast attempts of the store's register are decided.
    pub decided_rate: DecidedRate,
    /// Which buyers are admitted before others.
    pub precedence: Precedence,
    /// The waiting room, if there is one.
    pub waiting_room: Option<WaitingRoom>,
    /// How a purchase is admitted.
    pub admission: Step<Admit>,
    /// How the result of one attempt is answered.
    pub result: Step<AnswerResult>,
    /// How a consumer decides a batch and acknowledges it.
    pub consume: Step<Consume>,
    /// What a consumer does with a batch that could not be decided.
    pub undecided: Step<HandleUndecided>,
}

/// A step of the server: its standard form, or a replacement chosen at start-up.
#[derive(Debug, Clone, Copy, Default)]
pub enum Step<F> {
    /// The server's default behaviour.
    #[default]
    Standard,
    /// This function instead.
    Replaced(F),
}

/// A boxed future.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Admits a purchase and answers it.
pub type Admit =
    for<'a> fn(&'a App, PurchaseRequest) -> Boxed<'a, Result<Response<Bytes>, StoreError>>;

/// Answers `GET /result/{request_id}` for this id.
pub type AnswerResult = for<'a> fn(&'a App, &'a str) -> Boxed<'a, Response<Bytes>>;

/// Decides a batch and acknowledges it.
pub type Consume = for<'a> fn(&'a App, Batch) -> Boxed<'a, ()>;

/// Handles a batch that could not be decided, instead of trying it again.
pub type HandleUndecided = fn(Batch, StoreError) -> Boxed<'static, ()>;
