//! Finding the programs of the services on this machine.
//!
//! It knows which Debian package each comes from, and starts nothing.

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
    /// Whether PATH is searched.
    on_path: bool,
    /// A folder that is searched after PATH.
    folder: Option<&'static str>,
}

pub(super) const REDIS: Binary =
    Binary { name: "redis-server", package: "redis-server", on_path: true, folder: None };

/// The script on PATH changes the user and reads `/etc`; this is the script that it calls.
pub(super) const RABBITMQ: Binary = Binary {
    name: "rabbitmq-server",
    package: "rabbitmq-server",
    on_path: false,
    folder: Some("/usr/lib/rabbitmq/bin"),
};

/// Erlang's port mapper. RabbitMQ's package depends on the one that has it.
pub(super) const EPMD: Binary =
    Binary { name: "epmd", package: "rabbitmq-server", on_path: true, folder: None };

/// Calls functions in an Erlang node. It comes with Erlang's own package.
pub(super) const ERL_CALL: Binary = Binary {
    name: "erl_call",
    package: "erlang-base",
    on_path: true,
    folder: Some("/usr/lib/erlang/bin"),
};

/// Its folder is not on the PATH of every user.
pub(super) const NGINX: Binary =
    Binary { name: "nginx", package: "nginx", on_path: true, folder: Some("/usr/sbin") };

impl Binary {
    /// Finds the program's file; the error names the package to install.
    pub(super) fn locate(self) -> Result<PathBuf, LabError> {
        let in_folder = || self.folder.map(|folder| Path::new(folder).join(self.name));
        let found = if self.on_path { find(self.name) } else { None };
        let found = found.or_else(|| in_folder().filter(|file| is_program(file)));
        found.ok_or(LabError::NotInstalled { binary: self.name, package: self.package })
    }
}

/// Checks that `redis-server`, `rabbitmq-server` or `nginx` is installed, or what a
/// `rabbitmq-cluster` needs; the error names the Debian package. Unknown names are accepted, since
/// no service needs them.
pub fn check_installed(name: &str) -> Result<(), LabError> {
    let needed: &[Binary] = match name {
        "redis-server" => &[REDIS],
        "rabbitmq-server" => &[RABBITMQ, EPMD],
        "rabbitmq-cluster" => &[RABBITMQ, EPMD, ERL_CALL],
        "nginx" => &[NGINX],
        _ => &[],
    };
    needed.iter().try_for_each(|binary| binary.locate().map(drop))
}

/// Whether what [`check_installed`] checks is installed. A test that needs one
/// reports itself as skipped where it is not.
pub fn is_installed(name: &str) -> bool {
    check_installed(name).is_ok()
}

/// The file that a shell would run for this command: a path is taken as it is, a name is searched
/// on PATH.
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
