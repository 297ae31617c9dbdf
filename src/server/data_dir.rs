//! The data folder: one server at a time, and the admin token.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::ids::RequestId;
use crate::journal::sync_parent;
use crate::secret::Secret;

/// Name of the file, in the data folder, that holds a token which the server made.
const TOKEN_FILE: &str = "admin-token";

/// Longest token file that is read, in bytes.
const TOKEN_LEN_MAX: u64 = 1024;

/// An open data folder, locked against a second server for as long as this lives.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    /// Holds the lock, if the folder is this process's alone.
    _lock: Option<File>,
}

/// Why the data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// It cannot be made or written.
    #[error(
        "cannot use the data folder {}: {cause}; give one that you may write with --data",
        path.display()
    )]
    Io {
        /// The folder or the file in it.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Another server has it.
    #[error(
        "another server{} uses the data folder {}: stop it, or give another --data",
        holder(*pid),
        path.display()
    )]
    Locked {
        /// The folder.
        path: PathBuf,
        /// The other server's process, if it said so.
        pid: Option<u32>,
    },
}

fn holder(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
}

impl DataFolder {
    /// Makes the folder where there is none, and locks it.
    ///
    /// # Errors
    /// When it cannot be written, or another server has it.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let io_error = |cause| DataError::Io { path: path.to_owned(), cause };
        make_folder(path).map_err(io_error)?;
        let lock_path = path.join("lock");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut lock = options.open(lock_path).map_err(io_error)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Only for the message: without it, the message says less.
                let _ = (&lock).take(TOKEN_LEN_MAX).read_to_string(&mut text);
                let pid = text.trim().parse().ok();
                return Err(DataError::Locked { path: path.to_owned(), pid });
            }
            Err(TryLockError::Error(cause)) => return Err(io_error(cause)),
        }
        lock.set_len(0).map_err(io_error)?;
        writeln!(lock, "{}", std::process::id()).map_err(io_error)?;
        Ok(Self { path: path.to_owned(), _lock: Some(lock) })
    }

    /// Makes the folder where there is none, for a server whose engines are elsewhere: others may
    /// use it as well.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn share(path: &Path) -> Result<Self, DataError> {
        make_folder(path).map_err(|cause| DataError::Io { path: path.to_owned(), cause })?;
        Ok(Self { path: path.to_owned(), _lock: None })
    }

    /// The path of a file in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The token that the folder holds; makes one, readable for its owner alone, where there is
    /// none.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn admin_token(&self) -> Result<Secret, DataError> {
        let path = self.file(TOKEN_FILE);
        if let Some(token) = read_token(&path).map_err(|cause| self.error(cause))? {
            return Ok(Secret(token));
        }
        // Two random UUIDs: 244 random bits from the system's generator.
        let [a, b] = [RequestId::random().0.simple(), RequestId::random().0.simple()];
        let token = format!("{a}{b}");
        let fresh = self.file(&format!("admin-token.{}", std::process::id()));
        let write = || -> io::Result<()> {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(0o600);
            let mut file = options.open(&fresh)?;
            writeln!(file, "{token}")?;
            file.sync_all()?;
            // Unlike a rename, a link leaves what another process was faster to write.
            let linked = fs::hard_link(&fresh, &path);
            fs::remove_file(&fresh)?;
            match linked {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                _ => sync_parent(&path),
            }
        };
        write().map_err(|cause| self.error(cause))?;
        let token = read_token(&path).map_err(|cause| self.error(cause))?;
        // Only an empty file that somebody else left has none.
        token.map(Secret).ok_or_else(|| self.error(io::Error::other("admin-token is empty")))
    }

    fn error(&self, cause: io::Error) -> DataError {
        DataError::Io { path: self.path.clone(), cause }
    }
}

/// Makes a folder, and the names of all folders that this makes durable.
fn make_folder(path: &Path) -> io::Result<()> {
    let missing = path.ancestors().take_while(|folder| !folder.exists());
    let made: Vec<_> = missing.filter(|folder| !folder.as_os_str().is_empty()).collect();
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    for folder in made {
        sync_parent(folder)?;
    }
    Ok(())
}

fn read_token(path: &Path) -> io::Result<Option<String>> {
    let mut token = String::new();
    match File::open(path) {
        Ok(file) => file.take(TOKEN_LEN_MAX).read_to_string(&mut token)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let token = token.trim();
    Ok((!token.is_empty()).then(|| token.to_owned()))
}
