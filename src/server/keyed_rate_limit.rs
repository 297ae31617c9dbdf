//! The limit on attempts per second of each buyer, or of each address.

use std::hash::Hash;
use std::time::{Duration, Instant};

use crate::units::Rate;

use super::bounded_table::BoundedTable;
use super::rate_limit::Pace;

/// A token bucket for each key, a buyer or an address: it holds as many attempts as a second
/// brings.
///
/// The table is bounded. When it is full, the buckets that have not been used for longest are
/// dropped, and count as full again. They really are full, unless half a million keys came within
/// a second.
#[derive(Debug)]
pub struct KeyedRateLimit {
    started: Instant,
    pace: Pace,
    /// When the next attempt of each key would be due, in nanoseconds since the start.
    due_ns: BoundedTable,
}

impl KeyedRateLimit {
    /// A limit at this rate for each key.
    pub fn new(rate: Rate) -> Self {
        let pace = Pace::new(rate, Duration::from_secs(1));
        Self { started: Instant::now(), pace, due_ns: BoundedTable::default() }
    }

    /// Counts an attempt of a key.
    ///
    /// # Errors
    /// Returns the time until the next attempt is within the limit; this one is not counted then.
    pub(super) fn admit(&self, key: &impl Hash) -> Result<(), Duration> {
        self.admit_at(key, u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    fn admit_at(&self, key: &impl Hash, now_ns: u64) -> Result<(), Duration> {
        let key = self.due_ns.key(key);
        let mut shard = self.due_ns.shard(key);
        let next_ns =
            self.pace.next_due_ns(shard.get(key).unwrap_or(0), now_ns, self.pace.burst_ns)?;
        shard.set(key, next_ns);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_a_second_of_attempts_and_then_the_rate() {
        let limit = KeyedRateLimit::new(Rate { per_second: 5 });
        let admitted = |number: usize, now_ns: u64| {
            (0..100).filter(|_| limit.admit_at(&number, now_ns).is_ok()).count()
        };
        assert_eq!(admitted(1, 0), 5);
        assert_eq!(admitted(2, 0), 5, "keys do not share");
        assert_eq!(limit.admit_at(&1_usize, 0), Err(Duration::from_millis(200)));
        assert_eq!(admitted(1, 200_000_000), 1);
        assert_eq!(admitted(1, 10_000_000_000), 5, "the bucket holds no more than a second");
    }
}
