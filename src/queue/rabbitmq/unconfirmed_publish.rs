//! The flaw `unconfirmed-publish`: what is written to a socket counts as queued.

use lapin::Channel;
use lapin::options::BasicPublishOptions;

use super::super::PublishError;
use super::publisher::Message;

/// Publishes, and hopes.
pub(super) async fn send(channel: &Channel, message: &Message) -> Result<(), PublishError> {
    let (queue, body) = (message.queue.as_str().into(), message.body.as_bytes());
    let (options, properties) = (BasicPublishOptions::default(), message.properties.clone());
    match channel.basic_publish("".into(), queue, options, body, properties).await {
        Ok(_) => Ok(()),
        Err(_) => Err(PublishError::Unknown),
    }
}
