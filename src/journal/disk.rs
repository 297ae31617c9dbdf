//! What a journal needs of a file system. The system's own is [`SystemDisk`]; a simulation has
//! another one, which loses what was not synced.
//!
//! [`SystemDisk`]: super::SystemDisk

use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::thread::JoinHandle;

use super::disk_file::DiskFile;
use super::writer::Writer;

/// A file system with journals.
pub trait Disk: Debug + Send + Sync {
    /// Opens a file to read and write, and locks it against other processes; `None` if there is
    /// none.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when another process has locked it.
    fn open(&self, path: &Path) -> io::Result<Option<Box<dyn DiskFile>>>;

    /// Creates an empty file, in place of one that may be there. Others may not read it.
    ///
    /// # Errors
    /// When the file system refuses it.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Gives a file another name, in place of a file that may have it.
    ///
    /// # Errors
    /// When the file system refuses it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Makes the name of a file durable.
    ///
    /// # Errors
    /// When the file system refuses it.
    fn sync_parent(&self, path: &Path) -> io::Result<()>;

    /// Has the writer of a journal commit what is due, from now until the journal is closed.
    ///
    /// # Errors
    /// When no thread can be started for it.
    fn run(&self, writer: Writer) -> io::Result<Option<JoinHandle<()>>>;
}
