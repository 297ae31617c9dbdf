//! The flaw `transient-queue`: messages that wait are lost when the broker restarts.

use lapin::BasicProperties;
use lapin::options::QueueDeclareOptions;

use super::super::options::Options;
use super::super::topology::{Declaration, dead_lettered};

/// A queue that is not durable.
pub(super) fn declaration(options: &Options) -> Declaration {
    Declaration { options: QueueDeclareOptions::default(), arguments: dead_lettered(options) }
}

/// Properties of a message that the broker keeps in memory only.
pub(super) fn properties(message_id: &str) -> BasicProperties {
    BasicProperties::default().with_message_id(message_id.into())
}
