//! [`Wrong`]: what is wrong in a description, and where.

/// Why a description cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sut) struct Wrong {
    /// The byte of the file at which the wrong value begins.
    pub(in crate::sut) at: usize,
    /// The problem and its cure.
    pub(in crate::sut) problem: String,
}

impl Wrong {
    /// A problem with the value at this byte.
    pub(in crate::sut) fn new(at: usize, problem: impl Into<String>) -> Self {
        Self { at, problem: problem.into() }
    }
}
