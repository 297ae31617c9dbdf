//! Checks of single flags, and the error that names a flag and its cure.

use std::time::Duration;

use crate::secret::Secret;
use crate::units::{Count, Span};

/// Longest time-out, so that every latency lies within the range of the histograms.
const TIMEOUT_MAX: Duration = Duration::from_secs(300);

/// Longest ramp, duration and think time.
pub(super) const TIME_MAX: Duration = Duration::from_secs(7 * 24 * 3600);

/// An invalid flag: the problem and its cure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("--{flag}: {problem}")]
pub struct FlagError {
    /// The flag, without its dashes.
    pub flag: &'static str,
    /// The problem and its cure.
    pub problem: String,
}

impl FlagError {
    /// An error about `flag`; `problem` states the problem and its cure.
    pub fn new(flag: &'static str, problem: impl Into<String>) -> Self {
        Self { flag, problem: problem.into() }
    }
}

/// An error about a flag.
pub(super) fn invalid(flag: &'static str, problem: impl Into<String>) -> FlagError {
    FlagError::new(flag, problem)
}

/// Checks that a token can be sent in a field of an HTTP head.
pub(super) fn check_token(token: Option<&Secret>) -> Result<(), FlagError> {
    match token {
        Some(Secret(token)) if token.is_empty() => {
            Err(invalid("admin-token", "the token is empty: give one, or leave it out"))
        }
        Some(Secret(token)) if token.chars().any(char::is_control) => Err(invalid(
            "admin-token",
            "the token has a line break or another control character: give it without",
        )),
        _ => Ok(()),
    }
}

/// Checks a count, which must be from 1 to `max`.
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

/// Checks a time, which may be up to [`TIME_MAX`].
pub(super) fn time(flag: &'static str, given: Option<Span>) -> Result<Option<Duration>, FlagError> {
    match given {
        Some(Span(time)) if time > TIME_MAX => Err(too_long(flag, time, TIME_MAX)),
        given => Ok(given.map(|span| span.0)),
    }
}

/// An error about a time that exceeds its limit.
pub(super) fn too_long(flag: &'static str, time: Duration, max: Duration) -> FlagError {
    invalid(flag, format!("{} is over {}", Span(time), Span(max)))
}

/// Checks a time-out, which must be above 0. The default is `default_s` seconds.
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

/// Returns an error about the first of these flags that was given (`true`), since none of them is
/// allowed here.
pub(super) fn refuse(flags: &[(&'static str, bool, &str)]) -> Result<(), FlagError> {
    match flags.iter().find(|(_, given, _)| *given) {
        Some((flag, _, problem)) => Err(invalid(flag, *problem)),
        None => Ok(()),
    }
}
