//! Numbers, rates, shares and sizes.

use std::fmt;
use std::str::FromStr;

use super::{UnitError, text_serde};

/// A whole number; `k` is a thousand and `M` a million: `350`, `10k`, `2M`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(pub u64);

impl FromStr for Count {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let invalid = || UnitError::new(format!("`{text}` is not a count: write 350, 10k or 2M"));
        let (digits, factor) = match text.strip_suffix(['k', 'K']) {
            Some(digits) => (digits, 1_000),
            None => text.strip_suffix('M').map_or((text, 1), |digits| (digits, 1_000_000)),
        };
        let number: u64 = digits.replace('_', "").parse().map_err(|_| invalid())?;
        number.checked_mul(factor).map(Self).ok_or_else(invalid)
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
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
        let invalid = || UnitError::new(format!("`{text}` is not a rate: write 500/s or 5k/s"));
        let count = text.strip_suffix("/s").ok_or_else(invalid)?;
        match Count::from_str(count).map_err(|_| invalid())? {
            Count(0) => Err(invalid()),
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
    /// A share in percent; at most 100.
    pub const fn percent(percent: u8) -> Self {
        Self { millionths: if percent > 100 { 1_000_000 } else { percent as u32 * 10_000 } }
    }

    /// The share as a fraction from 0 to 1.
    pub fn fraction(self) -> f64 {
        f64::from(self.millionths) / 1e6
    }
}

impl FromStr for Share {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let invalid = || {
            let cure = "write one from 0% to 100%, such as 5%";
            UnitError::new(format!("`{text}` is not a share: {cure}"))
        };
        let percent: f64 =
            text.strip_suffix('%').ok_or_else(invalid)?.parse().map_err(|_| invalid())?;
        if !(0.0..=100.0).contains(&percent) {
            return Err(invalid());
        }
        Ok(Self { millionths: (percent * 10_000.0).round() as u32 })
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", f64::from(self.millionths) / 10_000.0)
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

text_serde! {
    Count => "a count such as 350 or \"10k\"",
    Rate => "a rate such as \"5k/s\"",
    Share => "a share such as \"5%\"",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_accept_thousands_and_millions() {
        assert_eq!("350".parse(), Ok(Count(350)));
        assert_eq!("10k".parse(), Ok(Count(10_000)));
        assert_eq!("2M".parse(), Ok(Count(2_000_000)));
        for text in ["", "k", "-1", "1.5k", "10 k", "99999999999999999999", "99999999999999999M"] {
            assert!(text.parse::<Count>().is_err(), "{text}");
        }
    }

    #[test]
    fn rate_is_per_second_and_above_zero() {
        assert_eq!("5k/s".parse(), Ok(Rate { per_second: 5_000 }));
        assert!("0/s".parse::<Rate>().is_err());
        assert!("5".parse::<Rate>().is_err());
    }

    #[test]
    fn share_is_a_percentage() {
        assert_eq!("5%".parse(), Ok(Share::percent(5)));
        assert_eq!("0.25%".parse::<Share>().unwrap().fraction(), 0.0025);
        assert_eq!("12.5%".parse::<Share>().unwrap().to_string(), "12.5%");
        for text in ["5", "%", "101%", "-1%", "NaN%", "inf%", ""] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_display_in_binary_units() {
        assert_eq!(ByteSize(512).to_string(), "512 B");
        assert_eq!(ByteSize(1536).to_string(), "1.5 KiB");
        assert_eq!(ByteSize(400 << 20).to_string(), "400.0 MiB");
    }
}
