//! Notices that the file of a journal is no longer the one at its path, or was cut: what was or is
//! written to it would not be found after a restart.

use std::fs::{self, File};
use std::io::{self, Seek};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

/// How often a journal without commits checks its place. With commits, each one does.
pub(super) const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Checks that `path` leads to this open file, and that it is as long as what was written to it.
pub(super) fn check(mut file: &File, path: &Path) -> io::Result<()> {
    let open = file.metadata()?;
    if open.len() < file.stream_position()? {
        return Err(io::Error::other("the file was cut while the server was using it"));
    }
    match fs::metadata(path) {
        Ok(named) if (named.dev(), named.ino()) == (open.dev(), open.ino()) => Ok(()),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(_) | Err(_) => Err(io::Error::other(
            "the file was moved or deleted while the server was using it, so a restart would not \
             find what is written to it",
        )),
    }
}
