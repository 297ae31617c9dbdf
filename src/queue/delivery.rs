//! What a consumer works with: its subscription, and the batches that the subscription delivers.

use std::sync::Arc;

use crate::sale::Attempt;

use super::{embedded, rabbitmq};

/// One consumer's subscription to a queue.
#[derive(Debug)]
pub enum Subscription {
    /// To the queue of this process.
    Embedded(Arc<embedded::Embedded>),
    /// To a RabbitMQ broker, on a channel of its own.
    RabbitMq(Box<rabbitmq::Subscription>),
}

/// Attempts at one item in the order of their delivery, to be decided and then acknowledged. A
/// batch that is dropped without an acknowledgement is delivered again.
#[derive(Debug)]
pub enum Batch {
    /// From the queue of this process.
    Embedded(embedded::Unacked),
    /// From a RabbitMQ broker.
    RabbitMq(rabbitmq::Unacked),
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
            Self::Embedded(batch) => batch.attempts(),
            Self::RabbitMq(batch) => batch.attempts(),
        }
    }

    /// Marks the order of the batch's decisions as fixed, so that another consumer may take the
    /// item's next attempts while this batch is being committed.
    pub fn release_item(&mut self) {
        match self {
            Self::Embedded(batch) => batch.release_item(),
            Self::RabbitMq(_) => {}
        }
    }

    /// Removes the batch from the queue: its decisions are committed. If the acknowledgement is
    /// lost, the batch is delivered again, which changes nothing.
    pub async fn ack(self) {
        match self {
            Self::Embedded(batch) => batch.ack(),
            Self::RabbitMq(batch) => batch.ack().await,
        }
    }

    /// Rejects the batch: a broker moves it to its dead letters; the queue of this process, which
    /// has none, delivers it again.
    pub async fn reject(self) {
        match self {
            Self::Embedded(batch) => drop(batch),
            Self::RabbitMq(batch) => batch.reject().await,
        }
    }
}
