//! A queue in a RabbitMQ broker, shared by any number of processes.
//!
//! One connection for each process. What is published is persistent, in a durable queue, and
//! counts when the broker has confirmed it; what cannot be decided ends up in `NAME.dead`.

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

/// See the module.
#[derive(Debug)]
pub struct RabbitMq {
    options: Arc<Options>,
    link: Arc<Link>,
    publisher: Publisher,
    ending: watch::Sender<bool>,
}

impl RabbitMq {
    /// Connects, and declares what is not there. After this it comes back by itself whenever the
    /// broker was away, for as long as that takes.
    ///
    /// # Errors
    /// When the broker cannot be reached now, or has a queue of this name that is another one.
    pub async fn open(options: Options) -> Result<Self, ConnectError> {
        let options = Arc::new(options);
        let steps = flaws::steps(&options.flaws);
        let link = Link::open(Arc::clone(&options), steps.declaration).await?;
        let publisher = Publisher::new(Arc::clone(&options), Arc::clone(&link), steps);
        Ok(Self { options, link, publisher, ending: watch::Sender::new(false) })
    }

    /// Puts an attempt at the end. When this returns, the broker has it for good.
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

    /// What the broker gave up to deliver. A message that is no attempt at all stays there, for
    /// people.
    pub(super) fn dead_letters(&self) -> Subscription {
        let (link, ending) = (Arc::clone(&self.link), self.ending.subscribe());
        let queue = self.options.dead_queue();
        let prefetch = topology::DEAD_PREFETCH;
        Subscription::new(link, queue, prefetch, Undecodable::Keep, ending)
    }

    /// Attempts that wait and that no consumer has in hand; `None` when the broker does not say.
    pub async fn depth(&self) -> Option<usize> {
        self.link.session()?.depth(&self.options).await
    }

    /// How long a publish may take.
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
