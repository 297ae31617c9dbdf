//! Durations, and moments.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{UnitError, text_serde};

/// A duration: `20s`, `1m30s`, `250ms`, `0s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl FromStr for Span {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        humantime::parse_duration(text).map(Self).map_err(|_| {
            UnitError::new(format!("`{text}` is not a time: write 20s, 1m30s or 250ms"))
        })
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", humantime::format_duration(self.0))
    }
}

/// The last moment that RFC 3339 can write, 9999-12-31T23:59:59Z, in microseconds.
const MOMENT_US_MAX: u64 = 253_402_300_799_000_000;

/// A moment: RFC 3339 (`2030-01-01T10:00:00Z`), or relative to now (`+5s`).
///
/// It is stored as microseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub u64);

impl FromStr for Moment {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let invalid = || {
            UnitError::new(format!(
                "`{text}` is not a moment: write 2030-01-01T10:00:00Z, or +5s from now"
            ))
        };
        let moment = match text.strip_prefix('+') {
            Some(span) => {
                let span = Span::from_str(span).map_err(|_| invalid())?;
                SystemTime::now().checked_add(span.0).ok_or_else(invalid)?
            }
            None => {
                let (local, offset) = without_offset(text).ok_or_else(invalid)?;
                let moment = humantime::parse_rfc3339_weak(local).map_err(|_| invalid())?;
                let (east, offset) = (offset >= 0, Duration::from_secs(offset.unsigned_abs()));
                let utc =
                    if east { moment.checked_sub(offset) } else { moment.checked_add(offset) };
                utc.ok_or_else(invalid)?
            }
        };
        let since_epoch = moment.duration_since(UNIX_EPOCH).map_err(|_| invalid())?;
        let us = u64::try_from(since_epoch.as_micros()).map_err(|_| invalid())?;
        if us <= MOMENT_US_MAX { Ok(Self(us)) } else { Err(invalid()) }
    }
}

/// Splits a moment of RFC 3339 into its local time and its offset from UTC, in seconds to the east.
/// humantime knows no offsets.
fn without_offset(text: &str) -> Option<(&str, i64)> {
    let Some((local, offset)) = text.len().checked_sub(6).and_then(|at| text.split_at_checked(at))
    else {
        return Some((text, 0));
    };
    let (sign, clock) = match offset.split_at_checked(1)? {
        ("+", clock) => (1, clock),
        // The hyphen of a date without a time is no sign.
        ("-", clock) if local.contains([':']) => (-1, clock),
        _ => return Some((text, 0)),
    };
    let (hours, minutes) = clock.split_once(':')?;
    let two_digits = |text: &str| {
        let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<i64>().ok()).flatten()
    };
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    (hours < 24 && minutes < 60).then_some((local, sign * (hours * 3600 + minutes * 60)))
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}",
            humantime::format_rfc3339_micros(UNIX_EPOCH + Duration::from_micros(self.0))
        )
    }
}

text_serde! {
    Span => "a time such as \"20s\"",
    Moment => "a moment such as \"2030-01-01T10:00:00Z\"",
}

/// Serde for a `Duration` that is written as a [`Span`]: `#[serde(with = "span")]`.
pub mod span {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Span;

    /// Writes a duration as a span.
    ///
    /// # Errors
    /// The error of the serializer.
    pub fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        Span(*time).serialize(serializer)
    }

    /// Reads a span as a duration.
    ///
    /// # Errors
    /// When it is not a span.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        Span::deserialize(deserializer).map(|span| span.0)
    }
}

/// Serde for an optional `Duration` that is written as a [`Span`].
pub mod optional_span {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Span;

    /// Writes a duration as a span.
    ///
    /// # Errors
    /// The error of the serializer.
    pub fn serialize<S: Serializer>(
        time: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(Span).serialize(serializer)
    }

    /// Reads a span as a duration.
    ///
    /// # Errors
    /// When it is neither a span nor absent.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<Span>::deserialize(deserializer)?.map(|span| span.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn span_requires_a_unit() {
        assert_eq!("1m30s".parse(), Ok(Span(Duration::from_secs(90))));
        assert_eq!("0s".parse(), Ok(Span(Duration::ZERO)));
        assert!("20".parse::<Span>().is_err());
    }

    #[test]
    fn moment_is_absolute_or_relative_to_now() {
        assert_eq!("1970-01-01T00:00:01Z".parse(), Ok(Moment(1_000_000)));
        let later: Moment = "+1h".parse().unwrap();
        assert!(later.0 > "+1m".parse::<Moment>().unwrap().0);
        for text in
            ["tomorrow", "+", "+1", "+9999999999999999999s", "+9000years", "1969-12-31T23:59:59Z"]
        {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }

    #[test]
    fn moments_with_an_offset_are_read_in_utc() {
        let us = |text: &str| text.parse::<Moment>().map(|moment| moment.0).map_err(|_| ());
        let utc = us("2030-01-01T10:00:00Z");
        assert!(utc.is_ok());
        assert_eq!(us("2030-01-01T18:00:00+08:00"), utc);
        assert_eq!(us("2030-01-01T06:30:00-03:30"), utc);
        assert_eq!(us("2030-01-01T18:00:00.5+08:00"), utc.map(|us| us + 500_000));
        assert_eq!(us("2030-01-01 10:00:00"), utc);
        for wrong in ["2030-01-01T18:00:00+8:00", "2030-01-01T18:00:00+25:00", "+08:00", "é+08:00"]
        {
            assert_eq!(us(wrong), Err(()), "{wrong}");
        }
    }
}
