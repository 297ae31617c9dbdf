//! A queue in a RabbitMQ broker, shared by any number of processes.
//!
//! There is one connection per process. Messages are persistent, go to a durable queue, and count
//! as published when the broker has confirmed them. Messages that cannot be decided end up in
//! `NAME.dead`.

mod circuit;
mod confirmed;
mod connect;
mod flaws;
mod link;
mod message;
mod options;
mod publisher;
mod session;
mod steps;
mod subscription;
mod topology;
mod unacked;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::sale::Attempt;

use super::PublishError;
use link::Link;
use publisher::Publisher;
use subscription::Undecodable;

pub use connect::{ConnectError, DeclareError};
pub use options::Options;
pub(super) use subscription::Subscription;
pub(super) use unacked::Unacked;

/// A queue in a RabbitMQ broker.
#[derive(Debug)]
pub struct RabbitMq {
    options: Arc<Options>,
    link: Arc<Link>,
    publisher: Publisher,
    ending: watch::Sender<bool>,
}

impl RabbitMq {
    /// Connects, and declares the queues that do not exist. From then on it reconnects on its own
    /// whenever the broker was unreachable, until it succeeds.
    ///
    /// # Errors
    /// Returns an error when the broker cannot be reached now, or has a queue of this name with
    /// other properties.
    pub async fn open(options: Options) -> Result<Self, ConnectError> {
        let options = Arc::new(options);
        let steps = flaws::steps(&options.flaws);
        let link = Link::open(Arc::clone(&options), steps.declaration).await?;
        let publisher = Publisher::new(Arc::clone(&options), Arc::clone(&link), steps);
        Ok(Self { options, link, publisher, ending: watch::Sender::new(false) })
    }

    /// Publishes an attempt. When this returns, the broker has stored it durably.
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn publish(&self, attempt: &Attempt) -> Result<(), PublishError> {
        self.publisher.publish(attempt).await
    }

    pub(super) fn subscribe(&self, prefetch: usize) -> Subscription {
        let (link, ending) = (Arc::clone(&self.link), self.ending.subscribe());
        let queue = self.options.queue.clone();
        Subscription::new(link, queue, prefetch, Undecodable::Reject, ending)
    }

    /// Subscribes to the dead-letter queue. A message that cannot be decoded stays there for an
    /// operator to inspect.
    pub(super) fn dead_letters(&self) -> Subscription {
        let (link, ending) = (Arc::clone(&self.link), self.ending.subscribe());
        let queue = self.options.dead_queue();
        let prefetch = topology::DEAD_PREFETCH;
        Subscription::new(link, queue, prefetch, Undecodable::Keep, ending)
    }

    /// Attempts that wait and are not delivered to a consumer; `None` when the broker does not
    /// answer.
    pub async fn depth(&self) -> Option<usize> {
        self.link.session()?.depth(&self.options).await
    }

    /// How long a publish may take before its outcome is unknown.
    pub fn publish_timeout(&self) -> Duration {
        self.options.publish_timeout
    }

    /// Why nothing can be published at this moment, if it cannot.
    pub fn unavailable(&self) -> Option<String> {
        self.publisher.unavailable()
    }

    pub(super) fn end_subscriptions(&self) {
        self.ending.send_replace(true);
    }

    pub(super) async fn close(&self) {
        self.end_subscriptions();
        self.link.close().await;
    }
}
