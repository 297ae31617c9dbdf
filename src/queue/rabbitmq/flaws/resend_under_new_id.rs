//! The flaw `resend-under-new-id`: a message whose confirm is slow counts as lost, and is published
//! again under a new id. The broker has both, and to the consumers they are two attempts.

use std::time::Duration;

use lapin::Channel;

use crate::ids::RequestId;

use super::super::confirmed;
use super::super::message::Message;
use super::super::steps::Publishing;

/// A message that is not confirmed for this long counts as lost.
const SLOW: Duration = Duration::from_millis(100);

/// Publishes, and publishes again if the confirm is slow.
pub(super) fn send<'a>(channel: &'a Channel, message: &'a Message) -> Publishing<'a> {
    Box::pin(async move {
        let mut first = Box::pin(confirmed::send(channel, message));
        if let Ok(published) = tokio::time::timeout(SLOW, &mut first).await {
            return published;
        }
        let again = under_new_id(message);
        let (_, published) = tokio::join!(first, confirmed::send(channel, &again));
        published
    })
}

/// The same attempt with another request id, which is the first word of the body.
fn under_new_id(message: &Message) -> Message {
    let id = RequestId::random().to_string();
    let (_, rest) = message.body.split_once(' ').unwrap_or_default();
    Message {
        queue: message.queue.clone(),
        body: format!("{id} {rest}"),
        properties: message.properties.clone().with_message_id(id.into()),
    }
}
