//! The results after which a buyer retries.

use serde::{Deserialize, Serialize};

/// A result after which a buyer retries.
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
    /// An unknown outcome: a time-out, a reset, a 500
    Unknown,
    /// No connection
    Connect,
}

impl RetryOn {
    /// The number of variants.
    pub const COUNT: usize = 4;

    /// All variants.
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
