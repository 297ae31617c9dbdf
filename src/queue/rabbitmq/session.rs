//! One connection while it lasts: its channels, and what is declared on it.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_core::Stream;
use lapin::options::{ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, Event};
use tokio::sync::Notify;

use super::connect::{ConnectError, connect, declare_error, silent};
use super::options::Options;
use super::topology::{self, Declaration};

/// Channels that are published on, in turn: RabbitMQ handles a channel in one process of its own.
const PUBLISH_CHANNELS: usize = 4;

/// How long the broker may take for a question.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Longest frame, in bytes: RabbitMQ's default.
const FRAME_MAX: u32 = 131_072;

/// See the module.
#[derive(Debug)]
pub(super) struct Session {
    connection: Connection,
    publish: Vec<Channel>,
    turn: AtomicUsize,
    given_up: Notify,
}

impl Session {
    /// Connects, declares the queue as given and the one of its dead letters, and opens the
    /// channels to publish on.
    pub(super) async fn open(
        options: &Options,
        declaration: Declaration,
    ) -> Result<Self, ConnectError> {
        let connection = connect(options, FRAME_MAX).await?;
        let opening = async {
            let channel = connection.create_channel().await?;
            topology::dead().declare(&channel, &options.dead_queue()).await?;
            declaration.declare(&channel, &options.queue).await?;
            let mut publish = Vec::with_capacity(PUBLISH_CHANNELS);
            for _ in 0..PUBLISH_CHANNELS {
                let channel = connection.create_channel().await?;
                channel.confirm_select(ConfirmSelectOptions::default()).await?;
                publish.push(channel);
            }
            Ok(publish)
        };
        let publish = match tokio::time::timeout(options.connect_timeout, opening).await {
            Ok(opened) => opened.map_err(|error| declare_error(options, &error))?,
            Err(_) => return Err(silent(options)),
        };
        let (turn, given_up) = (AtomicUsize::new(0), Notify::new());
        Ok(Self { connection, publish, turn, given_up })
    }

    /// A channel to publish on.
    pub(super) fn publish_channel(&self) -> &Channel {
        &self.publish[self.turn.fetch_add(1, Ordering::Relaxed) % self.publish.len()]
    }

    /// A channel of the caller's own.
    pub(super) async fn channel(&self) -> lapin::Result<Channel> {
        self.connection.create_channel().await
    }

    /// Whether the broker asked for no more messages.
    pub(super) fn is_blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    pub(super) async fn depth(&self, options: &Options) -> Option<usize> {
        let asking = async {
            // A channel of its own: a queue that is gone ends the channel that asks for it.
            let channel = self.channel().await.ok()?;
            let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
            let name = options.queue.as_str().into();
            let queue = channel.queue_declare(name, passive, FieldTable::default()).await.ok()?;
            // What it says has been said; a failing goodbye changes nothing.
            let _ = channel.close(0, "asked".into()).await;
            usize::try_from(queue.message_count()).ok()
        };
        tokio::time::timeout(ANSWER_TIMEOUT, asking).await.ok()?
    }

    /// Says that this session is of no use any more.
    pub(super) fn give_up(&self) {
        self.given_up.notify_one();
    }

    /// Resolves with the reason when the connection is lost, or was given up.
    pub(super) async fn ended(&self) -> String {
        let mut events = Box::pin(self.connection.events_listener());
        loop {
            if !self.connection.status().connected() {
                return "the connection is closed".to_owned();
            }
            tokio::select! {
                event = next(events.as_mut()) => match event {
                    Some(Event::Error(error)) => return error.to_string(),
                    Some(Event::ConnectionBlocked(reason)) => {
                        tracing::warn!(reason, "the broker takes no more messages for now");
                    }
                    Some(Event::ConnectionUnblocked) => {
                        tracing::info!("the broker takes messages again");
                    }
                    Some(_) => {}
                    None => return "the connection is closed".to_owned(),
                },
                () = self.given_up.notified() => return "a channel failed".to_owned(),
            }
        }
    }

    pub(super) async fn close(&self) {
        let closing = self.connection.close(200, "bye".into());
        // Whatever comes of it, nothing more is expected of this connection.
        let _ = tokio::time::timeout(ANSWER_TIMEOUT, closing).await;
    }
}

/// The stream's next item.
pub(super) async fn next<S: Stream + ?Sized>(mut stream: Pin<&mut S>) -> Option<S::Item> {
    std::future::poll_fn(|context| stream.as_mut().poll_next(context)).await
}
