//! The queue between accepting an attempt and deciding it.

mod embedded;
mod lanes;
mod rabbitmq;

use std::sync::Arc;

use crate::ids::RequestId;
use crate::sale::Attempt;

pub use embedded::Embedded;
pub use rabbitmq::{ConnectError, DeclareError, Options, RabbitMq};

/// Where accepted attempts wait.
#[derive(Debug)]
pub enum Queue {
    /// In this process, on a journal of its own.
    Embedded(Arc<Embedded>),
    /// In a RabbitMQ broker, shared with other processes.
    RabbitMq(Arc<RabbitMq>),
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
    /// The queue takes nothing now. No effect.
    #[error("the queue is not available")]
    Unavailable,
    /// It is not in the queue; but who asks is told that nobody knows. Only a flawed queue says so.
    #[error("the attempt is not queued, and nobody tells")]
    Untold,
    /// It may be in the queue or not.
    #[error("whether the attempt is queued is unknown")]
    Unknown,
}

/// One consumer's share of the queue.
#[derive(Debug)]
pub enum Subscription {
    /// Of the queue of this process.
    Embedded(Arc<Embedded>),
    /// Of a broker, on a channel of its own.
    RabbitMq(Box<rabbitmq::Subscription>),
}

/// Attempts at one item in the order of their delivery, to be decided and then acknowledged.
/// Dropped without that, they go back to where they came from and are delivered again.
#[derive(Debug)]
pub enum Batch {
    /// From the queue of this process.
    Embedded(embedded::Held),
    /// From a broker.
    RabbitMq(rabbitmq::Held),
}

impl Queue {
    /// A consumer's share: at most `prefetch` attempts are in its hands at a time.
    pub fn subscribe(&self, prefetch: usize) -> Subscription {
        match self {
            Self::Embedded(queue) => Subscription::Embedded(Arc::clone(queue)),
            Self::RabbitMq(queue) => Subscription::RabbitMq(Box::new(queue.subscribe(prefetch))),
        }
    }

    /// The waiting attempt with this id. A broker cannot be asked for one: it always says `None`,
    /// and the store knows what waits there.
    pub fn find(&self, request_id: &RequestId) -> Option<Arc<Attempt>> {
        match self {
            Self::Embedded(queue) => queue.find(request_id),
            Self::RabbitMq(_) => None,
        }
    }

    /// How many attempts wait; of a broker, those that no consumer has in hand. `None` when it
    /// does not say.
    pub async fn depth(&self) -> Option<usize> {
        match self {
            Self::Embedded(queue) => Some(queue.depth()),
            Self::RabbitMq(queue) => queue.depth().await,
        }
    }

    /// Why the queue takes nothing at this moment, if it does not.
    pub fn unavailable(&self) -> Option<String> {
        match self {
            Self::Embedded(_) => None,
            Self::RabbitMq(queue) => queue.unavailable(),
        }
    }

    /// Whether the queue answers; a broker is asked.
    ///
    /// # Errors
    /// The reason, when it takes nothing or does not answer.
    pub async fn check(&self) -> Result<(), String> {
        if let Some(problem) = self.unavailable() {
            return Err(problem);
        }
        let silent = || "the broker does not answer, or its queue is gone".to_owned();
        self.depth().await.map(drop).ok_or_else(silent)
    }

    /// Lets every subscription end: that of this process's queue once nothing waits, a broker's at
    /// once, since what waits there waits for others as well.
    pub fn close_when_empty(&self) {
        match self {
            Self::Embedded(queue) => queue.close_when_empty(),
            Self::RabbitMq(queue) => queue.end_subscriptions(),
        }
    }

    /// Writes and syncs what is not yet, and takes no more.
    ///
    /// # Errors
    /// The reason, when that failed.
    pub async fn close(&self) -> Result<(), String> {
        match self {
            Self::Embedded(queue) => queue.close(),
            Self::RabbitMq(queue) => {
                queue.close().await;
                Ok(())
            }
        }
    }

    /// Resolves with the reason when the queue has failed for good. A broker never has: it may
    /// come back.
    pub async fn failed(&self) -> String {
        match self {
            Self::Embedded(queue) => queue.failed().await,
            Self::RabbitMq(_) => std::future::pending().await,
        }
    }
}

impl Subscription {
    /// The next attempts at one item, at most `max`; `None` when the queue was closed.
    pub async fn next(&mut self, max: usize) -> Option<Batch> {
        match self {
            Self::Embedded(queue) => queue.next(max).await.map(Batch::Embedded),
            Self::RabbitMq(subscription) => subscription.next(max).await.map(Batch::RabbitMq),
        }
    }
}

impl Batch {
    /// The attempts, oldest first.
    pub fn attempts(&self) -> &[Arc<Attempt>] {
        match self {
            Self::Embedded(held) => held.attempts(),
            Self::RabbitMq(held) => held.attempts(),
        }
    }

    /// Says that the order of the batch's decisions is fixed, so that another consumer may take
    /// the item's next attempts while this batch is being committed.
    pub fn ordered(&mut self) {
        match self {
            Self::Embedded(held) => held.free_lane(),
            Self::RabbitMq(_) => {}
        }
    }

    /// Forgets the batch: its decisions are committed. An acknowledgement that is lost lets it be
    /// delivered again, which changes nothing.
    pub async fn ack(self) {
        match self {
            Self::Embedded(held) => held.ack(),
            Self::RabbitMq(held) => held.ack().await,
        }
    }

    /// Gives the batch up: a broker puts it among its dead letters; the queue of this process,
    /// which has none, delivers it again.
    pub async fn reject(self) {
        match self {
            Self::Embedded(held) => drop(held),
            Self::RabbitMq(held) => held.reject().await,
        }
    }
}
