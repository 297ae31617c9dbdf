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
    /// The kernel's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Epoll => "epoll",
            Self::Uring => "io_uring",
        }
    }

    /// The word in flags and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Epoll => "epoll",
            Self::Uring => "uring",
        }
    }
}
