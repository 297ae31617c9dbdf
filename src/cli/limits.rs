//! The limit of open files, of which each connection needs one.

use crate::profile::FlagError;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Most files that a process has open besides its connections.
const OTHER_FILES: u64 = 128;

/// Raises the soft limit of open files to the hard one. Returns how many connections fit in it.
pub(super) fn raise_file_limit() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: maximum, maximum };
    let limit = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum,
        Err(_) => current,
    };
    limit.unwrap_or(u64::MAX).saturating_sub(OTHER_FILES)
}

/// Checks that `wanted` connections fit in `room`; the error names the flag and the cure.
pub(super) fn check(flag: &'static str, wanted: u64, room: u64) -> Result<(), FlagError> {
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
