//! The limit of open files, of which each connection needs one.

use anyhow::anyhow;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::profile::OTHER_FILES;

use super::Failure;

/// Raises the soft limit of open files to the hard one. Returns how many connections fit in it.
///
/// # Errors
/// When not even one does.
pub(super) fn raise_file_limit() -> Result<u64, Failure> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: maximum, maximum };
    let limit = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum,
        Err(_) => current,
    };
    let limit = limit.unwrap_or(u64::MAX);
    match limit.saturating_sub(OTHER_FILES) {
        0 => Err(Failure::Run(anyhow!(
            "the limit of open files (ulimit -n) is {limit}, and {OTHER_FILES} are needed besides \
             one for each connection: raise the limit, such as with `ulimit -n 4096`"
        ))),
        room => Ok(room),
    }
}
