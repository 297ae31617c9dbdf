//! One connection from its opening to its end: its channels, and the queues declared on it.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_core::Stream;
use lapin::options::{ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, Event};
use tokio::sync::{Notify, watch};

use super::connect::{connect, connect_timed_out, declare_error};
use super::error::ConnectError;
use super::hosts::Host;
use super::nacks::Nacks;
use super::options::Options;
use super::topology::{self, Declaration};

/// Channels for publishing, used in turn: RabbitMQ handles each channel in a process of its own.
const PUBLISH_CHANNELS: usize = 4;

/// How long the broker may take to answer a request.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Longest frame, in bytes: RabbitMQ's default.
const FRAME_MAX: u32 = 131_072;

/// What a connection is for. The broker stops reading from a connection that publishes while it is
/// short of memory or disk, so acknowledgements must come on another one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    /// It declares the queues, this one in this way, and publishes.
    Publish(fn(&Options) -> Declaration),
    /// It consumes and acknowledges.
    Consume,
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Publish(_) => "publish",
            Self::Consume => "consume",
        })
    }
}

/// A channel to publish on.
#[derive(Debug)]
pub(super) struct PublishChannel {
    pub(super) channel: Channel,
    pub(super) nacks: Nacks,
}

/// An open connection, with its publish channels if it publishes.
#[derive(Debug)]
pub(super) struct Session {
    connection: Connection,
    /// The broker's address for the log, if it is one of several.
    broker: Option<String>,
    publish: Vec<PublishChannel>,
    turn: AtomicUsize,
    blocked: watch::Sender<bool>,
    discarded: Notify,
}

impl Session {
    /// Connects to this broker. To publish, it declares the queue and the one of its dead letters,
    /// and opens the channels.
    pub(super) async fn open(
        options: &Options,
        host: &Host,
        purpose: Purpose,
    ) -> Result<Self, ConnectError> {
        let connection = connect(options, host, FRAME_MAX).await?;
        let publish = match purpose {
            Purpose::Consume => Vec::new(),
            Purpose::Publish(declaration) => {
                let opening = open_publishing(&connection, options, declaration(options));
                match tokio::time::timeout(options.connect_timeout, opening).await {
                    Ok(opened) => opened.map_err(|error| declare_error(options, &error))?,
                    Err(_) => return Err(connect_timed_out(options, host)),
                }
            }
        };
        let (turn, discarded) = (AtomicUsize::new(0), Notify::new());
        let blocked = watch::Sender::new(connection.status().blocked());
        let broker = host.shown.clone();
        Ok(Self { connection, broker, publish, turn, blocked, discarded })
    }

    /// The address of its broker for the log, without credentials; `None` if there is only one.
    pub(super) fn broker(&self) -> Option<&str> {
        self.broker.as_deref()
    }

    /// A channel to publish on; `None` if the connection is not for publishing.
    pub(super) fn publish_channel(&self) -> Option<&PublishChannel> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        self.publish.get(turn.checked_rem(self.publish.len())?)
    }

    /// A new channel for the caller alone.
    pub(super) async fn channel(&self) -> lapin::Result<Channel> {
        self.connection.create_channel().await
    }

    /// Whether the broker blocks publishers.
    pub(super) fn is_blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    /// Resolves when the broker blocks publishers.
    pub(super) async fn blocked(&self) {
        // `self` owns the sender, so waiting cannot fail.
        let _ = self.blocked.subscribe().wait_for(|blocked| *blocked).await;
    }

    /// How many messages wait; `None` when the broker does not answer.
    pub(super) async fn depth(&self, options: &Options) -> Option<usize> {
        let request = async {
            // A new channel, because asking for a queue that is gone closes the channel.
            let channel = self.channel().await.ok()?;
            let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
            let name = options.queue.as_str().into();
            let queue = channel.queue_declare(name, passive, FieldTable::default()).await.ok()?;
            // The answer is known; if closing fails, nothing is lost.
            let _ = channel.close(0, "depth is known".into()).await;
            usize::try_from(queue.message_count()).ok()
        };
        tokio::time::timeout(ANSWER_TIMEOUT, request).await.ok()?
    }

    /// Declares this session unusable, so that a new one is opened.
    pub(super) fn discard(&self) {
        self.discarded.notify_one();
    }

    /// Resolves with the reason when the connection is lost or was discarded.
    pub(super) async fn ended(&self) -> String {
        let mut events = Box::pin(self.connection.events_listener());
        loop {
            let status = self.connection.status();
            if !status.connected() {
                return "the connection is closed".to_owned();
            }
            self.blocked.send_replace(status.blocked());
            tokio::select! {
                event = next(events.as_mut()) => match event {
                    Some(Event::Error(error)) => return error.to_string(),
                    Some(Event::ConnectionBlocked(reason)) => {
                        tracing::warn!(reason, "the broker blocks publishers");
                    }
                    Some(Event::ConnectionUnblocked) => {
                        tracing::info!("the broker accepts messages again");
                    }
                    Some(_) => {}
                    None => return "the connection is closed".to_owned(),
                },
                () = self.discarded.notified() => return "a channel failed".to_owned(),
            }
        }
    }

    /// Closes the connection, within a time limit.
    pub(super) async fn close(&self) {
        let closing = self.connection.close(200, "shutting down".into());
        // The connection is not used again, whether closing succeeds or not.
        let _ = tokio::time::timeout(ANSWER_TIMEOUT, closing).await;
    }
}

/// Declares the queues, and opens the channels to publish on.
async fn open_publishing(
    connection: &Connection,
    options: &Options,
    declaration: Declaration,
) -> lapin::Result<Vec<PublishChannel>> {
    let channel = connection.create_channel().await?;
    topology::dead(options).declare(&channel, &options.dead_queue()).await?;
    declaration.declare(&channel, &options.queue).await?;
    let mut publish = Vec::with_capacity(PUBLISH_CHANNELS);
    for _ in 0..PUBLISH_CHANNELS {
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        publish.push(PublishChannel { channel, nacks: Nacks::new() });
    }
    Ok(publish)
}

/// The stream's next item.
pub(super) async fn next<S: Stream + ?Sized>(mut stream: Pin<&mut S>) -> Option<S::Item> {
    std::future::poll_fn(|context| stream.as_mut().poll_next(context)).await
}
