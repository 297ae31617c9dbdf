//! The flaw `transient-queue`: what waits is gone when the broker restarts.

use lapin::options::QueueDeclareOptions;
use lapin::{BasicProperties, Channel, Queue};

use super::options::Options;
use super::topology::dead_lettered;

/// Declares a queue that is not durable.
pub(super) async fn declare(channel: &Channel, options: &Options) -> lapin::Result<Queue> {
    let transient = QueueDeclareOptions::default();
    channel.queue_declare(options.queue.as_str().into(), transient, dead_lettered(options)).await
}

/// Properties of a message that is kept in memory.
pub(super) fn transient(message_id: &str) -> BasicProperties {
    BasicProperties::default().with_message_id(message_id.into())
}
