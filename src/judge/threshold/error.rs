//! The error of an expression: it shows the wrong place and what is expected there.

use std::fmt;
use std::ops::Range;

use crate::escape::printable;

/// Why an expression is no threshold. It is displayed on three lines: the problem, the expression,
/// and carets under the wrong place with what is expected there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionError {
    text: String,
    /// The wrong bytes of the text; empty where something is missing.
    wrong: Range<usize>,
    problem: String,
    expected: String,
}

impl ExpressionError {
    pub(super) fn new(
        text: &str,
        wrong: Range<usize>,
        problem: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        let (problem, expected) = (problem.into(), expected.into());
        Self { text: text.to_owned(), wrong, problem, expected }
    }

    /// The problem, in one line.
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

impl std::error::Error for ExpressionError {}

impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, wrong, problem, expected } = self;
        // Escaped characters take more columns than one.
        let columns = |part: Option<&str>| printable(part.unwrap_or_default()).chars().count();
        let before = columns(text.get(..wrong.start));
        let carets = "^".repeat(columns(text.get(wrong.clone())).max(1));
        writeln!(f, "{problem}\n  {}", printable(text))?;
        write!(f, "  {:before$}{carets} {expected}", "")
    }
}
