//! The flaw `connection-per-request`: each message opens a connection, and nobody closes it.
//!
//! A broker with the usual limit of 1024 open files stops accepting at about 830 of them, and from
//! then on each attempt waits for the connect time-out.

use lapin::options::ConfirmSelectOptions;
use lapin::{Channel, Connection};

use super::super::PublishError;
use super::options::Options;
use super::publisher::{Message, Sending};
use super::session::{ConnectError, connect};

/// Longest frame, in bytes: AMQP's least. Hundreds of connections have buffers for such.
const FRAME_MAX: u32 = 4_096;

/// Publishes one message on a connection of its own, which stays open until the process ends.
pub(super) async fn publish(
    options: &Options,
    sending: Sending,
    message: Message,
) -> Result<(), PublishError> {
    let opening = async {
        let connection = connect(options, FRAME_MAX).await?;
        let opened = channel(&connection, sending).await;
        Ok::<_, ConnectError>((connection, opened))
    };
    let opened = tokio::time::timeout(options.connect_timeout, opening).await;
    let (connection, channel) = match opened {
        Ok(Ok((connection, Ok(channel)))) => (connection, channel),
        Ok(Ok((_, Err(error)))) => return failed(&error),
        Ok(Err(error)) => return failed(&error),
        Err(_) => return failed(&"no channel in time"),
    };
    let sent = sending.send(&channel, message);
    let sent = tokio::time::timeout(options.publish_timeout, sent).await;
    // Dropping them would close them.
    std::mem::forget((connection, channel));
    sent.unwrap_or(Err(PublishError::Unknown))
}

async fn channel(connection: &Connection, sending: Sending) -> lapin::Result<Channel> {
    let channel = connection.create_channel().await?;
    if let Sending::Confirmed = sending {
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
    }
    Ok(channel)
}

fn failed(error: &dyn std::fmt::Display) -> Result<(), PublishError> {
    tracing::warn!(%error, "no connection for an attempt");
    Err(PublishError::Untold)
}
