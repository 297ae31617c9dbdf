//! The queue between accepting an attempt and deciding it.

mod embedded;
mod lanes;

use std::sync::Arc;

use crate::journal::JournalError;
use crate::sale::{Attempt, BuyerId, ItemId, RequestId};

pub use embedded::Embedded;

/// Where accepted attempts wait.
#[derive(Debug)]
pub enum Queue {
    /// In this process, on a journal of its own.
    Embedded(Embedded),
}

/// What the client asked for, before it has a place in the queue.
#[derive(Debug, Clone)]
pub struct NewAttempt {
    /// Its idempotency key.
    pub request_id: RequestId,
    /// Who buys.
    pub buyer: BuyerId,
    /// What.
    pub item: ItemId,
    /// Which sale of that item.
    pub epoch: u64,
    /// When it came, in microseconds since the Unix epoch.
    pub accepted_us: u64,
}

/// Why an attempt is not known to be in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// As many wait as may. No effect.
    #[error("the queue is full")]
    Full,
    /// The same id waits for another buyer or item. No effect.
    #[error("the request id is in use for another buyer or item")]
    Reused,
    /// The attempt was decided before. No effect.
    #[error("the attempt was decided before")]
    Decided,
    /// The queue takes nothing any more. No effect.
    #[error("the queue is not available")]
    Unavailable,
    /// It may be in the queue or not.
    #[error("whether the attempt is queued is unknown")]
    Unknown,
}

/// Attempts in the order of their acceptance, to be decided and then acknowledged. Dropped
/// without that, they go back to where they came from and are delivered again.
#[derive(Debug)]
pub struct Batch {
    attempts: Vec<Arc<Attempt>>,
    origin: Arc<lanes::Lanes>,
    holds_lane: bool,
    settled: bool,
}

impl Batch {
    /// The attempts, oldest first.
    pub fn attempts(&self) -> &[Arc<Attempt>] {
        &self.attempts
    }
}

impl Queue {
    /// Puts an attempt at the end. When this returns, it is durable; when the same id waits
    /// already, it is that attempt which is. `is_decided` says whether the store knows the id: it
    /// is asked at a moment when no attempt can leave the queue unseen.
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn publish(
        &self,
        attempt: NewAttempt,
        is_decided: impl Fn(&RequestId) -> bool,
    ) -> Result<(), PublishError> {
        match self {
            Self::Embedded(queue) => queue.publish(attempt, is_decided).await,
        }
    }

    /// The next attempts of one item, at most `max`; `None` when the queue is closed and empty.
    pub async fn next(&self, max: usize) -> Option<Batch> {
        match self {
            Self::Embedded(queue) => queue.next(max).await,
        }
    }

    /// Says that the order of the batch's decisions is fixed, so that another consumer may take
    /// the item's next attempts while this batch is being committed.
    pub fn ordered(&self, batch: &mut Batch) {
        match self {
            Self::Embedded(queue) => queue.ordered(batch),
        }
    }

    /// Forgets the batch: its decisions are committed.
    pub fn ack(&self, batch: Batch) {
        match self {
            Self::Embedded(queue) => queue.ack(batch),
        }
    }

    /// The waiting attempt with this id.
    pub fn find(&self, request_id: &RequestId) -> Option<Arc<Attempt>> {
        match self {
            Self::Embedded(queue) => queue.find(request_id),
        }
    }

    /// Waits until the waiting attempt `request_id` is durable. At once when none such waits.
    ///
    /// # Errors
    /// [`PublishError::Unknown`] when it is not known to be durable.
    pub async fn durable(&self, request_id: &RequestId) -> Result<(), PublishError> {
        match self {
            Self::Embedded(queue) => queue.durable(request_id).await,
        }
    }

    /// All attempts at the sale `epoch` that are accepted and not acknowledged, oldest first.
    pub fn waiting(&self, epoch: u64) -> Vec<Arc<Attempt>> {
        match self {
            Self::Embedded(queue) => queue.waiting(epoch),
        }
    }

    /// How many attempts are accepted and not acknowledged, of all items.
    pub fn depth(&self) -> usize {
        match self {
            Self::Embedded(queue) => queue.depth(),
        }
    }

    /// How many attempts at this item are accepted and not acknowledged.
    pub fn depth_of(&self, item: &ItemId) -> usize {
        match self {
            Self::Embedded(queue) => queue.depth_of(item),
        }
    }

    /// Lets `next` return `None` once nothing waits.
    pub fn close_when_empty(&self) {
        match self {
            Self::Embedded(queue) => queue.close_when_empty(),
        }
    }

    /// Writes and syncs what is not yet, and takes no more.
    ///
    /// # Errors
    /// The reason, when that failed.
    pub fn close(&self) -> Result<(), String> {
        match self {
            Self::Embedded(queue) => queue.close(),
        }
    }

    /// Resolves with the reason when the queue has failed for good.
    pub async fn failed(&self) -> String {
        match self {
            Self::Embedded(queue) => queue.failed().await,
        }
    }
}

/// Why a queue could not be opened.
pub type OpenError = JournalError;
