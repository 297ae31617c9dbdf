//! Quantities as people write them: `10k`, `1m30s`, `5k/s`, a moment in time.
//!
//! Each has `FromStr` and `Display`, and deserialises from TOML as a string or a plain number.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a quantity could not be read; the text says what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnitError(String);

impl UnitError {
    /// A quantity cannot be read; `text` says what would be right.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// A whole number; `k` is a thousand and `M` a million: `350`, `10k`, `2M`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Count(pub u64);

impl FromStr for Count {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let wrong = || UnitError(format!("`{text}` is not a count: write 350, 10k or 2M"));
        let (digits, factor) = match text.strip_suffix(['k', 'K']) {
            Some(digits) => (digits, 1_000),
            None => text.strip_suffix('M').map_or((text, 1), |digits| (digits, 1_000_000)),
        };
        let number: u64 = digits.replace('_', "").parse().map_err(|_| wrong())?;
        number.checked_mul(factor).map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A length of time: `20s`, `1m30s`, `250ms`, `0s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl FromStr for Span {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        humantime::parse_duration(text)
            .map(Self)
            .map_err(|_| UnitError(format!("`{text}` is not a time: write 20s, 1m30s or 250ms")))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", humantime::format_duration(self.0))
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The last moment that RFC 3339 can write, 9999-12-31T23:59:59Z, in microseconds.
const MOMENT_US_MAX: u64 = 253_402_300_799_000_000;

/// A moment: RFC 3339 (`2030-01-01T10:00:00Z`), or from now on (`+5s`).
///
/// Held as microseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub u64);

impl FromStr for Moment {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let wrong = || {
            UnitError(format!(
                "`{text}` is not a moment: write 2030-01-01T10:00:00Z, or +5s from now"
            ))
        };
        let moment = match text.strip_prefix('+') {
            Some(span) => {
                let span = Span::from_str(span).map_err(|_| wrong())?;
                SystemTime::now().checked_add(span.0).ok_or_else(wrong)?
            }
            None => humantime::parse_rfc3339_weak(text).map_err(|_| wrong())?,
        };
        let since_epoch = moment.duration_since(UNIX_EPOCH).map_err(|_| wrong())?;
        let us = u64::try_from(since_epoch.as_micros()).map_err(|_| wrong())?;
        if us <= MOMENT_US_MAX { Ok(Self(us)) } else { Err(wrong()) }
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

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Events per second: `500/s`, `5k/s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate {
    /// Events in one second; at least 1.
    pub per_second: u64,
}

impl FromStr for Rate {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let wrong = || UnitError(format!("`{text}` is not a rate: write 500/s or 5k/s"));
        let count = text.strip_suffix("/s").ok_or_else(wrong)?;
        match Count::from_str(count).map_err(|_| wrong())? {
            Count(0) => Err(wrong()),
            Count(per_second) => Ok(Self { per_second }),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.per_second)
    }
}

/// A part of a whole: `5%`, `0.5%`, `100%`. Kept to a millionth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Share {
    millionths: u32,
}

impl Share {
    /// So many hundredths; at most 100.
    pub const fn percent(percent: u8) -> Self {
        Self { millionths: if percent > 100 { 1_000_000 } else { percent as u32 * 10_000 } }
    }

    /// 0 to 1.
    pub fn fraction(self) -> f64 {
        f64::from(self.millionths) / 1e6
    }
}

impl FromStr for Share {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let wrong = || UnitError(format!("`{text}` is not a share: write 5%, at most 100%"));
        let percent: f64 =
            text.strip_suffix('%').ok_or_else(wrong)?.parse().map_err(|_| wrong())?;
        if !(0.0..=100.0).contains(&percent) {
            return Err(wrong());
        }
        Ok(Self { millionths: (percent * 10_000.0).round() as u32 })
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", f64::from(self.millionths) / 10_000.0)
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// When a record on disk counts as committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// After `fdatasync`: survives a power cut
    #[default]
    Fsync,
    /// After `write`: survives the end of the process, not of the machine
    Os,
    /// At once, before it is written: survives nothing
    None,
}

/// Which of RabbitMQ's queues: see its documentation on queue types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum QueueType {
    /// On one node, durable
    #[default]
    Classic,
    /// Replicated over a cluster, with a delivery limit of its own
    Quorum,
}

/// What a server process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Accepts and decides
    #[default]
    All,
    /// Accepts, and leaves the deciding to others
    Api,
    /// Decides what others accept
    Consumer,
}

/// What makes a buyer try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum RetryOn {
    /// `rate_limited`
    #[serde(rename = "429")]
    #[value(name = "429")]
    RateLimited,
    /// `queue_full`, `broker_unavailable`, `store_unavailable`, `draining`
    #[serde(rename = "503")]
    #[value(name = "503")]
    Unavailable,
    /// An attempt of which it is not known whether it had an effect: a time-out, a reset, a 500
    Unknown,
    /// No connection
    Connect,
}

impl RetryOn {
    /// How many there are.
    pub const COUNT: usize = 4;

    /// Every one.
    pub const ALL: [Self; Self::COUNT] =
        [Self::RateLimited, Self::Unavailable, Self::Unknown, Self::Connect];

    /// The word in flags and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RateLimited => "429",
            Self::Unavailable => "503",
            Self::Unknown => "unknown",
            Self::Connect => "connect",
        }
    }
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What must not be seen: it can be parsed, passed on and compared, but not printed.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Where an engine is: `embedded`, or a URL whose user and password are not printed.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct EngineUrl(String);

