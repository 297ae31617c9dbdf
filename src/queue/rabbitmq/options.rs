//! The options of a queue in a RabbitMQ broker.

use std::time::Duration;

use crate::flaws::Flaws;
use crate::secret::EngineUrl;
use crate::settings::QueueType;

/// How to use a broker. The caller has checked the values.
#[derive(Debug, Clone)]
pub struct Options {
    /// `amqp://user:password@host:port/vhost`; several brokers are several hosts, separated by
    /// commas.
    pub url: EngineUrl,
    /// Name of the queue; its dead letters are in `NAME.dead`.
    pub queue: String,
    /// The type of the queue.
    pub queue_type: QueueType,
    /// Attempts that may wait; further ones are refused.
    pub max: usize,
    /// How long a publish may take until its outcome is called unknown.
    pub publish_timeout: Duration,
    /// How long a connection may take to open.
    pub connect_timeout: Duration,
    /// The flaws that it is to have.
    pub flaws: Flaws,
}

impl Options {
    /// Name of the queue of dead letters.
    pub(super) fn dead_queue(&self) -> String {
        format!("{}.dead", self.queue)
    }
}
