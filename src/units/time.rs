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
            None => humantime::parse_rfc3339_weak(text).map_err(|_| invalid())?,
        };
        let since_epoch = moment.duration_since(UNIX_EPOCH).map_err(|_| invalid())?;
        let us = u64::try_from(since_epoch.as_micros()).map_err(|_| invalid())?;
        if us <= MOMENT_US_MAX { Ok(Self(us)) } else { Err(invalid()) }
    }
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
}
