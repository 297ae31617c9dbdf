//! The limit of open files, of which each connection needs one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::profile::OTHER_FILES;

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
