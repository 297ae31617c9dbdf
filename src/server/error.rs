//! Why a server could not start or had to stop.

use std::io;
use std::path::PathBuf;

use crate::journal::JournalError;
use crate::queue;
use crate::store::{self, RedisError, StoreError};

use super::data_dir::DataError;

/// Why a server could not start or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The data dir cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The broker cannot be used.
    #[error(transparent)]
    Broker(#[from] queue::ConnectError),
    /// The Redis server cannot be used.
    #[error(transparent)]
    Redis(#[from] RedisError),
    /// One of the two journals is missing.
    #[error(
        "{} is missing though {} is there: restore it from a copy, or give another --data",
        lost.display(),
        left.display()
    )]
    Half {
        /// The missing journal.
        lost: PathBuf,
        /// The existing journal.
        left: PathBuf,
    },
    /// The sale could not be opened.
    #[error("cannot open the sale")]
    Store(#[from] StoreError),
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: {cause}; give another address with --listen, or port 0 \
         for a free one"
    )]
    Listen {
        /// The address.
        address: String,
        /// The system's error.
        cause: io::Error,
    },
    /// The disk failed while serving.
    #[error(
        "stopped, because accepted attempts can no longer be written: {0}. Everything that was \
         answered is safe; make room or repair the disk, then start again on the same folder"
    )]
    Disk(String),
}

impl From<queue::OpenError> for ServeError {
    fn from(error: queue::OpenError) -> Self {
        match error {
            queue::OpenError::Journal(error) => Self::Journal(error),
            queue::OpenError::Broker(error) => Self::Broker(error),
        }
    }
}

impl From<store::OpenError> for ServeError {
    fn from(error: store::OpenError) -> Self {
        match error {
            store::OpenError::Journal(error) => Self::Journal(error),
            store::OpenError::Redis(error) => Self::Redis(error),
        }
    }
}
