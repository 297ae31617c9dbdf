//! The limit of open files: every connection is one.

use crate::profile::FlagError;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that a process has open besides its connections, at the most.
const OTHER_FILES: u64 = 128;

/// Raises the soft limit of open files to the hard one, and says how many connections that
/// leaves room for.
pub(super) fn raise_file_limit() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: maximum, maximum };
    let limit = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum,
        Err(_) => current,
    };
    limit.unwrap_or(u64::MAX).saturating_sub(OTHER_FILES)
}

/// An error if so many connections do not fit.
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
