//! One connection while it lasts: its channels, and what is declared on it.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_core::Stream;
use lapin::options::{ConfirmSelectOptions, QueueDeclareOptions};
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionProperties, Event};
use tokio::sync::Notify;

use crate::flaws::Flaw;

use super::options::Options;
use super::{topology, transient_queue};

/// Channels that are published on, in turn: RabbitMQ handles a channel in one process of its own.
const PUBLISH_CHANNELS: usize = 4;

/// How long the broker may take for a question.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Seconds between heartbeats: twice that without a sign of life is a lost connection.
const HEARTBEAT_S: u16 = 10;

/// Longest frame, in bytes: RabbitMQ's default.
const FRAME_MAX: u32 = 131_072;

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address is not of the form that is needed.
    #[error("--queue: not an AMQP address: write amqp://user:password@host:5672/vhost ({0})")]
    Address(String),
    /// Nobody there, or not a broker.
    #[error(
        "cannot connect to the broker at {url}: {problem}; start RabbitMQ there, give another \
         --queue, or run under `seckill lab --`"
    )]
    Broker {
        /// Where.
        url: String,
        /// What the client said.
        problem: String,
    },
    /// The queue cannot be declared.
    #[error(transparent)]
    Declare(#[from] DeclareError),
}

/// Why the queue cannot be declared.
#[derive(Debug, thiserror::Error)]
pub enum DeclareError {
    /// There is one of this name with other properties.
    #[error(
        "the broker has a queue `{queue}` with other properties ({problem}): give the --max-queue, \
         --queue-type and --design it was made with, another --queue-name, or delete it"
    )]
    Other {
        /// Its name.
        queue: String,
        /// What the broker said.
        problem: String,
    },
    /// Something else.
    #[error("the broker does not declare the queue `{queue}`: {problem}")]
    Refused {
        /// Its name.
        queue: String,
        /// What the broker said.
        problem: String,
    },
}

/// See the module.
#[derive(Debug)]
pub(super) struct Session {
    connection: Connection,
    publish: Vec<Channel>,
    turn: AtomicUsize,
    given_up: Notify,
}

impl Session {
    pub(super) async fn open(options: &Options) -> Result<Self, ConnectError> {
        let connection = connect(options, FRAME_MAX).await?;
        let opening = async {
            let channel = connection.create_channel().await?;
            topology::declare_dead(&channel, options).await?;
            if options.flaws.has(Flaw::TransientQueue) {
                transient_queue::declare(&channel, options).await?;
            } else {
                topology::declare(&channel, options).await?;
            }
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

/// Opens a connection within its time; the client keeps buffers for 64 frames of the length given.
pub(super) async fn connect(options: &Options, frame_max: u32) -> Result<Connection, ConnectError> {
    let mut uri: lapin::uri::AMQPUri =
        options.url.expose().parse().map_err(ConnectError::Address)?;
    uri.query.heartbeat.get_or_insert(HEARTBEAT_S);
    uri.query.frame_max.get_or_insert(frame_max);
    let name = format!("seckill {}", std::process::id());
    let properties = ConnectionProperties::default().with_connection_name(name.as_str().into());
    let connecting = Connection::connect_uri(uri, properties);
    match tokio::time::timeout(options.connect_timeout, connecting).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => {
            let (url, problem) = (options.url.to_string(), meaning(options, &error));
            Err(ConnectError::Broker { url, problem })
        }
        Err(_) => Err(silent(options)),
    }
}

/// What a failed connection means.
fn meaning(options: &Options, error: &lapin::Error) -> String {
    #[cfg(not(feature = "tls"))]
    let _ = options;
    match error.kind() {
        lapin::ErrorKind::ParsingError(_) | lapin::ErrorKind::InvalidProtocolVersion(_) => {
            "what answers there does not speak AMQP 0-9-1".to_owned()
        }
        #[cfg(feature = "tls")]
        lapin::ErrorKind::IOError(error)
            if options.url.scheme() == "amqps" && error.get_ref().is_some() =>
        {
            crate::tls::explain(error)
        }
        lapin::ErrorKind::IOError(error) => error.to_string(),
        lapin::ErrorKind::ProtocolError(error) => {
            format!("it refuses user, password or vhost ({error})")
        }
        _ => error.to_string(),
    }
}

fn silent(options: &Options) -> ConnectError {
    let problem = format!("no answer within {:?}", options.connect_timeout);
    ConnectError::Broker { url: options.url.to_string(), problem }
}

fn declare_error(options: &Options, error: &lapin::Error) -> DeclareError {
    let (queue, problem) = (options.queue.clone(), error.to_string());
    let precondition = matches!(
        error.kind(),
        lapin::ErrorKind::ProtocolError(error)
            if *error.kind() == AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED)
    );
    if precondition {
        DeclareError::Other { queue, problem }
    } else {
        DeclareError::Refused { queue, problem }
    }
}

/// The stream's next item.
pub(super) async fn next<S: Stream + ?Sized>(mut stream: Pin<&mut S>) -> Option<S::Item> {
    std::future::poll_fn(|context| stream.as_mut().poll_next(context)).await
}
