//! Why a journal could not be opened, or a record not be committed.

use std::io;
use std::path::PathBuf;

/// Why a journal could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file could not be read or written.
    #[error("{}: {cause}", path.display())]
    Io {
        /// The journal's file.
        path: PathBuf,
        /// The system's error.
        cause: io::Error,
    },
    /// Another process has the journal open.
    #[error("another server uses {}: stop it, or give another --data folder", path.display())]
    Locked {
        /// The journal's file.
        path: PathBuf,
    },
    /// The file is not a journal of this version.
    #[error(
        "{}: not a journal of this version: restore it from a copy, or give another --data folder",
        path.display()
    )]
    Foreign {
        /// The journal's file.
        path: PathBuf,
    },
    /// Committed records are damaged: cutting them would lose accepted attempts or decisions.
    #[error(
        "{}: damaged at byte {offset}: record {seq} does not match its checksum, and it is no \
         torn tail. Restore the file from a copy; nothing was changed",
        path.display()
    )]
    Damaged {
        /// The journal's file.
        path: PathBuf,
        /// Where the damaged record begins.
        offset: u64,
        /// The sequence number that it should have.
        seq: u64,
    },
    /// A record is intact, but its owner cannot parse it.
    #[error("{}: record {seq} at byte {offset} is not understood: {reason}", path.display())]
    Content {
        /// The journal's file.
        path: PathBuf,
        /// Where the record begins.
        offset: u64,
        /// Its sequence number.
        seq: u64,
        /// The owner's reason.
        reason: String,
    },
}

/// The disk failed before the record was known to be durable, so it may be in the journal or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the journal could not be written: whether the record is in it is unknown")]
pub struct CommitError;
