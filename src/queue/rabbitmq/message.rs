//! What is published: an attempt as a text record, with its AMQP properties.

use lapin::BasicProperties;

/// AMQP's delivery mode for messages that survive a restart of the broker.
const PERSISTENT: u8 = 2;

/// A message that is ready to be published.
#[derive(Debug)]
pub(super) struct Message {
    /// Name of the queue that it goes to.
    pub(super) queue: String,
    pub(super) body: String,
    pub(super) properties: BasicProperties,
}

/// Properties of a message that survives a restart of the broker.
pub(super) fn persistent(message_id: &str) -> BasicProperties {
    BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_content_type("text/plain".into())
        .with_message_id(message_id.into())
}
