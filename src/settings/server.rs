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
    /// At once, before it is written: survives nothing
    None,
}

/// Which of RabbitMQ's queues: see its documentation on queue types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum QueueType {
    /// On one node, durable
    #[default]
    Classic,
    /// Replicated over a cluster, with a delivery limit of its own
    Quorum,
}

/// What a server process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Accepts and decides
    #[default]
    All,
    /// Accepts, and leaves the deciding to others
    Api,
    /// Decides what others accept
    Consumer,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}