impl EngineUrl {
    /// The engine of this process.
    pub const EMBEDDED: &str = "embedded";

    /// The whole URL, secrets included.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it is the engine of this process.
    pub fn is_embedded(&self) -> bool {
        self.0 == Self::EMBEDDED
    }

    /// The URL's scheme; empty where there is none.
    pub fn scheme(&self) -> &str {
        self.0.split_once("://").map_or("", |(scheme, _)| scheme)
    }
}

impl FromStr for EngineUrl {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for EngineUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((scheme, rest)) = self.0.split_once("://") else { return f.write_str(&self.0) };
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        // A query can hold a password as well.
        let host = host.split('?').next().unwrap_or_default();
        write!(f, "{scheme}://{host}")
    }
}

impl fmt::Debug for EngineUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EngineUrl({self})")
    }
}

/// A size in bytes, shown in binary units: `12.3 MiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
        if self.0 < 1024 {
            return write!(f, "{} B", self.0);
        }
        let mut size = self.0 as f64 / 1024.0;
        let mut unit = 0;
        while size >= 1024.0 && unit + 1 < UNITS.len() {
            size /= 1024.0;
            unit += 1;
        }
        write!(f, "{size:.1} {}", UNITS[unit])
    }
}

/// Reads a quantity from a string or a plain whole number, as TOML may have either; `expecting`
/// says what would be right.
///
/// # Errors
/// When it is neither, or is not read as a quantity.
pub fn deserialize_quantity<'de, D, T>(
    deserializer: D,
    expecting: &'static str,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = UnitError>,
{
    deserializer.deserialize_any(TextOrNumber(expecting, std::marker::PhantomData))
}

struct TextOrNumber<T>(&'static str, std::marker::PhantomData<T>);

impl<T: FromStr<Err = UnitError>> Visitor<'_> for TextOrNumber<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        number.to_string().parse().map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        number.to_string().parse().map_err(E::custom)
    }
}

macro_rules! deserialize_from_text {
    ($($unit:ty => $expecting:literal),*) => {$(
        impl<'de> Deserialize<'de> for $unit {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserialize_quantity(deserializer, $expecting)
            }
        }
    )*};
}

deserialize_from_text! {
    Count => "a count such as 350 or \"10k\"",
    Span => "a time such as \"20s\"",
    Moment => "a moment such as \"2030-01-01T10:00:00Z\"",
    Rate => "a rate such as \"5k/s\"",
    Share => "a share such as \"5%\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_take_thousands_and_millions() {
        assert_eq!("350".parse(), Ok(Count(350)));
        assert_eq!("10k".parse(), Ok(Count(10_000)));
        assert_eq!("2M".parse(), Ok(Count(2_000_000)));
        for nonsense in
            ["", "k", "-1", "1.5k", "10 k", "99999999999999999999", "99999999999999999M"]
        {
            assert!(nonsense.parse::<Count>().is_err(), "{nonsense}");
        }
    }

    #[test]
    fn a_time_needs_its_unit() {
        assert_eq!("1m30s".parse(), Ok(Span(Duration::from_secs(90))));
        assert_eq!("0s".parse(), Ok(Span(Duration::ZERO)));
        assert!("20".parse::<Span>().is_err());
    }

    #[test]
    fn a_moment_is_absolute_or_from_now() {
        assert_eq!("1970-01-01T00:00:01Z".parse(), Ok(Moment(1_000_000)));
        let later: Moment = "+1h".parse().unwrap();
        assert!(later.0 > "+1m".parse::<Moment>().unwrap().0);
        for nonsense in
            ["tomorrow", "+", "+1", "+9999999999999999999s", "+9000years", "1969-12-31T23:59:59Z"]
        {
            assert!(nonsense.parse::<Moment>().is_err(), "{nonsense}");
        }
    }

    #[test]
    fn rates_are_per_second_and_never_nought() {
        assert_eq!("5k/s".parse(), Ok(Rate { per_second: 5_000 }));
        assert!("0/s".parse::<Rate>().is_err());
        assert!("5".parse::<Rate>().is_err());
    }

    #[test]
    fn shares_are_of_a_hundred() {
        assert_eq!("5%".parse(), Ok(Share::percent(5)));
        assert_eq!("0.25%".parse::<Share>().unwrap().fraction(), 0.0025);
        assert_eq!("12.5%".parse::<Share>().unwrap().to_string(), "12.5%");
        for nonsense in ["5", "%", "101%", "-1%", "NaN%", "inf%", ""] {
            assert!(nonsense.parse::<Share>().is_err(), "{nonsense}");
        }
    }

    #[test]
    fn an_engine_is_shown_without_its_secrets() {
        let shown = |url: &str| url.parse::<EngineUrl>().unwrap().to_string();
        assert_eq!(shown("amqp://ann:pw@host:5672/shop"), "amqp://host:5672/shop");
        assert_eq!(shown("redis://:p@w@host/3"), "redis://host/3");
        assert_eq!(shown("amqp://host/%2f?password=pw"), "amqp://host/%2f");
        assert_eq!(shown("embedded"), "embedded");
    }

    #[test]
    fn sizes_are_shown_in_binary_units() {
        assert_eq!(ByteSize(512).to_string(), "512 B");
        assert_eq!(ByteSize(1536).to_string(), "1.5 KiB");
        assert_eq!(ByteSize(400 << 20).to_string(), "400.0 MiB");
    }
}
