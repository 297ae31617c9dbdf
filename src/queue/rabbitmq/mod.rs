//! A queue in a RabbitMQ broker, shared by any number of processes.
//!
//! A process has one connection to publish on, and one to consume on if it consumes. Messages are
//! persistent, go to a durable queue, and count as published when the broker has confirmed them.
//! Messages that could not be decided go to `NAME.dead`.

mod circuit;
mod confirmed;
mod connect;
mod error;
mod flaws;
mod fullness;
mod hosts;
mod link;
mod message;
mod nacks;
mod options;
mod probe;
mod publisher;
mod session;
mod steps;
mod subscription;
mod topology;
mod unacked;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::watch;

use crate::sale::Attempt;
use crate::settings::QueueType;

use super::PublishError;
use fullness::Fullness;
use hosts::Hosts;
use link::Link;
use publisher::Publisher;
use session::Purpose;
use steps::Steps;
use subscription::{Source, Undecodable};

pub use error::{ConnectError, DeclareError};
pub use options::Options;
pub(super) use subscription::Subscription;
pub(super) use unacked::Unacked;

/// A queue in a RabbitMQ broker.
#[derive(Debug)]
pub struct RabbitMq {
    options: Arc<Options>,
    hosts: Arc<Hosts>,
    steps: Steps,
    publishing: Arc<Link>,
    /// Opened for the first subscription.
    consuming: OnceLock<Arc<Link>>,
    publisher: Publisher,
    fullness: Arc<Fullness>,
    ending: watch::Sender<bool>,
}

impl RabbitMq {
    /// Connects, and declares the queues that do not exist. From then on it reconnects on its own
    /// whenever the broker was unreachable, until it succeeds. Several brokers are tried in turn.
    ///
    /// # Errors
    /// Returns an error when no broker can be reached now, or one has a queue of this name with
    /// other properties.
    pub async fn open(options: Options) -> Result<Self, ConnectError> {
        let options = Arc::new(options);
        let hosts = Arc::new(Hosts::of(&options.url)?);
        if hosts.are_several() && options.queue_type == QueueType::Classic {
            tracing::warn!(
                queue = options.queue,
                "a classic queue is on one node of the cluster only: while that node is down, \
                 nothing is accepted or decided; give --queue-type quorum, and another \
                 --queue-name if the queue exists"
            );
        }
        let steps = flaws::steps(&options.flaws);
        let purpose = Purpose::Publish(steps.declaration);
        let publishing = Link::open(Arc::clone(&options), Arc::clone(&hosts), purpose).await?;
        let publisher = Publisher::new(Arc::clone(&options), Arc::clone(&publishing), steps);
        let fullness = Fullness::new(Arc::clone(&options), Arc::clone(&publishing));
        let consuming = OnceLock::new();
        let ending = watch::Sender::new(false);
        Ok(Self { options, hosts, steps, publishing, consuming, publisher, fullness, ending })
    }

    /// Publishes an attempt. When this returns, the broker has stored it durably.
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn publish(&self, attempt: &Attempt) -> Result<(), PublishError> {
        self.publisher.publish(attempt).await
    }

    pub(super) fn subscribe(&self, prefetch: usize) -> Subscription {
        let source = Source {
            queue: self.options.queue.clone(),
            declaration: self.steps.declaration,
            prefetch,
            undecodable: Undecodable::Reject,
        };
        self.subscribe_to(source)
    }

    /// Subscribes to the dead-letter queue. A message that cannot be decoded stays there for an
    /// operator to inspect.
    pub(super) fn dead_letters(&self) -> Subscription {
        let source = Source {
            queue: self.options.dead_queue(),
            declaration: topology::dead,
            prefetch: topology::DEAD_PREFETCH,
            undecodable: Undecodable::Keep,
        };
        self.subscribe_to(source)
    }

    fn subscribe_to(&self, source: Source) -> Subscription {
        let options = &self.options;
        let start = || Link::start(Arc::clone(options), Arc::clone(&self.hosts), Purpose::Consume);
        let link = Arc::clone(self.consuming.get_or_init(start));
        Subscription::new(link, Arc::clone(options), source, self.ending.subscribe())
    }

    /// Attempts that wait and are not delivered to a consumer; `None` when the broker does not
    /// answer.
    pub async fn depth(&self) -> Option<usize> {
        self.publishing.session()?.depth(&self.options).await
    }

    /// Whether the queue is known to be full.
    pub fn is_full(&self) -> bool {
        self.fullness.is_full()
    }

    /// Notes that the queue did not take an attempt, and returns whether it is full.
    pub async fn nacked(&self) -> bool {
        self.fullness.nacked().await
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
        if let Some(consuming) = self.consuming.get() {
            consuming.close().await;
        }
        self.publishing.close().await;
    }
}
