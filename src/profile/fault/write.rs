//! Writes a fault as `--fault` reads it.

use std::fmt;

use crate::units::Span;

use super::{Action, Fault, ProcessAction, Toxic, ToxicKind, Trigger, Units, Way};

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at={}", self.at)?;
        if let Some(lasts) = self.lasts {
            write!(f, " for={}", word(lasts))?;
        }
        write!(f, " what={} do={}", self.what.as_str(), self.does)?;
        match self.nodes {
            Some(nodes) => write!(f, " node={}", nodes.as_str()),
            None => Ok(()),
        }
    }
}

/// A time as one word: humantime separates its units by spaces.
fn word(time: std::time::Duration) -> String {
    Span(time).to_string().replace(' ', "")
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After(time) => f.write_str(&word(*time)),
            Self::StockBelow(Units::Number(number)) => write!(f, "stock<{number}"),
            Self::StockBelow(Units::Share(share)) => {
                // A share is kept to a millionth, so this writes all of it.
                write!(f, "stock<{}%", (share * 1e6).round() / 1e4)
            }
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link(toxic) => toxic.fmt(f),
            Self::Process(ProcessAction::Pause) => f.write_str("pause"),
            Self::Process(ProcessAction::Kill) => f.write_str("kill"),
            Self::Process(ProcessAction::Wipe) => f.write_str("wipe"),
            Self::Process(ProcessAction::Full) => f.write_str("full"),
        }
    }
}

impl fmt::Display for Toxic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ToxicKind::Latency { delay, jitter } => {
                write!(f, "latency delay={}", word(delay))?;
                if !jitter.is_zero() {
                    write!(f, " jitter={}", word(jitter))?;
                }
            }
            ToxicKind::Bandwidth { bytes_per_s } => write!(f, "bandwidth rate={bytes_per_s}/s")?,
            ToxicKind::Slicer { bytes, delay } => {
                write!(f, "slicer bytes={bytes} delay={}", word(delay))?;
            }
            ToxicKind::Blackhole => f.write_str("blackhole")?,
            ToxicKind::Timeout { delay } => write!(f, "timeout delay={}", word(delay))?,
            ToxicKind::Reset => f.write_str("reset")?,
            ToxicKind::SlowClose { delay } => write!(f, "slow-close delay={}", word(delay))?,
            ToxicKind::LimitData { bytes } => write!(f, "limit-data bytes={bytes}")?,
            ToxicKind::Down => f.write_str("down")?,
            ToxicKind::HalfOpen => f.write_str("half-open")?,
        }
        match self.way {
            Way::Both => Ok(()),
            Way::Up => f.write_str(" way=up"),
            Way::Down => f.write_str(" way=down"),
        }
    }
}

impl ToxicKind {
    /// Whether it can affect one direction only.
    pub(super) fn has_way(self) -> bool {
        match self {
            Self::Latency { .. }
            | Self::Bandwidth { .. }
            | Self::Slicer { .. }
            | Self::Blackhole
            | Self::LimitData { .. } => true,
            Self::Timeout { .. }
            | Self::Reset
            | Self::SlowClose { .. }
            | Self::Down
            | Self::HalfOpen => false,
        }
    }
}
