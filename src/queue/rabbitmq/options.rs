//! Which broker, and how its queue is to be.

use std::time::Duration;

use crate::flaws::Flaws;
use crate::secret::EngineUrl;
use crate::settings::QueueType;

/// How to use a broker. Checked where it was made.
#[derive(Debug, Clone)]
pub struct Options {
    /// `amqp://user:password@host:port/vhost`.
    pub url: EngineUrl,
    /// Name of the queue; its dead letters are in `NAME.dead`.
    pub queue: String,
    /// Its type.
    pub queue_type: QueueType,
    /// Attempts that may wait; one more is refused.
    pub max: usize,
    /// How long a publish may take until its outcome is called unknown.
    pub publish_timeout: Duration,
    /// How long a connection may take to open.
    pub connect_timeout: Duration,
    /// What is wrong with it.
    pub flaws: Flaws,
}

impl Options {
    /// The queue of what could not be delivered.
    pub(super) fn dead_queue(&self) -> String {
        format!("{}.dead", self.queue)
    }
}
