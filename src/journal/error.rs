//! Why a journal could not be opened.

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
        /// What the system said.
        cause: io::Error,
    },
    /// The file is not a journal of this version.
    #[error("{}: not a journal of this version; give another --data folder", path.display())]
    Foreign {
        /// The journal's file.
        path: PathBuf,
    },
    /// Committed records are damaged: cutting them would lose what was promised.
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
        /// The sequence number it should have.
        seq: u64,
    },
    /// A record's content is not what its owner writes.
    #[error("{}: record {seq} at byte {offset} is not understood: {reason}", path.display())]
    Content {
        /// The journal's file.
        path: PathBuf,
        /// Where the record begins.
        offset: u64,
        /// Its sequence number.
        seq: u64,
        /// What its owner said of it.
        reason: String,
    },
}
