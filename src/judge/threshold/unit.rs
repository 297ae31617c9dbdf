//! The units of measured figures, and the forms in which limits of them are written.

use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::units::{ByteSize, Count, Rate, Share, Span};

/// The unit of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Microseconds.
    Us,
    /// A share of the requests, from 0 to 1.
    Share,
    /// A number of things.
    Count,
    /// A number a second.
    PerSecond,
    /// Bytes.
    Bytes,
    /// A number whose unit is in the name of the metric, or that has none.
    Number,
}

impl Unit {
    /// A figure with its unit, for people.
    pub fn display(self, figure: f64) -> String {
        match self {
            Self::Us if figure < 1e6 => format!("{:.3} ms", figure / 1e3),
            Self::Us => format!("{:.3} s", figure / 1e6),
            Self::Share => format!("{:.3}%", 100.0 * figure),
            Self::Count if figure.fract() == 0.0 => format!("{figure:.0}"),
            Self::Count => format!("{figure:.3}"),
            Self::PerSecond => format!("{figure:.1}/s"),
            Self::Bytes => ByteSize(figure as u64).to_string(),
            Self::Number => format!("{figure:.3}"),
        }
    }
}

/// The form in which a limit is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A time, with its unit.
    Time,
    /// A share of the requests, or a number of them.
    ShareOrCount,
    /// A whole number.
    Count,
    /// A number a second.
    Rate,
    /// A size, with or without a unit.
    Bytes,
    /// A number without a unit.
    Number,
    /// A number from 0 to 1.
    Fraction,
}

impl Form {
    /// The words for a limit of this form.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Time => "a time with its unit",
            Self::ShareOrCount => "a share or a number of requests",
            Self::Count => "a whole number",
            Self::Rate => "a rate",
            Self::Bytes => "a number of bytes",
            Self::Number => "a number without a unit",
            Self::Fraction => "a number from 0 to 1",
        }
    }

    /// A limit in the right form, which keeps the number that was `given` if it is one.
    pub(super) fn example(self, given: &str) -> String {
        let number = Some(given).filter(|text| decimal(text).is_some());
        match self {
            Self::Time => format!("{}ms", number.unwrap_or("50")),
            Self::ShareOrCount => "1%".to_owned(),
            Self::Count => "0".to_owned(),
            Self::Rate => format!("{}/s", number.unwrap_or("2000")),
            Self::Bytes => "100MiB".to_owned(),
            Self::Number | Self::Fraction => "0.5".to_owned(),
        }
    }

    /// The unit of a limit that is relative to a baseline.
    pub(super) fn unit(self) -> Unit {
        match self {
            Self::Time => Unit::Us,
            Self::ShareOrCount => Unit::Share,
            Self::Count => Unit::Count,
            Self::Rate => Unit::PerSecond,
            Self::Bytes => Unit::Bytes,
            Self::Number | Self::Fraction => Unit::Number,
        }
    }

    /// Reads a limit of this form; `None` if it has another one.
    pub(super) fn read(self, text: &str) -> Option<(f64, Unit)> {
        let count = |text: &str| Some(Count::from_str(text).ok()?.0 as f64);
        match self {
            Self::Time => Some((micros(Span::from_str(text).ok()?.0), Unit::Us)),
            Self::ShareOrCount if text.ends_with('%') => {
                Some((Share::from_str(text).ok()?.fraction(), Unit::Share))
            }
            Self::ShareOrCount | Self::Count => Some((count(text)?, Unit::Count)),
            Self::Rate => Some((Rate::from_str(text).ok()?.per_second as f64, Unit::PerSecond)),
            Self::Bytes => {
                let sizes = [("KiB", 10), ("MiB", 20), ("GiB", 30)];
                let sized = sizes.into_iter().find_map(|(unit, power)| {
                    let number = decimal(text.strip_suffix(unit)?.trim_end())?;
                    Some(number * f64::from(1_u32 << power))
                });
                Some((sized.or_else(|| count(text))?, Unit::Bytes))
            }
            Self::Number => Some((decimal(text)?, Unit::Number)),
            Self::Fraction => Some((decimal(text).filter(|it| *it <= 1.0)?, Unit::Number)),
        }
    }
}

