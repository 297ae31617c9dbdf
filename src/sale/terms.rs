//! The terms of a sale, and its phases.

use crate::ids::ItemId;

/// Longest hold of an order: a week.
pub const HOLD_MAX_US: u64 = 7 * 24 * 3600 * 1_000_000;

/// What is on sale, when, and how much of it one buyer may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The item on sale.
    pub item: ItemId,
    /// Units when the sale opens.
    pub stock: u32,
    /// Orders that one buyer may have; at least 1.
    pub per_buyer: u32,
    /// When it opens, in microseconds since the Unix epoch; immediately when `None`.
    pub opens_us: Option<u64>,
    /// When it closes, in microseconds since the Unix epoch; never when `None`.
    pub closes_us: Option<u64>,
    /// How long an order is held until it is paid for, in microseconds; orders need no payment when
    /// `None`.
    pub hold_us: Option<u64>,
}

/// The phase of a sale at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Before `opens_us`.
    NotOpen,
    /// Attempts are accepted.
    Open,
    /// From `closes_us` on.
    Closed,
}

impl Terms {
    /// Checks that such a sale is possible.
    ///
    /// # Errors
    /// Returns what is wrong with it.
    pub fn check(&self) -> Result<(), String> {
        if self.per_buyer == 0 {
            return Err("per_buyer must be at least 1".into());
        }
        if self.hold_us.is_some_and(|us| us == 0 || us > HOLD_MAX_US) {
            return Err("hold must be at most 168h; 0s is no hold".into());
        }
        match (self.opens_us, self.closes_us) {
            (opens, Some(closes)) if opens.unwrap_or(0) >= closes => {
                Err("the sale closes before it opens".into())
            }
            _ => Ok(()),
        }
    }

    /// The phase at a moment in microseconds since the Unix epoch.
    pub fn phase(&self, now_us: u64) -> Phase {
        if self.closes_us.is_some_and(|closes_us| now_us >= closes_us) {
            Phase::Closed
        } else if self.opens_us.is_some_and(|opens_us| now_us < opens_us) {
            Phase::NotOpen
        } else {
            Phase::Open
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sale_is_open_from_opens_us_until_before_closes_us() {
        let item: ItemId = "tea".parse().unwrap();
        let (opens_us, closes_us) = (Some(10), Some(20));
        let terms = Terms { item, stock: 1, per_buyer: 1, opens_us, closes_us, hold_us: None };
        let phases = [9, 10, 19, 20].map(|now_us| terms.phase(now_us));
        assert_eq!(phases, [Phase::NotOpen, Phase::Open, Phase::Open, Phase::Closed]);
    }
}
