//! Journals as files: making an empty one, and making names durable.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::{JournalError, frame};

/// Creates an empty journal at `path`, atomically and durably. Its first record will have the
/// sequence number `first_seq`.
///
/// # Errors
/// Returns an error when the file or its folder cannot be written.
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
/// Returns an error when it cannot be read.
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

/// Makes the name of a file or folder durable, by syncing the folder that contains it.
///
/// # Errors
/// Returns an error when that folder cannot be synced.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}
