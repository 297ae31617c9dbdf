//! The limit on attempts per second of each buyer.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::ids::BuyerId;
use crate::units::Rate;

use super::rate_limit::Pace;

/// Buyers that are remembered; each takes some 20 to 40 bytes.
const BUYERS_MAX: usize = 1 << 20;

/// Parts of the table, each with a lock of its own.
const SHARDS: usize = 64;

/// Buyers in one generation of a shard: it has two.
const GENERATION_LEN: usize = BUYERS_MAX / SHARDS / 2;

/// A token bucket for each buyer: it holds as many attempts as a second brings.
///
/// The table is bounded. When it is full, the buckets that have not been used for longest are
/// dropped, and count as full again. They really are full, unless half a million buyers came within
/// a second.
#[derive(Debug)]
pub struct BuyerRateLimit {
    started: Instant,
    pace: Pace,
    hasher: RandomState,
    shards: Vec<Mutex<Shard>>,
}

/// When the next attempt of each buyer would be due, in nanoseconds since the start. A buyer is
/// known by a keyed hash of the name, which nobody can choose.
#[derive(Debug, Default)]
struct Shard {
    current: HashMap<u64, u64>,
    /// The generation before: dropped when the current one is full.
    previous: HashMap<u64, u64>,
}

impl BuyerRateLimit {
    /// A limit at this rate for each buyer.
    pub fn new(rate: Rate) -> Self {
        Self {
            started: Instant::now(),
            pace: Pace::new(rate, Duration::from_secs(1)),
            hasher: RandomState::new(),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }
    }

    /// Counts an attempt of a buyer.
    ///
    /// # Errors
    /// Returns the time until the next attempt is within the limit; this one is not counted then.
    pub(super) fn admit(&self, buyer: &BuyerId) -> Result<(), Duration> {
        self.admit_at(buyer, u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    fn admit_at(&self, buyer: &BuyerId, now_ns: u64) -> Result<(), Duration> {
        let hash = self.hasher.hash_one(buyer);
        let shard = &self.shards[hash as usize % SHARDS];
        shard.lock().unwrap_or_else(PoisonError::into_inner).admit(hash, self.pace, now_ns)
    }
}

impl Shard {
    fn admit(&mut self, hash: u64, pace: Pace, now_ns: u64) -> Result<(), Duration> {
        let Self { current, previous } = self;
        let due_ns = current.get(&hash).or_else(|| previous.get(&hash)).copied();
        let next_ns = pace.next_due_ns(due_ns.unwrap_or(0), now_ns)?;
        if current.len() >= GENERATION_LEN && !current.contains_key(&hash) {
            *previous = std::mem::take(current);
        }
        current.insert(hash, next_ns);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buyer(number: usize) -> BuyerId {
        format!("buyer-{number}").parse().unwrap()
    }

    #[test]
    fn each_buyer_has_a_second_of_attempts_and_then_the_rate() {
        let limit = BuyerRateLimit::new(Rate { per_second: 5 });
        let admitted = |number: usize, now_ns: u64| {
            (0..100).filter(|_| limit.admit_at(&buyer(number), now_ns).is_ok()).count()
        };
        assert_eq!(admitted(1, 0), 5);
        assert_eq!(admitted(2, 0), 5, "buyers do not share");
        assert_eq!(limit.admit_at(&buyer(1), 0), Err(Duration::from_millis(200)));
        assert_eq!(admitted(1, 200_000_000), 1);
        assert_eq!(admitted(1, 10_000_000_000), 5, "the bucket holds no more than a second");
    }

    #[test]
    fn table_is_bounded_and_forgets_the_oldest() {
        let pace = Pace::new(Rate { per_second: 1 }, Duration::from_secs(1));
        let (mut shard, last) = (Shard::default(), 3 * GENERATION_LEN as u64);
        for hash in 0..=last {
            assert_eq!(shard.admit(hash, pace, 0), Ok(()));
            assert!(shard.current.len() + shard.previous.len() <= BUYERS_MAX / SHARDS);
        }
        assert!(shard.admit(last, pace, 0).is_err());
        assert_eq!(shard.admit(0, pace, 0), Ok(()), "it was forgotten");
    }
}
