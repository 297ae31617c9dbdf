//! How the load generator talks to the kernel.

use serde::{Deserialize, Serialize};

/// How the load generator talks to the kernel about its connections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Io {
    /// epoll, with a call for each send and each receive
    #[default]
    Epoll,
    /// io_uring, with a call for all sends of a turn of the loop
    Uring,
}

impl Io {
    /// The word in flags and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Epoll => "epoll",
            Self::Uring => "uring",
        }
    }
}
