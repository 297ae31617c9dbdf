//! Where the services' programs are.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::error::LabError;

/// A program of a Debian package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Binary {
    name: &'static str,
    package: &'static str,
    /// Whether it is looked for on PATH.
    on_path: bool,
    /// Where it is looked for as well.
    folder: Option<&'static str>,
}

pub(super) const REDIS: Binary =
    Binary { name: "redis-server", package: "redis-server", on_path: true, folder: None };

/// The one on PATH changes user and reads `/etc`; this is the one behind it.
pub(super) const RABBITMQ: Binary = Binary {
    name: "rabbitmq-server",
    package: "rabbitmq-server",
    on_path: false,
    folder: Some("/usr/lib/rabbitmq/bin"),
};

/// Erlang's port mapper, on which RabbitMQ depends, package and all.
pub(super) const EPMD: Binary =
    Binary { name: "epmd", package: "rabbitmq-server", on_path: true, folder: None };

/// In a folder that is not on the PATH of every user.
pub(super) const NGINX: Binary =
    Binary { name: "nginx", package: "nginx", on_path: true, folder: Some("/usr/sbin") };

impl Binary {
    /// The program's file.
    pub(super) fn locate(self) -> Result<PathBuf, LabError> {
        let elsewhere = || self.folder.map(|folder| Path::new(folder).join(self.name));
        let found = if self.on_path { find(self.name) } else { None };
        let found = found.or_else(|| elsewhere().filter(|file| is_program(file)));
        found.ok_or(LabError::NotInstalled { binary: self.name, package: self.package })
    }
}

/// An error that names the Debian package if this service cannot be started here:
/// `redis-server`, `rabbitmq-server` or `nginx`.
///
/// Any other name is one that nothing here can start, and no error.
pub fn check_installed(name: &str) -> Result<(), LabError> {
    let needed: &[Binary] = match name {
        "redis-server" => &[REDIS],
        "rabbitmq-server" => &[RABBITMQ, EPMD],
        "nginx" => &[NGINX],
        _ => &[],
    };
    needed.iter().try_for_each(|binary| binary.locate().map(drop))
}

/// Whether `redis-server`, `rabbitmq-server` or `nginx` can be started here; a test that needs
/// one reports itself as skipped where not.
pub fn is_installed(name: &str) -> bool {
    check_installed(name).is_ok()
}

/// The file that a shell would run for this command: a path as it is, a name from PATH.
pub fn find(command: impl AsRef<OsStr>) -> Option<PathBuf> {
    let command = command.as_ref();
    if command.as_bytes().contains(&b'/') {
        return Some(PathBuf::from(command)).filter(|file| is_program(file));
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(command))
        .find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    file.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
