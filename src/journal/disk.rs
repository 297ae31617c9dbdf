//! What a journal needs of a file system. The system's own is [`SystemDisk`]; a simulation has
//! another one, which loses what was not synced.
//!
//! [`SystemDisk`]: super::SystemDisk

use std::io;
use std::thread::JoinHandle;

use super::folder::Folder;
use super::writer::Writer;

/// A file system with journals.
pub trait Disk: Folder {
    /// Has the writer of a journal commit what is due, from now until the journal is closed.
    ///
    /// # Errors
    /// When no thread can be started for it.
    fn run(&self, writer: Writer) -> io::Result<Option<JoinHandle<()>>>;
}
