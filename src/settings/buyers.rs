//! How buyers are assigned to the attempts of a run.

use std::fmt;
use std::str::FromStr;

use crate::units::{Count, UnitError, text_serde};

/// Largest exponent of a skew: beyond it, one buyer makes all clicks.
const SKEW_MAX: f64 = 10.0;

/// How buyers are assigned to attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Buyers {
    /// A new buyer for each attempt, as in the article.
    New,
    /// One buyer for each virtual user.
    Thread,
    /// This number of buyers in total, all equally likely; at least 1.
    Pool(u64),
    /// A number of buyers in total, distributed by Zipf's law.
    Skewed {
        /// The number of buyers; at least 1.
        buyers: u64,
        /// The exponent of the Zipf distribution.
        skew: Skew,
    },
}

/// The exponent of Zipf's law: the `k`th buyer clicks about 1 / k^s times as often as the first.
/// Above 0 and at most 10, to a thousandth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skew {
    thousandths: u32,
}

impl Skew {
    /// The exponent.
    pub fn exponent(self) -> f64 {
        f64::from(self.thousandths) / 1e3
    }
}

impl FromStr for Buyers {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let invalid = || {
            UnitError::new(format!(
                "`{text}` is neither new, thread nor a number of buyers, such as 10k, or 10k:1.1 \
                 where some click more"
            ))
        };
        let (number, skew) = match text {
            "new" => return Ok(Self::New),
            "thread" => return Ok(Self::Thread),
            number => number.split_once(':').map_or((number, None), |(n, skew)| (n, Some(skew))),
        };
        let Count(buyers) = number.parse().map_err(|_| invalid())?;
        let skew = skew.map(|skew| skew.parse::<f64>().map_err(|_| invalid())).transpose()?;
        match skew {
            _ if buyers == 0 => Err(invalid()),
            None => Ok(Self::Pool(buyers)),
            Some(skew) if (0.001..=SKEW_MAX).contains(&skew) => {
                let skew = Skew { thousandths: (skew * 1e3).round() as u32 };
                Ok(Self::Skewed { buyers, skew })
            }
            Some(_) => Err(invalid()),
        }
    }
}

impl fmt::Display for Buyers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New => f.write_str("new"),
            Self::Thread => f.write_str("thread"),
            Self::Pool(buyers) => write!(f, "{buyers}"),
            Self::Skewed { buyers, skew } => write!(f, "{buyers}:{}", skew.exponent()),
        }
    }
}

text_serde! {
    Buyers => "new, thread or a number of buyers",
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        text.parse::<Buyers>().map_or_else(|error| error.to_string(), |read| read.to_string())
    }

    #[test]
    fn buyers_display_as_they_were_written() {
        for text in ["new", "thread", "5", "100:1.1"] {
            assert_eq!(parsed(text), text);
        }
    }

    #[test]
    fn invalid_buyers_name_the_valid_forms() {
        for text in ["0", "old", "5:0", "5:11", "5:x", "0:1", "5:NaN"] {
            assert!(parsed(text).contains("neither new"), "{text}");
        }
    }
}
