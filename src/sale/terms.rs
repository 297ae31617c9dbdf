//! The terms of a sale, and its phases.

use crate::ids::ItemId;

/// What is on offer, when, and how much of it one buyer may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The item.
    pub item: ItemId,
    /// Units at the opening.
    pub stock: u32,
    /// Orders that one buyer may have; at least 1.
    pub per_buyer: u32,
    /// Opening, in microseconds since the Unix epoch; at once when `None`.
    pub opens_us: Option<u64>,
    /// Closing, in microseconds since the Unix epoch; never when `None`.
    pub closes_us: Option<u64>,
}

/// Where a sale is in its life.
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
    /// Whether such a sale can be held.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), String> {
        if self.per_buyer == 0 {
            return Err("per_buyer must be at least 1".into());
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
    fn opening_and_closing_are_sharp() {
        let item: ItemId = "tea".parse().unwrap();
        let (opens_us, closes_us) = (Some(10), Some(20));
        let terms = Terms { item, stock: 1, per_buyer: 1, opens_us, closes_us };
        let phases = [9, 10, 19, 20].map(|now_us| terms.phase(now_us));
        assert_eq!(phases, [Phase::NotOpen, Phase::Open, Phase::Open, Phase::Closed]);
    }
}
