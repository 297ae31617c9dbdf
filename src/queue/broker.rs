//! Queues in a broker: shared by processes, and without a way to look up a message that waits.

use std::sync::Arc;
use std::time::Duration;

use crate::sale::Attempt;

use super::delivery::Subscription;
use super::{PublishError, RabbitMq};

/// A queue in a broker. It cannot look up an attempt, so the publisher keeps a register of the
/// waiting attempts, and gives each its position in the order.
#[derive(Debug, Clone)]
pub enum Broker {
    /// In RabbitMQ.
    RabbitMq(Arc<RabbitMq>),
}

impl Broker {
    /// Publishes an attempt. When this returns, the broker has stored it durably.
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn publish(&self, attempt: &Attempt) -> Result<(), PublishError> {
        match self {
            // In a box, as each request to a queue in this process has room for this future, too.
            Self::RabbitMq(queue) => Box::pin(queue.publish(attempt)).await,
        }
    }

    /// Whether the queue is known to be full: it has refused attempts not long ago.
    pub fn is_full(&self) -> bool {
        match self {
            Self::RabbitMq(queue) => queue.is_full(),
        }
    }

    /// After [`PublishError::NotTaken`]: whether that is because the queue is full.
    pub async fn nacked(&self) -> bool {
        match self {
            Self::RabbitMq(queue) => queue.nacked().await,
        }
    }

    /// How long a publish may take before its outcome is unknown.
    pub fn publish_timeout(&self) -> Duration {
        match self {
            Self::RabbitMq(queue) => queue.publish_timeout(),
        }
    }

    /// Subscribes to the dead letters: messages that could not be delivered or were rejected.
    pub fn dead_letters(&self) -> Subscription {
        match self {
            Self::RabbitMq(queue) => Subscription::RabbitMq(Box::new(queue.dead_letters())),
        }
    }

    /// Why nothing can be published at this moment, if it cannot.
    pub fn unavailable(&self) -> Option<String> {
        match self {
            Self::RabbitMq(queue) => queue.unavailable(),
        }
    }

    pub(super) fn subscribe(&self, prefetch: usize) -> Subscription {
        match self {
            Self::RabbitMq(queue) => Subscription::RabbitMq(Box::new(queue.subscribe(prefetch))),
        }
    }

    /// How many attempts wait and are not delivered; `None` when the broker does not answer.
    pub async fn depth(&self) -> Option<usize> {
        match self {
            Self::RabbitMq(queue) => queue.depth().await,
        }
    }

    pub(super) fn end_subscriptions(&self) {
        match self {
            Self::RabbitMq(queue) => queue.end_subscriptions(),
        }
    }

    pub(super) async fn close(&self) {
        match self {
            Self::RabbitMq(queue) => queue.close().await,
        }
    }
}
