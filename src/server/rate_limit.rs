//! The limit on attempts per second.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::units::Rate;

/// Admits a number of attempts per second, evenly, with bursts of a tenth of a second: the generic
/// cell rate algorithm (ITU-T I.371), which needs one number and no lock.
#[derive(Debug)]
pub struct RateLimit {
    started: Instant,
    interval_ns: u64,
    burst_ns: u64,
    /// When the next attempt would be due, in nanoseconds since `started`.
    due_ns: AtomicU64,
}

impl RateLimit {
    /// A limit at this rate.
    pub fn new(rate: Rate) -> Self {
        let interval_ns = (1_000_000_000 / rate.per_second).max(1);
        let burst_ns = 100_000_000.max(interval_ns);
        Self { started: Instant::now(), interval_ns, burst_ns, due_ns: AtomicU64::new(0) }
    }

    /// Whether one more attempt is within the limit now; if so, it counts.
    pub(super) fn admit(&self) -> bool {
        self.admit_at(u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    fn admit_at(&self, now_ns: u64) -> bool {
        let next = |due_ns: u64| {
            let next_ns = due_ns.max(now_ns) + self.interval_ns;
            (next_ns <= now_ns + self.burst_ns).then_some(next_ns)
        };
        self.due_ns.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_is_kept_over_time() {
        let limit = RateLimit::new(Rate { per_second: 100 });
        let admitted = (0..10_000).filter(|ms| limit.admit_at(ms * 1_000_000)).count();
        assert!((1_000..=1_010).contains(&admitted), "{admitted} in 10 s at 100/s");
    }

    #[test]
    fn burst_is_a_tenth_of_a_second() {
        let limit = RateLimit::new(Rate { per_second: 100 });
        assert_eq!((0..1_000).filter(|_| limit.admit_at(0)).count(), 10);
        let slow = RateLimit::new(Rate { per_second: 1 });
        assert_eq!((0..1_000).filter(|_| slow.admit_at(0)).count(), 1);
    }
}
