//! How fast a queue becomes shorter.

use std::time::{Duration, Instant};

/// The time over which attempts are counted.
const WINDOW: Duration = Duration::from_secs(1);

/// For how long a count says something about the present.
const AGE_MAX: Duration = Duration::from_secs(5);

/// Attempts that have left a queue, by second.
#[derive(Debug, Default)]
pub struct DrainRate {
    /// The present window: when it began, and what was counted since.
    window: Option<(Instant, usize)>,
    /// Attempts per second of the window before.
    before: Option<f64>,
    /// The number that was last observed, of all that have ever left.
    observed: Option<u64>,
}

impl DrainRate {
    /// Counts attempts that have left the queue at this moment.
    pub fn add(&mut self, attempts: usize, now: Instant) {
        let (began, count) = self.window.get_or_insert((now, 0));
        let elapsed = now.duration_since(*began);
        if elapsed >= WINDOW {
            let is_recent = elapsed < AGE_MAX;
            self.before = is_recent.then(|| *count as f64 / elapsed.as_secs_f64());
            (*began, *count) = (now, 0);
        }
        *count += attempts;
    }

    /// Counts by observation: `total` attempts have ever left the queue.
    pub fn observe(&mut self, total: u64, now: Instant) {
        let before = self.observed.replace(total).unwrap_or(total);
        self.add(usize::try_from(total.saturating_sub(before)).unwrap_or(usize::MAX), now);
    }

    /// How long it takes until this number of attempts has left; `None` if too little is known.
    pub fn time_for(&self, attempts: usize, now: Instant) -> Option<Duration> {
        let seconds = attempts as f64 / self.per_second(now).filter(|rate| *rate > 0.0)?;
        Duration::try_from_secs_f64(seconds).ok()
    }

    /// Attempts per second in the last second; `None` if too little is known.
    pub fn per_second(&self, now: Instant) -> Option<f64> {
        let (began, count) = self.window?;
        match now.duration_since(began) {
            elapsed if elapsed >= AGE_MAX => None,
            elapsed if elapsed >= WINDOW => Some(count as f64 / elapsed.as_secs_f64()),
            _ => self.before,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_follows_the_rate_of_the_last_second() {
        let mut rate = DrainRate::default();
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        assert_eq!(rate.time_for(100, at(0)), None);
        for ms in 0..1_000 {
            rate.add(2, at(ms));
        }
        assert_eq!(rate.time_for(100, at(999)), None, "no second is complete");
        assert_eq!(rate.time_for(10_000, at(1_000)), Some(Duration::from_secs(5)));
        rate.add(1, at(1_000));
        assert_eq!(rate.time_for(10_000, at(1_500)), Some(Duration::from_secs(5)));
        assert_eq!(rate.time_for(10_000, at(6_000)), None, "it has stopped");
    }

    #[test]
    fn rate_can_be_observed_as_a_total() {
        let mut rate = DrainRate::default();
        let start = Instant::now();
        for (ms, total) in [(0, 5_000), (500, 5_100), (1_000, 5_200), (1_100, 4)] {
            rate.observe(total, start + Duration::from_millis(ms));
        }
        let eta = rate.time_for(200, start + Duration::from_millis(1_200));
        assert_eq!(eta, Some(Duration::from_secs(2)), "the total before it was observed is old");
    }
}
