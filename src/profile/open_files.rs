//! The limit of open files, of which each connection needs one.

use super::check::FlagError;

/// Maximum number of files that a process has open in addition to its connections.
pub const OTHER_FILES: u64 = 128;

/// Checks that `wanted` connections fit in `room`, the connections that the limit of open files
/// allows.
///
/// # Errors
/// When they do not fit.
pub fn check_open_files(flag: &'static str, wanted: u64, room: u64) -> Result<(), FlagError> {
    if wanted <= room {
        return Ok(());
    }
    let (limit, needed) = (room + OTHER_FILES, wanted + OTHER_FILES);
    Err(FlagError::new(
        flag,
        format!(
            "{wanted} needs {needed} open files, and the hard limit is {limit}: raise it with \
             `ulimit -n {needed}` (as root, or in limits.conf), or ask for fewer"
        ),
    ))
}
