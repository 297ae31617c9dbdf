//! What a journal needs of the folder that it is in.

use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};

use super::disk_file::DiskFile;

/// Where the file is written that will take the place of the one at `path`.
pub(super) fn unfinished(path: &Path) -> PathBuf {
    path.with_extension("new")
}

/// Files and their names.
pub trait Folder: Debug + Send + Sync {
    /// Opens a file to read and write, and locks it against other processes; `None` if there is
    /// none.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when another process has locked it.
    fn open(&self, path: &Path) -> io::Result<Option<Box<dyn DiskFile>>>;

    /// Opens a file to read, while it is written elsewhere.
    ///
    /// # Errors
    /// When the file system refuses it.
    fn read(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Creates an empty file, locked against other processes, in place of one that may be there.
    /// Other users may not read it.
    ///
    /// # Errors
    /// When the file system refuses it.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Gives a file another name, in place of a file that may have it.
    ///
    /// # Errors
    /// When the file system refuses it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Bytes that can still be written to the file system of this file.
    ///
    /// # Errors
    /// When the file system does not say so.
    fn free(&self, path: &Path) -> io::Result<u64>;

    /// Removes a file, if it is there.
    ///
    /// # Errors
    /// When the file system refuses it.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the name of a file durable.
    ///
    /// # Errors
    /// When the file system refuses it.
    fn sync_parent(&self, path: &Path) -> io::Result<()>;
}
