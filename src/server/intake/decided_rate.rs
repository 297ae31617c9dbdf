//! How fast the attempts of a register are decided, by whatever process.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::queue::DrainRate;

/// The rate of decisions, from the totals that this process happens to read.
#[derive(Debug, Default)]
pub struct DecidedRate(Mutex<Observed>);

#[derive(Debug, Default)]
struct Observed {
    rate: DrainRate,
    /// The number of decisions that was read last, and since when attempts have been waiting while
    /// it stays.
    standstill: Option<(u64, Instant)>,
}

impl DecidedRate {
    /// Notes how many attempts were ever decided, and returns how long it takes until this number
    /// of attempts is decided; `None` if too little is known.
    pub(super) fn time_for(&self, attempts: usize, decided: u64) -> Option<Duration> {
        let mut observed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        observed.rate.observe(decided, now);
        observed.rate.time_for(attempts, now)
    }

    /// In the same way, how long a new attempt will wait behind all that wait, of this number: at
    /// least as long as none of them has been decided.
    pub(super) fn wait(&self, waiting: usize, decided: u64) -> Option<Duration> {
        self.time_for(waiting, decided).max(self.standstill(waiting, decided, Instant::now()))
    }

    fn standstill(&self, waiting: usize, decided: u64, now: Instant) -> Option<Duration> {
        let mut observed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = observed.standstill.filter(|(before, _)| *before == decided);
        observed.standstill = (waiting > 0).then(|| since.unwrap_or((decided, now)));
        observed.standstill.map(|(_, since)| now.saturating_duration_since(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_that_wait_while_nothing_is_decided_will_wait_longer() {
        let (rate, start) = (DecidedRate::default(), Instant::now());
        let standstill =
            |waiting, decided, s| rate.standstill(waiting, decided, start + Duration::from_secs(s));
        let seconds = |s| Some(Duration::from_secs(s));
        assert_eq!(standstill(0, 7, 0), None, "nothing waits");
        assert_eq!(standstill(1, 7, 10), seconds(0));
        assert_eq!(standstill(9, 7, 13), seconds(3));
        assert_eq!(standstill(9, 8, 14), seconds(0), "one was decided");
        assert_eq!(standstill(9, 8, 74), seconds(60));
        assert_eq!(standstill(0, 9, 75), None);
    }
}
