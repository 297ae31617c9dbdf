//! How many attempts have to be in progress to use all that the server can do.
//!
//! By Little's law that is its highest rate times the shortest duration of one attempt, as the
//! congestion control BBR estimates the capacity of a path (Cardwell et al., "BBR:
//! Congestion-Based Congestion Control", ACM Queue 14(5), 2016). More of them only wait.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The fewest at a time: as many as share a commit, as many that are handled meanwhile, and as many
/// whose clients send the next one. A commit for few would cost each of them more.
const MIN: usize = 192;

/// The most at a time, whatever was measured.
const MAX: usize = 4_096;

/// Twice the product, so that some wait while others are written.
const GAIN: f64 = 2.0;

/// The time over which attempts are counted.
const WINDOW: Duration = Duration::from_millis(100);

/// Windows that are kept, which is 10 s under load.
const WINDOWS_MAX: usize = 100;

/// The rates and durations of the last windows, and the limit that follows from them.
#[derive(Debug)]
pub(super) struct Estimate {
    windows: VecDeque<Window>,
    began: Instant,
    accepted: u32,
    shortest: Duration,
    limit: usize,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    per_second: f64,
    shortest: Duration,
}

impl Estimate {
    pub(super) fn new(now: Instant) -> Self {
        let windows = VecDeque::with_capacity(WINDOWS_MAX);
        Self { windows, began: now, accepted: 0, shortest: Duration::MAX, limit: MIN }
    }

    /// The number of attempts that may be in progress.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Counts an attempt that was accepted within this time.
    pub(super) fn add(&mut self, duration: Duration, now: Instant) {
        self.accepted += 1;
        self.shortest = self.shortest.min(duration);
        let elapsed = now.saturating_duration_since(self.began);
        if elapsed < WINDOW {
            return;
        }
        if self.windows.len() == WINDOWS_MAX {
            self.windows.pop_front();
        }
        let per_second = f64::from(self.accepted) / elapsed.as_secs_f64();
        self.windows.push_back(Window { per_second, shortest: self.shortest });
        (self.began, self.accepted, self.shortest) = (now, 0, Duration::MAX);
        let per_second = self.windows.iter().map(|window| window.per_second).fold(0.0, f64::max);
        let shortest = self.windows.iter().map(|window| window.shortest).min().unwrap_or_default();
        self.limit = ((GAIN * per_second * shortest.as_secs_f64()) as usize).clamp(MIN, MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds attempts of one duration at a rate, for some windows.
    fn run(estimate: &mut Estimate, start: Instant, windows: u32, per_window: u32, ms: u64) {
        for window in 0..windows {
            for number in 1..=per_window {
                let at = start + WINDOW * window + WINDOW * number / per_window;
                estimate.add(Duration::from_millis(ms), at);
            }
        }
    }

    #[test]
    fn limit_is_twice_rate_times_duration_within_its_bounds() {
        let start = Instant::now();
        for (per_window, ms, limit) in [(100, 1, MIN), (1_000, 50, 1_000), (5_000, 200, MAX)] {
            let mut estimate = Estimate::new(start);
            assert_eq!(estimate.limit(), MIN);
            run(&mut estimate, start, 3, per_window, ms);
            assert_eq!(estimate.limit(), limit, "{per_window} in {WINDOW:?}, {ms} ms each");
        }
    }

    #[test]
    fn standing_queue_does_not_raise_the_limit() {
        let start = Instant::now();
        let mut estimate = Estimate::new(start);
        run(&mut estimate, start, 10, 1_000, 10);
        let limit = estimate.limit();
        run(&mut estimate, start + 10 * WINDOW, WINDOWS_MAX as u32 - 20, 1_000, 500);
        assert_eq!(estimate.limit(), limit);
    }

    #[test]
    fn old_measurements_are_forgotten() {
        let start = Instant::now();
        let mut estimate = Estimate::new(start);
        run(&mut estimate, start, 3, 1_000, 50);
        run(&mut estimate, start + 3 * WINDOW, WINDOWS_MAX as u32, 10, 50);
        assert_eq!(estimate.limit(), MIN);
        assert_eq!(estimate.windows.len(), WINDOWS_MAX);
    }
}
