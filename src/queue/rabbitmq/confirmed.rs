//! Publishing with publisher confirms: a message counts as queued when the broker confirms it.

use lapin::options::BasicPublishOptions;
use lapin::{Channel, Confirmation, ErrorKind};

use super::super::PublishError;
use super::message::Message;

/// Publishes, and waits for the confirm. Confirms of a channel arrive as a stream, so any number
/// of callers can wait at the same time.
pub(super) async fn send(channel: &Channel, message: &Message) -> Result<(), PublishError> {
    // Mandatory: a message that no queue takes is confirmed too, but is returned before.
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let (queue, body) = (message.queue.as_str().into(), message.body.as_bytes());
    let properties = message.properties.clone();
    let publishing = channel.basic_publish("".into(), queue, options, body, properties);
    let confirm = match publishing.await {
        Ok(confirm) => confirm,
        Err(error) if is_unsent(&error) => return Err(PublishError::Unavailable),
        Err(_) => return Err(PublishError::Unknown),
    };
    match confirm.await {
        Ok(Confirmation::Ack(None)) => Ok(()),
        // Returned: the queue does not exist.
        Ok(Confirmation::Ack(Some(_)) | Confirmation::Nack(Some(_))) => {
            Err(PublishError::Unavailable)
        }
        // The queue is full (`x-overflow: reject-publish`), or its process ended before it could
        // confirm a message that it may have stored.
        Ok(Confirmation::Nack(None)) => Err(PublishError::NotTaken),
        // `NotRequested` does not occur on a channel in confirm mode.
        Ok(Confirmation::NotRequested) | Err(_) => Err(PublishError::Unknown),
    }
}

/// Whether nothing was sent because the channel was closed before.
fn is_unsent(error: &lapin::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::InvalidChannelState(..) | ErrorKind::InvalidConnectionState(_)
    )
}
