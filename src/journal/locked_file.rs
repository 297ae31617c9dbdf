//! A file that is locked against other processes.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::{Deref, DerefMut};

/// A file with an exclusive lock, which is released when this is dropped.
///
/// Closing the file would release it later if a child process is being started: until it becomes
/// another program, a child has all files of its parent open, and the lock belongs to all of them.
#[derive(Debug)]
pub struct LockedFile(File);

impl LockedFile {
    /// Locks a file.
    ///
    /// # Errors
    /// Returns an error when another process has locked it, or the system cannot lock it.
    pub fn new(file: File) -> Result<Self, TryLockError> {
        file.try_lock()?;
        Ok(Self(file))
    }
}

impl Deref for LockedFile {
    type Target = File;

    fn deref(&self) -> &File {
        &self.0
    }
}

impl DerefMut for LockedFile {
    fn deref_mut(&mut self) -> &mut File {
        &mut self.0
    }
}

impl Read for LockedFile {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.read(bytes)
    }
}

impl Write for LockedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Seek for LockedFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl Drop for LockedFile {
    fn drop(&mut self) {
        // If this fails, closing the file still releases the lock.
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // In a test, that is an assertion.
mod tests {
    use super::*;

    #[test]
    fn lock_is_released_while_a_child_still_has_the_file_open() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let open = || File::open(file.path()).unwrap();
        let locked = LockedFile::new(open()).unwrap();
        assert!(matches!(LockedFile::new(open()), Err(TryLockError::WouldBlock)));
        let inherited = locked.try_clone().unwrap();
        drop(locked);
        LockedFile::new(open()).unwrap();
        drop(inherited);
    }
}
