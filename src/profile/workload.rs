//! The values that describe a load: pauses, stages and arrivals, as users write them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::random::{self, Draw};
use crate::units::{Count, Rate, Span, UnitError, text_serde};

/// The pause of a user between an answer and its next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Think {
    /// A constant pause.
    Constant(Duration),
    /// Uniformly distributed between two times.
    Uniform(Duration, Duration),
    /// Exponentially distributed with this mean; at most 37 times the mean.
    Exponential(Duration),
}

impl Default for Think {
    fn default() -> Self {
        Self::Constant(Duration::ZERO)
    }
}

impl Think {
    /// Whether there is no pause.
    pub fn is_zero(self) -> bool {
        self == Self::default()
    }

    /// The longest time in the definition; for an exponential pause, its mean.
    pub fn longest(self) -> Duration {
        match self {
            Self::Constant(time) | Self::Uniform(_, time) | Self::Exponential(time) => time,
        }
    }

    /// The pause before attempt `number` of a run with this seed.
    pub fn draw(self, seed: u64, number: u64) -> Duration {
        match self {
            Self::Constant(time) => time,
            Self::Uniform(from, to) => {
                from + (to - from).mul_f64(random::uniform(seed, Draw::Think, number))
            }
            Self::Exponential(mean) => mean.mul_f64(random::exponential(seed, Draw::Think, number)),
        }
    }
}

impl FromStr for Think {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let invalid = || {
            UnitError::new(format!(
                "`{text}` is not a pause: write 2s, uniform:1s..3s or exponential:2s"
            ))
        };
        let time = |text: &str| text.parse().map(|Span(time)| time).map_err(|_| invalid());
        match text.split_once(':') {
            None => time(text).map(Self::Constant),
            Some(("exponential", mean)) => time(mean).map(Self::Exponential),
            Some(("uniform", range)) => {
                let (from, to) = range.split_once("..").ok_or_else(invalid)?;
                let (from, to) = (time(from)?, time(to)?);
                if from <= to { Ok(Self::Uniform(from, to)) } else { Err(invalid()) }
            }
            Some(_) => Err(invalid()),
        }
    }
}

impl fmt::Display for Think {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(time) => Span(*time).fmt(f),
            Self::Uniform(from, to) => write!(f, "uniform:{}..{}", Span(*from), Span(*to)),
            Self::Exponential(mean) => write!(f, "exponential:{}", Span(*mean)),
        }
    }
}

/// One stage of a run, as in k6: the level changes linearly within a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// The length of the stage; a stage of 0 changes the level immediately.
    pub over: Duration,
    /// The level at its end.
    pub to: Level,
}

/// The level at the end of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// A number of virtual users, in the closed model.
    Threads(u64),
    /// A number of attempts per second, in the open model.
    PerSecond(u64),
}

impl FromStr for Stage {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let invalid = || {
            UnitError::new(format!(
                "`{text}` is not a stage: write 10s:350 for threads, or 10s:5k/s for a rate"
            ))
        };
        let (over, to) = text.split_once(':').ok_or_else(invalid)?;
        let Span(over) = over.parse().map_err(|_| invalid())?;
        let to = match to.strip_suffix("/s") {
            // A stage may end at 0/s, although no run has that rate.
            Some("0") => Level::PerSecond(0),
            Some(_) => Level::PerSecond(to.parse::<Rate>().map_err(|_| invalid())?.per_second),
            None => Level::Threads(to.parse::<Count>().map_err(|_| invalid())?.0),
        };
        Ok(Self { over, to })
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to {
            Level::Threads(threads) => write!(f, "{}:{threads}", Span(self.over)),
            Level::PerSecond(rate) => write!(f, "{}:{rate}/s", Span(self.over)),
        }
    }
}

/// The distribution of the attempts of the open model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Arrival {
    /// Evenly spaced
    #[default]
    Constant,
    /// As a Poisson process: independent, like the clicks of many unrelated people
    Poisson,
}

text_serde! {
    Think => "a pause such as \"2s\" or \"uniform:1s..3s\"",
    Stage => "a stage such as \"10s:350\" or \"10s:5k/s\"",
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: FromStr<Err = UnitError> + fmt::Display>(text: &str) -> String {
        text.parse::<T>().map_or_else(|error| error.to_string(), |read| read.to_string())
    }

    #[test]
    fn text_round_trips() {
        for text in ["2s", "uniform:1s..3s", "exponential:250ms"] {
            assert_eq!(read::<Think>(text), text);
        }
        for text in ["10s:350", "1m:5000/s", "0s:0", "5s:0/s"] {
            assert_eq!(read::<Stage>(text), text);
        }
    }

    #[test]
    fn invalid_text_names_the_valid_forms() {
        for text in ["2", "uniform:1s", "uniform:3s..1s", "normal:1s", "exponential:"] {
            assert!(read::<Think>(text).contains("is not a pause"), "{text}");
        }
        for text in ["350", "10s", "10s:", "10s:-1", "10s:5k/m", "x:5"] {
            assert!(read::<Stage>(text).contains("is not a stage"), "{text}");
        }
    }

    #[test]
    fn pauses_follow_their_distribution_and_their_seed() {
        let (a, b) = (Duration::from_secs(1), Duration::from_secs(3));
        let mean = |think: Think| {
            (0..20_000).map(|n| think.draw(7, n).as_secs_f64()).sum::<f64>() / 20_000.0
        };
        assert_eq!(Think::Constant(a).draw(1, 2), a);
        assert!((0..1000).all(|n| (a..=b).contains(&Think::Uniform(a, b).draw(1, n))));
        assert!((mean(Think::Uniform(a, b)) - 2.0).abs() < 0.02);
        assert!((mean(Think::Exponential(a)) - 1.0).abs() < 0.03);
        assert_eq!(Think::Exponential(a).draw(5, 6), Think::Exponential(a).draw(5, 6));
        assert_ne!(Think::Exponential(a).draw(5, 6), Think::Exponential(a).draw(6, 6));
    }
}
