//! The file system of this machine.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use super::disk::Disk;
use super::disk_file::DiskFile;
use super::folder::Folder;
use super::locked_file::LockedFile;
use super::place;
use super::sync_parent::sync_parent;
use super::writer::Writer;

/// The file system of this machine, and a thread for each journal.
#[derive(Debug)]
pub struct SystemDisk;

impl SystemDisk {
    /// It, as journals hold it.
    pub fn shared() -> Arc<dyn Disk> {
        Arc::new(Self)
    }
}

impl Folder for SystemDisk {
    fn open(&self, path: &Path) -> io::Result<Option<Box<dyn DiskFile>>> {
        if !path.try_exists()? {
            return Ok(None);
        }
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        // The folder has a lock file, too; without it, the journal itself is still locked.
        Ok(Some(locked(file)?))
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(File::open(path)?))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        locked(options.open(path)?)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn free(&self, path: &Path) -> io::Result<u64> {
        let file_system = rustix::fs::statvfs(path)?;
        Ok(file_system.f_bavail.saturating_mul(file_system.f_frsize))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }

    fn sync_parent(&self, path: &Path) -> io::Result<()> {
        sync_parent(path)
    }
}

impl Disk for SystemDisk {
    fn run(&self, mut writer: Writer) -> io::Result<Option<JoinHandle<()>>> {
        let run = move || {
            if catch_unwind(AssertUnwindSafe(|| writer.write_until_closed())).is_err() {
                writer.fail(&io::Error::other("the writer panicked"));
            }
        };
        thread::Builder::new().name("journal".into()).spawn(run).map(Some)
    }
}

fn locked(file: File) -> io::Result<Box<dyn DiskFile>> {
    match LockedFile::new(file) {
        Ok(file) => Ok(Box::new(file)),
        Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

impl DiskFile for File {
    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn set_size(&mut self, size: u64) -> io::Result<()> {
        self.set_len(size)
    }

    fn sync_data(&mut self) -> io::Result<()> {
        File::sync_data(self)
    }

    fn sync_all(&mut self) -> io::Result<()> {
        File::sync_all(self)
    }

    fn check_place(&self, path: &Path) -> io::Result<()> {
        place::check(self, path)
    }
}

impl DiskFile for LockedFile {
    fn size(&self) -> io::Result<u64> {
        (**self).size()
    }

    fn set_size(&mut self, size: u64) -> io::Result<()> {
        (**self).set_size(size)
    }

    fn sync_data(&mut self) -> io::Result<()> {
        File::sync_data(self)
    }

    fn sync_all(&mut self) -> io::Result<()> {
        File::sync_all(self)
    }

    fn check_place(&self, path: &Path) -> io::Result<()> {
        place::check(self, path)
    }
}