fn micros(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e3
}

/// A number that is written with digits and at most one point, and nothing else.
pub(super) fn decimal(text: &str) -> Option<f64> {
    let is_plain = text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number: f64 = if is_plain { text.parse().ok()? } else { return None };
    number.is_finite().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_in_their_form_only() {
        let cases = [
            (Form::Time, "50ms", Some((50_000.0, Unit::Us))),
            (Form::Time, "1m30s", Some((90_000_000.0, Unit::Us))),
            (Form::Time, "1.5s", Some((1_500_000.0, Unit::Us))),
            (Form::Time, "500ns", Some((0.5, Unit::Us))),
            (Form::Time, "50", None),
            (Form::Time, "5%", None),
            (Form::ShareOrCount, "0.1%", Some((0.001, Unit::Share))),
            (Form::ShareOrCount, "10k", Some((10_000.0, Unit::Count))),
            (Form::ShareOrCount, "101%", None),
            (Form::ShareOrCount, "50ms", None),
            (Form::Count, "0", Some((0.0, Unit::Count))),
            (Form::Count, "1%", None),
            (Form::Count, "-1", None),
            (Form::Rate, "2k/s", Some((2_000.0, Unit::PerSecond))),
            (Form::Rate, "2000", None),
            (Form::Bytes, "100M", Some((1e8, Unit::Bytes))),
            (Form::Bytes, "1.5KiB", Some((1_536.0, Unit::Bytes))),
            (Form::Bytes, "2 GiB", Some((2_147_483_648.0, Unit::Bytes))),
            (Form::Bytes, "10ms", None),
            (Form::Number, "0.5", Some((0.5, Unit::Number))),
            (Form::Number, "40", Some((40.0, Unit::Number))),
            (Form::Number, "40us", None),
            (Form::Number, "inf", None),
            (Form::Number, "1.2.3", None),
            (Form::Number, ".5", None),
            (Form::Number, "", None),
            (Form::Fraction, "1", Some((1.0, Unit::Number))),
            (Form::Fraction, "1.01", None),
        ];
        for (form, text, expected) in cases {
            assert_eq!(form.read(text), expected, "{form:?} {text}");
        }
        assert_eq!(decimal(&"9".repeat(400)), None, "above the largest number");
    }

    #[test]
    fn examples_are_in_their_form_and_keep_a_given_number() {
        use Form::{Bytes, Count, Fraction, Number, Rate, ShareOrCount, Time};
        for form in [Time, ShareOrCount, Count, Rate, Bytes, Number, Fraction] {
            for given in ["", "x", "7"] {
                let example = form.example(given);
                assert!(form.read(&example).is_some(), "{form:?} {example}");
            }
        }
        assert_eq!((Time.example("7"), Rate.example("7")), ("7ms".into(), "7/s".into()));
    }

    #[test]
    fn figures_are_displayed_with_their_unit() {
        let cases = [
            (Unit::Us, 61_200.4, "61.200 ms"),
            (Unit::Us, 1_000_000.0, "1.000 s"),
            (Unit::Us, 2_500_000.0, "2.500 s"),
            (Unit::Share, 0.0012, "0.120%"),
            (Unit::Count, 3.0, "3"),
            (Unit::Count, 3.6, "3.600"),
            (Unit::PerSecond, 171.44, "171.4/s"),
            (Unit::Bytes, 1_536.0, "1.5 KiB"),
            (Unit::Number, 0.25, "0.250"),
        ];
        for (unit, figure, expected) in cases {
            assert_eq!(unit.display(figure), expected);
        }
    }
}
