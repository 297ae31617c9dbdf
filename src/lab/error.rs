//! Errors of starting and controlling services.

use std::io;
use std::time::Duration;

/// Why a service could not be started or controlled; the text says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The program was not found.
    #[error(
        "{binary} is not installed: install the Debian package with `apt-get install {package}`, \
         or, if it is elsewhere, add its folder to PATH"
    )]
    NotInstalled {
        /// The program that was searched.
        binary: &'static str,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// The service ended by itself before it was ready.
    #[error("{service} could not start; correct what its log names:\n{log}")]
    CouldNotStart {
        /// Which service.
        service: &'static str,
        /// The last lines that it wrote.
        log: String,
    },
    /// The service ran, but did not answer in time, and was killed.
    #[error(
        "{service} was not ready within {} s: try again on a machine that is less busy, or read \
         in its log what it waits for:\n{log}",
        within.as_secs()
    )]
    NotReady {
        /// Which service.
        service: &'static str,
        /// The time limit.
        within: Duration,
        /// The last lines that it wrote.
        log: String,
    },
    /// The system allows fewer open files than a broker needs.
    #[error(
        "rabbitmq needs {needed} open files, and the hard limit is {limit}: raise it with \
         `ulimit -Hn {needed}` (as root, or in limits.conf)"
    )]
    FewFiles {
        /// How many a broker needs.
        needed: u64,
        /// The hard limit of this process.
        limit: u64,
    },
    /// The wanted limit of open files is above what the system allows.
    #[error(
        "a limit of {wanted} open files is above the hard limit of {limit}: set a lower one, or \
         raise the hard limit with `ulimit -Hn {wanted}` (as root, or in limits.conf)"
    )]
    FilesLimit {
        /// The wanted limit.
        wanted: u64,
        /// The hard limit of this process.
        limit: u64,
    },
    /// A system call failed.
    #[error("{service}: cannot {doing}: {source}")]
    Io {
        /// The service that it was for.
        service: &'static str,
        /// What was attempted, as in "cannot start it".
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

impl LabError {
    /// Wraps an I/O error, for `map_err`.
    pub(super) fn io<E: Into<io::Error>>(
        service: &'static str,
        doing: &'static str,
    ) -> impl FnOnce(E) -> Self {
        move |source| Self::Io { service, doing, source: source.into() }
    }
}
