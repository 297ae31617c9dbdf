//! How many attempts have to be in progress to use all that the server can do.
//!
//! By Little's law that is its highest rate times the shortest duration of one attempt. It is
//! estimated as the congestion control BBR estimates the capacity of a path (Cardwell et al., "BBR:
//! Congestion-Based Congestion Control", ACM Queue 14(5), 2016): a few times that product is
//! allowed, and when the shortest duration is old, fewer are allowed for a moment to measure it
//! again, because with a queue behind the permits no duration is short.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The fewest at a time. In one process a commit takes a fraction of a millisecond, and this many
/// fill two or three commits, so that deciding and writing never wait for more.
pub(super) const MIN: usize = 128;

/// The fewest at a time over a broker. It takes and confirms messages in batches, and so does the
/// register before it: while one batch is published, others are announced and confirmed.
pub(super) const MIN_OVER_BROKER: usize = 512;

/// The most at a time: more than any engine that was measured needs.
const MAX: usize = 4_096;

/// How many times the product of rate and duration are allowed. The shortest duration is that of an
/// attempt which comes just before a commit begins: one commit. Most come while a commit is in
/// progress, and take the rest of it and the next one: up to twice that. And there have to be
/// attempts that wait for the commit after those.
const GAIN: f64 = 3.0;

/// The time over which a rate is counted.
const WINDOW: Duration = Duration::from_millis(100);

/// How long a measurement counts.
const MEMORY: Duration = Duration::from_secs(10);

/// How long the shortest duration is measured with few in progress.
const PROBE: Duration = Duration::from_millis(200);

/// The limit, and the measurements that it follows from.
#[derive(Debug)]
pub(super) struct Estimate {
    /// The fewest that are allowed.
    min: usize,
    /// When each window ended, and its accepted attempts per second.
    rates: VecDeque<(Instant, f64)>,
    window_began: Instant,
    accepted: u32,
    /// The shortest duration, and when it was measured.
    shortest: Option<(Duration, Instant)>,
    probe: Option<Probe>,
    limit: usize,
}

/// The measurement of the shortest duration with few in progress.
#[derive(Debug)]
struct Probe {
    /// `None` until only few are in progress.
    ends: Option<Instant>,
    shortest: Duration,
}

impl Estimate {
    pub(super) fn new(min: usize, now: Instant) -> Self {
        Self {
            min,
            rates: VecDeque::new(),
            window_began: now,
            accepted: 0,
            shortest: None,
            probe: None,
            limit: min,
        }
    }

    /// The number of attempts that may be in progress.
    pub(super) fn limit(&self) -> usize {
        if self.probe.is_some() { self.min } else { self.limit }
    }

    /// Counts an attempt that was accepted within this time, while `in_use` others are in progress.
    pub(super) fn add(&mut self, duration: Duration, in_use: usize, now: Instant) {
        self.measure(duration, in_use, now);
        self.accepted += 1;
        let elapsed = now.saturating_duration_since(self.window_began);
        if elapsed < WINDOW {
            return;
        }
        self.rates.push_back((now, f64::from(self.accepted) / elapsed.as_secs_f64()));
        (self.window_began, self.accepted) = (now, 0);
        let is_old = |(ended, _): &(Instant, f64)| now.saturating_duration_since(*ended) > MEMORY;
        while self.rates.front().is_some_and(is_old) {
            self.rates.pop_front();
        }
        let per_second = self.rates.iter().map(|(_, rate)| *rate).fold(0.0, f64::max);
        let shortest = self.shortest.map_or(0.0, |(shortest, _)| shortest.as_secs_f64());
        self.limit = ((GAIN * per_second * shortest) as usize).clamp(self.min, MAX);
    }

    fn measure(&mut self, duration: Duration, in_use: usize, now: Instant) {
        let Some((_, at)) = self.shortest.filter(|(shortest, _)| duration > *shortest) else {
            self.shortest = Some((duration, now));
            self.probe = None;
            return;
        };
        if now.saturating_duration_since(at) <= MEMORY {
            return;
        }
        let probe = self.probe.get_or_insert(Probe { ends: None, shortest: Duration::MAX });
        match probe.ends {
            None if in_use <= self.min => probe.ends = Some(now + PROBE),
            None => {}
            Some(ends) => {
                probe.shortest = probe.shortest.min(duration);
                if now >= ends {
                    self.shortest = Some((probe.shortest, now));
                    self.probe = None;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server with a queue behind it: its capacity is a rate, and an attempt takes at least
    /// `shortest`, and longer the more are in progress.
    struct Served {
        estimate: Estimate,
        now: Instant,
        per_second: f64,
        shortest: Duration,
    }

    impl Served {
        fn new(per_second: f64, shortest: Duration) -> Self {
            let now = Instant::now();
            Self { estimate: Estimate::new(MIN, now), now, per_second, shortest }
        }

        /// Has as many in progress as may be, for some time.
        fn overload(&mut self, time: Duration) {
            let until = self.now + time;
            while self.now < until {
                let in_use = self.estimate.limit();
                let queued = Duration::from_secs_f64(in_use as f64 / self.per_second);
                let duration = queued.max(self.shortest);
                let per_second = (in_use as f64 / duration.as_secs_f64()).min(self.per_second);
                self.now += Duration::from_secs_f64(1.0 / per_second);
                self.estimate.add(duration, in_use, self.now);
            }
        }
    }

    #[test]
    fn fast_engine_gets_at_most_three_times_the_least() {
        let mut served = Served::new(30_000.0, Duration::from_millis(1));
        served.overload(Duration::from_secs(60));
        let limit = served.estimate.limit();
        assert!((MIN..=3 * MIN + 15).contains(&limit), "{limit}");
    }

    #[test]
    fn slow_engine_gets_three_times_what_fills_it_within_a_second_and_no_more_later() {
        let mut served = Served::new(20_000.0, Duration::from_millis(50));
        served.overload(Duration::from_secs(1));
        let is_threefold = |limit: usize| (2_900..=3_300).contains(&limit);
        assert!(is_threefold(served.estimate.limit()), "{}", served.estimate.limit());
        for _ in 0..60 {
            served.overload(Duration::from_secs(1));
            let limit = served.estimate.limit();
            assert!(limit == MIN || is_threefold(limit), "{limit}");
        }
    }

    #[test]
    fn duration_measured_while_idle_is_forgotten() {
        let mut served = Served::new(20_000.0, Duration::from_millis(50));
        served.estimate.add(Duration::from_millis(1), 0, served.now);
        served.overload(Duration::from_secs(12));
        assert!(served.estimate.limit() > 2_900, "{}", served.estimate.limit());
    }

    #[test]
    fn limit_is_bounded() {
        let mut served = Served::new(1e6, Duration::from_millis(100));
        served.overload(Duration::from_secs(2));
        assert_eq!(served.estimate.limit(), MAX);
    }
}
