//! Why a source cannot be read.

use std::fmt;

use crate::escape::printable;

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

/// Values that must not be shown.
#[derive(Debug, Default)]
pub(super) struct Hidden(Vec<String>);

impl Hidden {
    /// Adds a value, in each form in which it may be shown.
    pub(super) fn add(&mut self, value: &str) {
        let forms = [
            value.to_owned(),
            crate::sut::described::text::percent_encoded(value),
            crate::sut::described::text::json_escaped(value),
        ];
        for form in forms {
            if !form.is_empty() && !self.0.contains(&form) {
                self.0.push(form);
            }
        }
        // A secret may be a part of another one, which would be shown in part.
        self.0.sort_by_key(|value| std::cmp::Reverse(value.len()));
    }

    /// A text without these values, on one line.
    pub(super) fn shown(&self, text: &str) -> String {
        let hidden = self.0.iter().fold(text.to_owned(), |text, value| text.replace(value, "…"));
        printable(&hidden).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_in_each_form() {
        let mut hidden = Hidden::default();
        hidden.add("p w\"");
        hidden.add("p w\"2");
        let shown = hidden.shown("p w\"2, p%20w%22 and p w\\\", \x1b");
        assert_eq!(shown, "…, … and …, \\u{1b}");
    }
}
