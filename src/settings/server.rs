//! Settings of a server.

use serde::{Deserialize, Serialize};

/// When a record on disk counts as committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// After `fdatasync`: survives a power cut
    #[default]
    Fsync,
    /// After `write`: survives the end of the process, not of the machine
    Os,
    /// Immediately, before it is written: survives nothing
    None,
}

/// The type of a RabbitMQ queue, as its documentation on queue types describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum QueueType {
    /// On one node, durable
    #[default]
    Classic,
    /// Replicated over a cluster, with its own delivery limit
    Quorum,
}

/// The order in which a waiting room admits tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum RoomOrder {
    /// In the order in which they were taken
    FirstCome,
    /// Those of before the opening in an order that is drawn, then the others as they come
    Shuffled,
}

/// What a server process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Accepts and decides attempts
    #[default]
    All,
    /// Accepts attempts, which other processes decide
    Api,
    /// Decides attempts that other processes accept
    Consumer,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text for people
    #[default]
    Text,
    /// One JSON object per line
    Json,
}
