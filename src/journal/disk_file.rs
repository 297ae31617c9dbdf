//! What a journal needs of its open file.

use std::fmt::Debug;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

/// An open file. It is written at its position.
pub trait DiskFile: Read + Write + Seek + Debug + Send {
    /// Its length in bytes.
    ///
    /// # Errors
    /// When the file system refuses it.
    fn size(&self) -> io::Result<u64>;

    /// Cuts it.
    ///
    /// # Errors
    /// When the file system refuses it.
    fn set_size(&mut self, size: u64) -> io::Result<()>;

    /// Makes its content durable.
    ///
    /// # Errors
    /// When it is not known to be.
    fn sync_data(&mut self) -> io::Result<()>;

    /// Makes its content and what is known of it durable.
    ///
    /// # Errors
    /// When it is not known to be.
    fn sync_all(&mut self) -> io::Result<()>;

    /// Checks that the path still leads to this file.
    ///
    /// # Errors
    /// When it does not.
    fn check_place(&self, path: &Path) -> io::Result<()>;
}
