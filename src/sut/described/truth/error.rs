//! Why a source cannot be read.

use std::fmt;

/// Why orders, stock or the like cannot be read from the tested system, or why a reset failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub(in crate::sut) struct TruthError {
    /// The table of the description.
    pub(in crate::sut) place: &'static str,
    /// The problem and its cure, without secrets, on one line.
    pub(in crate::sut) problem: String,
    /// Whether another try may end otherwise.
    pub(in crate::sut) may_pass: bool,
}

/// A problem with a source, and whether another try may end otherwise.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) text: String,
    pub(super) may_pass: bool,
}

impl Problem {
    /// A problem that another try would not solve.
    pub(super) fn lasting(text: impl fmt::Display) -> Self {
        Self { text: text.to_string(), may_pass: false }
    }

    /// A problem that may have passed when the source is read again.
    pub(super) fn passing(text: impl fmt::Display) -> Self {
        Self { text: text.to_string(), may_pass: true }
    }
}
