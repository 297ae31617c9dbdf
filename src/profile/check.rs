//! Checks of single flags, and the error that names a flag and its cure.

use std::time::Duration;

use crate::units::{Count, Span};

/// Longest time-out, so that every latency is told apart in the histograms.
const TIMEOUT_MAX: Duration = Duration::from_secs(300);

/// Longest ramp, duration and think time.
pub(super) const TIME_MAX: Duration = Duration::from_secs(7 * 24 * 3600);

/// A flag that is wrong, with the cure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("--{flag}: {problem}")]
pub struct FlagError {
    /// The flag, without its dashes.
    pub flag: &'static str,
    /// What is wrong, and what would be right.
    pub problem: String,
}

impl FlagError {
    /// An error about `flag`; `problem` says what is wrong and what would be right.
    pub fn new(flag: &'static str, problem: impl Into<String>) -> Self {
        Self { flag, problem: problem.into() }
    }
}

/// An error about a flag.
pub(super) fn invalid(flag: &'static str, problem: impl Into<String>) -> FlagError {
    FlagError::new(flag, problem)
}

/// A count from 1 to `max`.
pub(super) fn count(
    flag: &'static str,
    given: Option<Count>,
    max: u64,
) -> Result<Option<u64>, FlagError> {
    match given {
        Some(Count(0)) => Err(invalid(flag, "must be at least 1")),
        Some(Count(n)) if n > max => Err(invalid(flag, format!("{n} is over {max}"))),
        given => Ok(given.map(|count| count.0)),
    }
}

/// A time up to [`TIME_MAX`].
pub(super) fn time(flag: &'static str, given: Option<Span>) -> Result<Option<Duration>, FlagError> {
    match given {
        Some(Span(time)) if time > TIME_MAX => Err(too_long(flag, time, TIME_MAX)),
        given => Ok(given.map(|span| span.0)),
    }
}

/// An error about a time over its limit.
pub(super) fn too_long(flag: &'static str, time: Duration, max: Duration) -> FlagError {
    invalid(flag, format!("{} is over {}", Span(time), Span(max)))
}

/// A time-out above 0, `default_s` seconds where none is given.
pub(super) fn timeout(
    flag: &'static str,
    given: Option<Span>,
    default_s: u64,
) -> Result<Duration, FlagError> {
    match given.map_or(Duration::from_secs(default_s), |span| span.0) {
        Duration::ZERO => Err(invalid(flag, "must be above 0")),
        time if time > TIMEOUT_MAX => Err(too_long(flag, time, TIMEOUT_MAX)),
        time => Ok(time),
    }
}

/// An error about the first of these flags that was given (`true`) and must not be.
pub(super) fn refuse(flags: &[(&'static str, bool, &str)]) -> Result<(), FlagError> {
    match flags.iter().find(|(_, given, _)| *given) {
        Some((flag, _, problem)) => Err(invalid(flag, *problem)),
        None => Ok(()),
    }
}
