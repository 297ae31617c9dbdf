//! [`HoldTime`]: how long an order is held, as users write it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::units::{Span, UnitError, text_serde};

use super::check::TIME_MAX;

/// How long an order is held: at least a microsecond, and at most as long as any time of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldTime(Duration);

impl HoldTime {
    /// The time in microseconds. A time of a plan has at most a week.
    pub(super) fn us(self) -> u64 {
        self.0.as_micros() as u64
    }
}

impl FromStr for HoldTime {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let problem = match text.parse() {
            Ok(Span(Duration::ZERO)) => "holds no order: leave --hold out, or",
            Ok(Span(time)) if time < Duration::from_micros(1) => "is below 1us:",
            Ok(Span(time)) if time > TIME_MAX => "is longer than an order may be held:",
            Ok(Span(time)) => return Ok(Self(time)),
            Err(_) => "is not a time:",
        };
        let hours = TIME_MAX.as_secs() / 3600;
        let allowed = format!("write one above 0 and up to {hours}h, such as 15m");
        Err(UnitError::new(format!("`{text}` {problem} {allowed}")))
    }
}

impl fmt::Display for HoldTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Span(self.0).fmt(f)
    }
}

text_serde! {
    HoldTime => "a time such as \"15m\"",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_up_to_a_week_are_read() {
        for (text, us) in
            [("1us", 1), ("1ms", 1_000), ("15m", 900_000_000), ("168h", 604_800_000_000)]
        {
            assert_eq!(text.parse::<HoldTime>().unwrap().us(), us);
        }
    }

    #[test]
    fn error_names_the_value_as_given_and_what_is_allowed() {
        let cases = ["0", "0s", "999h", "168h1s", "999ns", "soon", "-1s"].map(|text| {
            let error = text.parse::<HoldTime>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{text}` ")), "{error}");
            assert!(error.ends_with("above 0 and up to 168h, such as 15m"), "{error}");
            error
        });
        assert!(cases[0].contains("leave --hold out") && cases[2].contains("longer than"));
    }
}
