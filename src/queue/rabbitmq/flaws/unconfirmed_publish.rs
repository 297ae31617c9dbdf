//! The flaw `unconfirmed-publish`: a message counts as queued once it is written to a socket.

use lapin::Channel;
use lapin::options::BasicPublishOptions;

use super::super::super::PublishError;
use super::super::message::Message;
use super::super::steps::Publishing;

/// Publishes without waiting for a confirm.
pub(super) fn send<'a>(channel: &'a Channel, message: &'a Message) -> Publishing<'a> {
    Box::pin(async move {
        let (queue, body) = (message.queue.as_str().into(), message.body.as_bytes());
        let (options, properties) = (BasicPublishOptions::default(), message.properties.clone());
        match channel.basic_publish("".into(), queue, options, body, properties).await {
            Ok(_) => Ok(()),
            Err(_) => Err(PublishError::Unknown),
        }
    })
}
