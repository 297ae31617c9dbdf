//! What is wrong with a description, and where in its file.

use std::fmt;

use toml::Spanned;

/// A mistake in a description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sut) struct Wrong {
    /// The byte of the file at which it is.
    pub(in crate::sut) at: usize,
    /// The problem and its cure.
    pub(in crate::sut) problem: String,
}

impl Wrong {
    /// A mistake at this byte.
    pub(in crate::sut) fn at(at: usize, problem: impl fmt::Display) -> Self {
        Self { at, problem: problem.to_string() }
    }

    /// A mistake in this value.
    pub(in crate::sut) fn of<T>(value: &Spanned<T>, problem: impl fmt::Display) -> Self {
        Self::at(value.span().start, problem)
    }
}
