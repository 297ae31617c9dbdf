//! An append-only log of records with group commit.
//!
//! A record is durable when its [`Commit`] resolves: one writer thread takes whatever waits,
//! writes it in one go, calls `fdatasync` once, and releases all who waited. On opening, a torn
//! tail is cut, and damage in the middle is refused with its offset. The file's format is in
//! `frame.rs`.

mod frame;
mod recover;
mod writer;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

pub use crate::settings::Durability;
pub use frame::RECORD_LEN_MAX;
pub use writer::{AppendError, Commit, CommitError, Journal};

/// Most bytes that wait for one commit, and so the longest tail that a crash can tear.
pub const BATCH_BYTES_MAX: usize = 16 << 20;

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

/// Puts an empty journal at `path` in one step, durably; its first record will get the sequence
/// number `first_seq`.
///
/// # Errors
/// When the file or its folder cannot be written.
pub fn create(path: &Path, first_seq: u64) -> Result<(), JournalError> {
    let fresh = path.with_extension("new");
    let write = || -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&fresh)?;
        file.write_all(&frame::file_header(first_seq))?;
        file.sync_all()?;
        fs::rename(&fresh, path)?;
        sync_parent(path)
    };
    write().map_err(|cause| JournalError::Io { path: path.to_owned(), cause })
}

/// Whether there is a journal at `path` that has, or once had, a record.
///
/// # Errors
/// When it cannot be read.
pub fn is_used(path: &Path) -> Result<bool, JournalError> {
    let read = || -> io::Result<bool> {
        let mut header = Vec::new();
        File::open(path)?.take(frame::FILE_HEADER_LEN as u64 + 1).read_to_end(&mut header)?;
        Ok(header != frame::file_header(0))
    };
    match read() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        read => read.map_err(|cause| JournalError::Io { path: path.to_owned(), cause }),
    }
}

/// Makes a file's or folder's name durable: it is in the folder above, which has to be synced too.
///
/// # Errors
/// When that folder cannot be synced.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}
