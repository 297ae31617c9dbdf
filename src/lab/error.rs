//! Why a service is not there.

use std::io;
use std::time::Duration;

/// Why a service could not be started or handled; the text names the cure.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The binary was not found.
    #[error(
        "{binary} is not installed: install the Debian package with `apt-get install {package}`, \
         or, if it is elsewhere, add its folder to PATH"
    )]
    NotInstalled {
        /// The program that was looked for.
        binary: &'static str,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// It ended by itself before it was ready.
    #[error("{service} could not start; correct what it complains of:\n{log}")]
    CouldNotStart {
        /// Which service.
        service: &'static str,
        /// The last lines that it wrote.
        log: String,
    },
    /// It runs, but did not answer in time, and was killed.
    #[error(
        "{service} was not ready within {} s: try again on a machine that is less busy, or see \
         what it waits for:\n{log}",
        within.as_secs()
    )]
    NotReady {
        /// Which service.
        service: &'static str,
        /// How long it had.
        within: Duration,
        /// The last lines that it wrote.
        log: String,
    },
    /// More open files were asked for than the system allows.
    #[error(
        "a limit of {asked} open files is above the hard limit of {limit}: ask for fewer, or \
         raise it with `ulimit -Hn {asked}` (as root, or in limits.conf)"
    )]
    FilesLimit {
        /// How many were asked for.
        asked: u64,
        /// How many there may be.
        limit: u64,
    },
    /// The system refused something.
    #[error("{service}: cannot {doing}: {source}")]
    Io {
        /// For which service.
        service: &'static str,
        /// What was tried.
        doing: &'static str,
        /// Why it did not work.
        source: io::Error,
    },
}

impl LabError {
    /// What wraps an I/O error of something that was tried.
    pub(super) fn io<E: Into<io::Error>>(
        service: &'static str,
        doing: &'static str,
    ) -> impl FnOnce(E) -> Self {
        move |source| Self::Io { service, doing, source: source.into() }
    }
}
