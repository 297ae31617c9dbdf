//! Why a server could not start or had to stop.

use std::io;
use std::path::PathBuf;

use crate::journal::JournalError;
use crate::queue::ConnectError;
use crate::store::{RedisError, StoreError};

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
    /// The broker of the queue cannot be used.
    #[error(transparent)]
    Queue(#[from] ConnectError),
    /// The Redis server of the store cannot be used.
    #[error(transparent)]
    Store(#[from] RedisError),
    /// The data dir is one of an earlier version.
    #[error(
        "{} was written by an earlier version, which had two journals: let that version decide \
         what is queued, and give this one another --data",
        path.display()
    )]
    EarlierJournal {
        /// One of the two journals.
        path: PathBuf,
    },
    /// The sale could not be opened.
    #[error("cannot open the sale")]
    Sale(#[from] StoreError),
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: {cause}; give another address (--listen or SECKILL_LISTEN), \
         such as 127.0.0.1:7001, or port 0 for a free one"
    )]
    Listen {
        /// The address.
        address: String,
        /// The system's error.
        cause: io::Error,
    },
    /// The thread that decides could not be started.
    #[error(
        "cannot start the thread that decides: {0}; allow this user more threads (ulimit -u) and \
         open files (ulimit -n)"
    )]
    Thread(io::Error),
    /// The disk failed while serving.
    #[error(
        "stopped, because accepted attempts can no longer be written: {0}. Unless its \
         files were deleted or cut, everything that was answered is in the data folder: make room, \
         repair the disk, or put the files back where they were, then start again on the same \
         folder"
    )]
    Disk(String),
}
