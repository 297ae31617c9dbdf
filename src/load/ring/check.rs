//! Whether io_uring can be used here.

use std::io;

use rustix::io::Errno;

use super::kernel::Kernel;

/// Checks that the kernel offers what is needed for a ring for each of so many workers: Linux 6.1,
/// and nothing that forbids it.
///
/// # Errors
/// When a ring cannot be created; the text names the probable cause.
pub fn check(workers: usize) -> Result<(), String> {
    let rings: io::Result<Vec<_>> = (0..workers).map(|_| Kernel::new()).collect();
    rings.map(drop).map_err(|error| {
        let cause = match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::PERM | Errno::ACCESS) => {
                "it is forbidden here, by the sysctl kernel.io_uring_disabled or by the seccomp \
                 filter of a container"
            }
            Some(Errno::NOSYS) => {
                "this kernel has none, or the seccomp filter of a container hides it"
            }
            Some(Errno::INVAL) => "this kernel is too old: Linux 6.1 or later is needed",
            Some(Errno::NOMEM) => "the limit of locked memory (ulimit -l) is too low",
            Some(Errno::MFILE | Errno::NFILE) => "too many files are open (ulimit -n)",
            _ => "the kernel has refused it",
        };
        format!("{cause} ({error})")
    })
}
