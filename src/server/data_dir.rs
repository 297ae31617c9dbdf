//! The data dir: used by one server at a time; it holds the journals, the admin token, and the
//! secret of the waiting room.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::ids::RequestId;
use crate::journal::{LockedFile, sync_parent};
use crate::secret::Secret;

/// Name of the file in the data dir that holds a generated token.
const TOKEN_FILE: &str = "admin-token";

/// Name of the file in the data dir that holds a generated secret of the waiting room.
const ROOM_FILE: &str = "waiting-room-secret";

/// How much is read of the token file and of the lock file, in bytes.
const TEXT_LEN_MAX: u64 = 1024;

/// An open data dir, locked against a second server until it is dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// Holds the lock, unless the data dir is shared.
    _lock: Option<LockedFile>,
}

/// Why the data dir cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// It cannot be created or written.
    #[error(
        "cannot use the data folder {}: {cause}; {}",
        path.display(),
        cure(cause)
    )]
    Io {
        /// The folder or the file in it.
        path: PathBuf,
        /// The system's error.
        cause: io::Error,
    },
    /// A secret in it cannot be read.
    #[error(
        "cannot read {}: {cause}; let it hold the secret alone, as text that you may read, or \
         remove it, and the next start generates another one",
        path.display()
    )]
    Secret {
        /// The file.
        path: PathBuf,
        /// The system's error.
        cause: io::Error,
    },
    /// Another server uses it.
    #[error(
        "another server{} uses the data folder {}: stop it, or give another --data",
        holder(*pid),
        path.display()
    )]
    Locked {
        /// The data dir.
        path: PathBuf,
        /// The other server's process id, if the lock file has it.
        pid: Option<u32>,
    },
}

/// What to do about the system's error.
fn cure(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "make room, and start again on the same folder"
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            "have it mounted for writing, or give another one with --data for a fresh sale"
        }
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            "it is no folder: give one with --data"
        }
        _ => "give one that you may write with --data",
    }
}

fn holder(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
}

impl DataDir {
    /// Creates the data dir if it does not exist, and locks it.
    ///
    /// # Errors
    /// Returns an error when it cannot be written, or another server uses it.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let io_error = |cause| DataError::Io { path: path.to_owned(), cause };
        create_folder(path).map_err(io_error)?;
        let lock_path = path.join("lock");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let lock = options.open(&lock_path).map_err(io_error)?;
        let mut lock = LockedFile::new(lock).map_err(|error| match error {
            TryLockError::WouldBlock => {
                // The process id is only for the message, which does without if this fails.
                let text = read_text(&lock_path).ok().flatten();
                let pid = text.and_then(|text| text.parse().ok());
                DataError::Locked { path: path.to_owned(), pid }
            }
            TryLockError::Error(cause) => io_error(cause),
        })?;
        lock.set_len(0).map_err(io_error)?;
        writeln!(lock, "{}", std::process::id()).map_err(io_error)?;
        Ok(Self { path: path.to_owned(), _lock: Some(lock) })
    }

    /// Creates the data dir if it does not exist, without a lock: for a server whose engines are
    /// elsewhere, so that several servers can share it.
    ///
    /// # Errors
    /// Returns an error when it cannot be written.
    pub fn share(path: &Path) -> Result<Self, DataError> {
        create_folder(path).map_err(|cause| DataError::Io { path: path.to_owned(), cause })?;
        Ok(Self { path: path.to_owned(), _lock: None })
    }

    /// The path of a file in the data dir.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The token in the data dir. If there is none, it is generated, readable by its owner only.
    ///
    /// # Errors
    /// Returns an error when it cannot be read or written.
    pub fn admin_token(&self) -> Result<Secret, DataError> {
        self.secret(TOKEN_FILE)
    }

    /// The secret in the data dir that signs the tickets of the waiting room, as with
    /// [`Self::admin_token`].
    ///
    /// # Errors
    /// Returns an error when it cannot be read or written.
    pub fn waiting_room_secret(&self) -> Result<Secret, DataError> {
        self.secret(ROOM_FILE)
    }

    fn secret(&self, name: &str) -> Result<Secret, DataError> {
        let path = self.file(name);
        let unreadable = |cause| DataError::Secret { path: path.clone(), cause };
        if let Some(token) = read_text(&path).map_err(unreadable)? {
            return Ok(Secret(token));
        }
        // Two random UUIDs: 244 random bits from the system's generator.
        let [a, b] = [RequestId::random().0.simple(), RequestId::random().0.simple()];
        let token = format!("{a}{b}");
        let fresh = self.file(&format!("{name}.{}", std::process::id()));
        let write = || -> io::Result<()> {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(0o600);
            let mut file = options.open(&fresh)?;
            writeln!(file, "{token}")?;
            file.sync_all()?;
            // Unlike a rename, a hard link keeps a token that another process wrote first.
            let linked = fs::hard_link(&fresh, &path);
            fs::remove_file(&fresh)?;
            match linked {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                _ => sync_parent(&path),
            }
        };
        write().map_err(|cause| self.error(cause))?;
        let token = read_text(&path).map_err(unreadable)?;
        // The token is missing only if another program left an empty file.
        let empty = || unreadable(io::Error::other("it is empty"));
        token.map(Secret).ok_or_else(empty)
    }

    fn error(&self, cause: io::Error) -> DataError {
        DataError::Io { path: self.path.clone(), cause }
    }
}

/// Creates a folder with its parents, and makes their names durable.
fn create_folder(path: &Path) -> io::Result<()> {
    let missing = path.ancestors().take_while(|folder| !folder.exists());
    let created: Vec<_> = missing.filter(|folder| !folder.as_os_str().is_empty()).collect();
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    for folder in created {
        sync_parent(folder)?;
    }
    Ok(())
}

/// The text of a small file, without white space around it; `None` if there is no file or no text.
fn read_text(path: &Path) -> io::Result<Option<String>> {
    let mut text = String::new();
    match File::open(path) {
        Ok(file) => file.take(TEXT_LEN_MAX).read_to_string(&mut text)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let text = text.trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}
