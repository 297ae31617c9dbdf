//! The queue between accepting an attempt and deciding it.
//!
//! Owns the queue engines behind one closed enum, and what a caller has to know of each: whether
//! it can look up an attempt that waits. It knows neither the store nor HTTP.

mod backlog;
mod broker;
mod delivery;
mod drain_rate;
mod embedded;
mod error;
mod open;
mod rabbitmq;
mod room;

use std::sync::Arc;
use std::time::Duration;

use crate::ids::RequestId;
use crate::sale::Attempt;

pub use backlog::{Backlog, Place};
pub use broker::Broker;
pub use delivery::{Batch, Subscription};
pub use drain_rate::DrainRate;
pub use embedded::{Embedded, Recovery};
pub use error::PublishError;
pub use open::QueueAt;
pub use rabbitmq::{ConnectError, DeclareError, Options as RabbitMqOptions, RabbitMq};
pub use room::Room;

/// Where accepted attempts wait.
#[derive(Debug)]
pub enum Queue {
    /// In this process, with a journal.
    Embedded(Arc<Embedded>),
    /// In a broker, shared with other processes.
    Broker(Broker),
}

/// Where an attempt that waits can be looked up by its request id.
#[derive(Debug, Clone, Copy)]
pub enum Lookup<'a> {
    /// In the queue. It gives each attempt its position in the order and refuses a reused id.
    Queue(&'a Embedded),
    /// Not in the queue: the store needs a register of what is published to this broker.
    Register(&'a Broker),
}

impl Queue {
    /// Whether this queue can look up an attempt, and the queue to publish to in either case.
    pub fn lookup(&self) -> Lookup<'_> {
        match self {
            Self::Embedded(queue) => Lookup::Queue(queue),
            Self::Broker(broker) => Lookup::Register(broker),
        }
    }

    /// A subscription for one consumer, to which a broker gives at most `prefetch` attempts that
    /// are not acknowledged.
    pub fn subscribe(&self, prefetch: usize) -> Subscription {
        match self {
            Self::Embedded(queue) => Subscription::Embedded(Arc::clone(queue)),
            Self::Broker(broker) => broker.subscribe(prefetch),
        }
    }

    /// The waiting attempt with this id. Always `None` for a queue that has no lookup: then the
    /// store's register has it.
    pub fn find(&self, request_id: &RequestId) -> Option<Arc<Attempt>> {
        match self {
            Self::Embedded(queue) => queue.find(request_id),
            Self::Broker(_) => None,
        }
    }

    /// How many attempts wait; a broker does not count those that are delivered and unacked.
    /// `None` when a broker does not answer.
    pub async fn depth(&self) -> Option<usize> {
        match self {
            Self::Embedded(queue) => Some(queue.depth()),
            Self::Broker(broker) => broker.depth().await,
        }
    }

    /// How long it takes, at the rate of the last second, until all that wait now are decided.
    /// `None` when that is not known, as of a broker.
    pub fn drain_time(&self) -> Option<Duration> {
        match self {
            Self::Embedded(queue) => queue.drain_time(),
            Self::Broker(_) => None,
        }
    }

    /// Attempts per second that were decided in the last second. `None` when that is not known, as
    /// of a broker.
    pub fn drained_per_second(&self) -> Option<f64> {
        match self {
            Self::Embedded(queue) => queue.drained_per_second(),
            Self::Broker(_) => None,
        }
    }

    /// Why the queue accepts nothing at this moment, if it does not: the disk of the embedded one
    /// hangs, or the broker is known to be away.
    pub fn unavailable(&self) -> Option<String> {
        match self {
            Self::Embedded(queue) => queue.unavailable(),
            Self::Broker(broker) => broker.unavailable(),
        }
    }

    /// Whether the queue is known to be full. `false` for the queue of this process, which says so
    /// when an attempt is published.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Embedded(_) => false,
            Self::Broker(broker) => broker.is_full(),
        }
    }

    /// Checks that the queue can be used, with a request to a broker.
    ///
    /// # Errors
    /// Returns the reason when it accepts nothing or does not answer.
    pub async fn check(&self) -> Result<(), String> {
        if let Some(problem) = self.unavailable() {
            return Err(problem);
        }
        let silent = || "the broker does not answer, or its queue is gone".to_owned();
        self.depth().await.map(drop).ok_or_else(silent)
    }

    /// Ends every subscription: to the queue of this process once nothing waits; to a broker at
    /// once, since other processes can decide what waits there.
    pub fn close_when_empty(&self) {
        match self {
            Self::Embedded(queue) => queue.close_when_empty(),
            Self::Broker(broker) => broker.end_subscriptions(),
        }
    }

    /// Writes and syncs what is still pending, and accepts no more.
    ///
    /// # Errors
    /// Returns the reason when that failed.
    pub async fn close(&self) -> Result<(), String> {
        match self {
            Self::Embedded(queue) => queue.close(),
            Self::Broker(broker) => {
                broker.close().await;
                Ok(())
            }
        }
    }

    /// Resolves with the reason when the queue has failed permanently. A broker never does: it may
    /// come back.
    pub async fn failed(&self) -> String {
        match self {
            Self::Embedded(queue) => queue.failed().await,
            Self::Broker(_) => std::future::pending().await,
        }
    }
}
