//! The steps of using a broker that can be replaced, each chosen once when the queue is opened.
//!
//! This file offers the choices and their standard forms; it knows none of the replacements.

use std::pin::Pin;

use lapin::{BasicProperties, Channel};

use super::super::PublishError;
use super::confirmed;
use super::message::{self, Message};
use super::options::Options;
use super::topology::{self, Declaration};

/// The future of a publish.
pub(super) type Publishing<'a> =
    Pin<Box<dyn Future<Output = Result<(), PublishError>> + Send + 'a>>;

/// How a broker is used.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steps {
    /// How the queue is declared.
    pub(super) declaration: fn(&Options) -> Declaration,
    /// The properties of a message with this id.
    pub(super) properties: fn(&str) -> BasicProperties,
    /// How a message is sent on a channel.
    pub(super) sending: Sending,
    /// On which connection a message is published.
    pub(super) connection: Connecting,
}

/// How a message is sent on a channel.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sending {
    /// On a channel in confirm mode, and the broker's confirm is awaited.
    Confirmed,
    /// In another way, on a channel that need not be in confirm mode.
    Replaced(for<'a> fn(&'a Channel, &'a Message) -> Publishing<'a>),
}

/// On which connection a message is published.
#[derive(Debug, Clone, Copy)]
pub(super) enum Connecting {
    /// On the connection of the process that publishes.
    Shared,
    /// In another way.
    Replaced(for<'a> fn(&'a Options, Sending, Message) -> Publishing<'a>),
}

impl Default for Steps {
    fn default() -> Self {
        Self {
            declaration: topology::durable,
            properties: message::persistent,
            sending: Sending::Confirmed,
            connection: Connecting::Shared,
        }
    }
}

impl Sending {
    pub(super) async fn send(
        self,
        channel: &Channel,
        message: &Message,
    ) -> Result<(), PublishError> {
        match self {
            Self::Confirmed => confirmed::send(channel, message).await,
            Self::Replaced(send) => send(channel, message).await,
        }
    }
}
