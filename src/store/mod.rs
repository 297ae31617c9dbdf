//! The store: sales, decisions, and the one place where stock goes down.

mod embedded;

use std::sync::Arc;

use tokio::sync::watch;

use crate::journal::JournalError;
use crate::sale::{Attempt, BuyerId, Decision, ItemId, Phase, RequestId, Terms};

pub use embedded::Embedded;

/// Where sales and decisions are kept.
#[derive(Debug)]
pub enum Store {
    /// In this process, on a journal of its own.
    Embedded(Embedded),
}

/// A decided attempt. Final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The attempt, as it was accepted.
    pub attempt: Arc<Attempt>,
    /// What became of it.
    pub decision: Decision,
    /// When, in microseconds since the Unix epoch.
    pub decided_us: u64,
}

/// A sale at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleView {
    /// What is on offer.
    pub terms: Terms,
    /// Which sale of this store it is.
    pub epoch: u64,
    /// Units not sold. A hint: it may refuse, never sell.
    pub left: u32,
    /// Orders made.
    pub orders: u32,
}

impl SaleView {
    /// Where the sale is in its life at a moment in microseconds since the Unix epoch.
    pub fn phase(&self, now_us: u64) -> Phase {
        self.terms.phase(now_us)
    }
}

/// A sale and every decision of it, at one moment.
#[derive(Debug)]
pub struct Ledger {
    /// The sale.
    pub sale: SaleView,
    /// Its decided attempts, in no order.
    pub decided: Vec<Arc<Decided>>,
}

/// Decisions whose order is fixed and that are not yet committed: see [`Store::commit`].
#[derive(Debug)]
#[must_use = "a decision counts when it is committed"]
pub struct Reservation {
    decided: Vec<Arc<Decided>>,
    last_record: Option<u64>,
}

/// Why the store did not do as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It takes nothing now. No effect.
    #[error("the store is not available")]
    Unavailable,
    /// It may have been done or not.
    #[error("whether the store has it is unknown")]
    Unknown,
    /// No sale of this item was ever opened.
    #[error("no such item is on sale")]
    UnknownItem,
    /// No item was named, and not exactly one is known.
    #[error("several items are on sale: name one")]
    ItemRequired,
}

/// Why a store could not be opened.
pub type OpenError = JournalError;

impl Store {
    /// Opens a fresh sale, instead of an earlier one of the same item. It is durable when this
    /// returns.
    ///
    /// # Errors
    /// When it was not opened, or that is unknown.
    pub async fn open_sale(&self, terms: Terms) -> Result<SaleView, StoreError> {
        match self {
            Self::Embedded(store) => store.open_sale(terms).await,
        }
    }

    /// The sale of this item, or the only sale there is.
    ///
    /// # Errors
    /// When there is no such sale, or it is not clear which.
    pub fn sale(&self, item: Option<&ItemId>) -> Result<SaleView, StoreError> {
        match self {
            Self::Embedded(store) => store.sale(item),
        }
    }

    /// Whether the buyer has as many orders of this item as one may have. A hint, as above.
    pub fn at_limit(&self, item: &ItemId, buyer: &BuyerId) -> bool {
        match self {
            Self::Embedded(store) => store.at_limit(item, buyer),
        }
    }

    /// Decides attempts, one after the other. One that was decided before keeps its decision.
    ///
    /// # Errors
    /// When none was decided.
    pub fn reserve(
        &self,
        attempts: &[Arc<Attempt>],
        now_us: u64,
    ) -> Result<Reservation, StoreError> {
        match self {
            Self::Embedded(store) => store.reserve(attempts, now_us),
        }
    }

    /// Waits until every decision of a reservation is committed, and gives them in the order of
    /// the attempts.
    ///
    /// # Errors
    /// When it is not known whether they are.
    pub async fn commit(&self, reserved: Reservation) -> Result<Vec<Arc<Decided>>, StoreError> {
        match self {
            Self::Embedded(store) => store.commit(reserved).await,
        }
    }

    /// The committed decision of an attempt.
    pub fn decided(&self, request_id: &RequestId) -> Option<Arc<Decided>> {
        match self {
            Self::Embedded(store) => store.decided(request_id),
        }
    }

    /// Changes whenever decisions have been committed. Subscribe, then look.
    pub fn progress(&self) -> watch::Receiver<()> {
        match self {
            Self::Embedded(store) => store.progress(),
        }
    }

    /// A sale, the present one or an earlier one, with its decisions, all of them committed.
    ///
    /// # Errors
    /// When there is no such sale, or a decision could not be committed.
    pub async fn ledger(&self, epoch: u64) -> Result<Ledger, StoreError> {
        match self {
            Self::Embedded(store) => store.ledger(epoch).await,
        }
    }

    /// Writes and syncs what is not yet, and takes no more.
    ///
    /// # Errors
    /// The reason, when that failed.
    pub fn close(&self) -> Result<(), String> {
        match self {
            Self::Embedded(store) => store.close(),
        }
    }

    /// Resolves with the reason when the store has failed for good.
    pub async fn failed(&self) -> String {
        match self {
            Self::Embedded(store) => store.failed().await,
        }
    }
}
