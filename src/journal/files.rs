//! Journals as files: making an empty one, and whether one was used.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::folder::unfinished;
use super::frame::{FILE_HEADER_LEN, FileHeader};
use super::{Disk, JournalError, SystemDisk};

/// Creates an empty journal at `path`, atomically and durably. Its first record will have the
/// sequence number `first_seq`.
///
/// # Errors
/// Returns an error when the file or its folder cannot be written.
pub fn create(path: &Path, first_seq: u64) -> Result<(), JournalError> {
    create_on(&SystemDisk, path, first_seq)
}

/// Like [`create`], on another disk.
///
/// # Errors
/// Returns an error when the file or its folder cannot be written.
pub fn create_on(disk: &dyn Disk, path: &Path, first_seq: u64) -> Result<(), JournalError> {
    let fresh = unfinished(path);
    let header = FileHeader { first_seq, kept_len: 0 };
    let write = || -> io::Result<()> {
        let mut file = disk.create(&fresh)?;
        file.write_all(&header.encode())?;
        file.sync_all()?;
        disk.rename(&fresh, path)?;
        disk.sync_parent(path)
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
        File::open(path)?.take(FILE_HEADER_LEN as u64 + 1).read_to_end(&mut header)?;
        Ok(header != FileHeader { first_seq: 0, kept_len: 0 }.encode())
    };
    match read() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        read => read.map_err(|cause| JournalError::Io { path: path.to_owned(), cause }),
    }
}
