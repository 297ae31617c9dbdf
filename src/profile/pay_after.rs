//! [`PayAfter`]: the pause of a buyer before a payment, as users write it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::units::{Span, UnitError, text_serde};

/// The pause of a buyer before the payment: uniformly distributed between two times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PayAfter {
    /// The shortest pause.
    pub from: Duration,
    /// The longest pause.
    pub to: Duration,
}

impl FromStr for PayAfter {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let wrong = |problem: &str| {
            let cure = "write the shorter time first, as in 1s..30s, or a single one, such as 5s";
            UnitError::new(format!("`{text}` {problem}: {cure}"))
        };
        let invalid = || wrong("is not a range of times");
        let time = |text: &str| text.parse().map(|Span(time)| time).map_err(|_| invalid());
        let (from, to) = text.split_once("..").unwrap_or((text, text));
        let (from, to) = (time(from)?, time(to)?);
        if from <= to { Ok(Self { from, to }) } else { Err(wrong("begins with the longer time")) }
    }
}

impl fmt::Display for PayAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = *self;
        match from == to {
            true => Span(from).fmt(f),
            false => write!(f, "{}..{}", Span(from), Span(to)),
        }
    }
}

text_serde! {
    PayAfter => "a range of times such as \"1s..30s\"",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips() {
        for text in ["1s..30s", "5s", "0s..250ms"] {
            assert_eq!(text.parse::<PayAfter>().unwrap().to_string(), text);
        }
        for text in ["", "5", "1s..", "..1s", "1s..x"] {
            let error = text.parse::<PayAfter>().unwrap_err().to_string();
            assert!(error.contains("is not a range of times"), "{error}");
        }
        let error = "30s..1s".parse::<PayAfter>().unwrap_err().to_string();
        assert!(error.starts_with("`30s..1s` begins with the longer time: write the"), "{error}");
    }
}
