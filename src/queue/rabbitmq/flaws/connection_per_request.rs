//! The flaw `connection-per-request`: each message opens a connection that is never closed.
//!
//! A broker with the usual limit of 1024 open files stops accepting at about 830 connections, and
//! from then on each attempt waits for the connect time-out.

use lapin::options::ConfirmSelectOptions;
use lapin::{Channel, Connection};

use super::super::super::PublishError;
use super::super::connect::connect;
use super::super::error::ConnectError;
use super::super::hosts::Hosts;
use super::super::message::Message;
use super::super::options::Options;
use super::super::steps::{Publishing, Sending};

/// Longest frame, in bytes: AMQP's minimum. Hundreds of connections have buffers of this size.
const FRAME_MAX: u32 = 4_096;

/// Publishes one message on a connection of its own, which stays open until the process ends.
pub(super) fn publish(options: &Options, sending: Sending, message: Message) -> Publishing<'_> {
    Box::pin(async move {
        let opening = async {
            let hosts = Hosts::of(&options.url)?;
            let host = hosts.round().next().ok_or_else(|| ConnectError::Brokers(Vec::new()))?;
            let connection = connect(options, host, FRAME_MAX).await?;
            let opened = channel(&connection, sending).await;
            Ok::<_, ConnectError>((connection, opened))
        };
        let opened = tokio::time::timeout(options.connect_timeout, opening).await;
        let (connection, channel) = match opened {
            Ok(Ok((connection, Ok(channel)))) => (connection, channel),
            Ok(Ok((_, Err(error)))) => return failed(&error),
            Ok(Err(error)) => return failed(&error),
            Err(_) => return failed(&"the channel was not opened in time"),
        };
        let sent = sending.send(&channel, &message);
        let sent = tokio::time::timeout(options.publish_timeout, sent).await;
        // Dropping them would close the connection.
        std::mem::forget((connection, channel));
        sent.unwrap_or(Err(PublishError::Unknown))
    })
}

async fn channel(connection: &Connection, sending: Sending) -> lapin::Result<Channel> {
    let channel = connection.create_channel().await?;
    if let Sending::Confirmed = sending {
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
    }
    Ok(channel)
}

fn failed(error: &dyn std::fmt::Display) -> Result<(), PublishError> {
    tracing::warn!(%error, "cannot open a connection for an attempt");
    Err(PublishError::HiddenFailure)
}
