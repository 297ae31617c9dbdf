//! The text beside the progress bar.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::profile::{Model, Plan};
use crate::stats::{LastSecond, SaleNow, Totals};

/// Looks by which the rate is measured: at 200 ms each, those of the last second.
const LOOKS: usize = 6;

/// How far a run is that will end: in attempts, or in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// After this many attempts.
    Attempts(u64),
    /// At this time.
    At(Duration),
}

/// The end of a plan. One of both kinds ends by what comes first, most often the attempts.
pub(super) fn end(plan: &Plan) -> Option<End> {
    match plan.model {
        Model::Closed { loops: Some(loops), .. } => {
            Some(End::Attempts(plan.threads.saturating_mul(loops)))
        }
        _ => plan.duration.map(End::At),
    }
}

/// The rate of the last second.
#[derive(Debug, Default)]
pub(super) struct Rate(VecDeque<(Instant, u64)>);

impl Rate {
    /// Adds a look, and returns attempts per second.
    pub(super) fn look(&mut self, at: Instant, samples: u64) -> f64 {
        self.0.push_back((at, samples));
        if self.0.len() > LOOKS {
            self.0.pop_front();
        }
        let (from, before) = self.0.front().copied().unwrap_or((at, samples));
        (samples - before) as f64 / (at - from).as_secs_f64().max(1e-9)
    }
}

/// What is shown at a moment of a run.
#[derive(Debug)]
pub(super) struct Glance<'a> {
    pub(super) plan: &'a Plan,
    pub(super) elapsed: Duration,
    pub(super) totals: Totals,
    pub(super) rate: f64,
    pub(super) last_second: Option<LastSecond>,
    pub(super) sale: SaleNow,
}

impl Glance<'_> {
    /// The text.
    pub(super) fn text(&self) -> String {
        let Self { plan, totals, rate, sale, .. } = self;
        let seconds = self.elapsed.as_secs();
        let time = match plan.duration {
            Some(duration) => format!("{seconds}s of {}s", duration.as_secs_f64().ceil()),
            None => format!("{seconds}s"),
        };
        let latency = self.last_second.map_or(String::new(), |last| {
            let [p50, p99] = [last.p50_us, last.p99_us].map(|us| us as f64 / 1e3);
            format!(", p50 {p50:.1} p99 {p99:.1} ms")
        });
        let users = match plan.model {
            // Users of the open model are added when they are needed, and stay.
            Model::Open { .. } => format!("{} users", totals.started),
            Model::Closed { .. } => format!("{}/{} threads", totals.started, plan.threads),
        };
        let (errors, left, queued) = (totals.errors, sale.stock_left, sale.queued);
        format!("{time}, {users}, {rate:.0}/s{latency}, err {errors}, left {left}, queue {queued}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::BenchFlags;

    fn plan(flags: &str) -> Plan {
        Plan::new(&toml::from_str::<BenchFlags>(flags).unwrap(), 1).unwrap()
    }

    fn text(plan: &Plan, last_second: Option<LastSecond>) -> String {
        let totals =
            Totals { started: 120, finished: 120, samples: 1_200, errors: 2, ..Totals::default() };
        let sale = SaleNow { stock_left: 3, queued: 4 };
        let elapsed = Duration::from_millis(12_900);
        Glance { plan, elapsed, totals, rate: 175.4, last_second, sale }.text()
    }

    #[test]
    fn elapsed_time_is_that_of_the_whole_if_the_end_is_known() {
        let last = Some(LastSecond { p50_us: 420, p99_us: 12_000 });
        let shown = text(&plan("threads = 350\nduration = \"30s\""), last);
        let expected = "12s of 30s, 120/350 threads, 175/s, p50 0.4 p99 12.0 ms, err 2, left 3, \
                        queue 4";
        assert_eq!(shown, expected);
        let shown = text(&plan("rate = \"500/s\"\nduration = \"1m\""), None);
        assert_eq!(shown, "12s of 60s, 120 users, 175/s, err 2, left 3, queue 4");
        let shown = text(&plan("threads = 350\nloops = 10"), None);
        assert!(shown.starts_with("12s, 120/350 threads"), "{shown}");
    }

    #[test]
    fn end_is_known_by_attempts_or_by_time() {
        assert_eq!(end(&plan("threads = 5\nloops = 3")), Some(End::Attempts(15)));
        let at = |seconds| Some(End::At(Duration::from_secs(seconds)));
        assert_eq!(end(&plan("threads = 5\nduration = \"3s\"")), at(3));
        assert_eq!(end(&plan("stage = [\"3s:10\", \"2s:0\"]")), at(5));
        assert_eq!(end(&plan("rate = \"5/s\"")), at(10));
    }

    #[test]
    fn rate_is_that_of_the_last_second() {
        let (start, mut rate) = (Instant::now(), Rate::default());
        let mut look = |ms, samples| rate.look(start + Duration::from_millis(ms), samples);
        assert_eq!(look(0, 0), 0.0);
        assert_eq!(look(200, 100).round(), 500.0);
        (2..10).for_each(|nth| {
            look(200 * nth, 100);
        });
        assert_eq!(look(2_000, 100), 0.0);
    }
}
