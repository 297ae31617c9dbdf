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
    /// The text, in at most this many columns: what is needed least is left out, and what is still
    /// too long is cut.
    pub(super) fn text(&self, columns: usize) -> String {
        let mut parts = self.parts();
        let width = |parts: &[(u8, String)]| {
            parts.iter().map(|(_, part)| part.len() + SEPARATOR.len()).sum::<usize>()
        };
        while parts.len() > 1 && width(&parts) > columns + SEPARATOR.len() {
            let least = (0..parts.len()).max_by_key(|at| parts[*at].0).unwrap_or_default();
            parts.remove(least);
        }
        let text = parts.into_iter().map(|(_, part)| part).collect::<Vec<_>>().join(SEPARATOR);
        text.chars().take(columns).collect()
    }

    /// What there is to show, in its order. What has the highest number is needed least.
    fn parts(&self) -> Vec<(u8, String)> {
        let Self { plan, totals, rate, sale, .. } = self;
        let mut parts = Vec::new();
        if let Some(End::Attempts(attempts)) = end(plan) {
            parts.push((0, format!("{}/{attempts}", totals.samples)));
        }
        let seconds = self.elapsed.as_secs();
        parts.push(match plan.duration {
            Some(duration) => (1, format!("{seconds}/{}s", duration.as_secs_f64().ceil())),
            None => (1, format!("{seconds}s")),
        });
        parts.push(match plan.model {
            // Users of the open model are added when they are needed, and stay.
            Model::Open { .. } => (8, format!("{} users", totals.started)),
            Model::Closed { .. } if totals.started < plan.threads => {
                (5, format!("{}/{} threads", totals.started, plan.threads))
            }
            Model::Closed { .. } => (8, format!("{} threads", plan.threads)),
        });
        parts.push((2, format!("{rate:.0}/s")));
        if let Some(LastSecond { p50_us, p99_us }) = self.last_second {
            parts.push((4, format!("p50 {} p99 {} ms", millis(p50_us), millis(p99_us))));
        }
        parts.push((3, format!("err {}", totals.errors)));
        parts.extend(sale.stock_left.map(|left| (6, format!("left {left}"))));
        parts.extend(sale.queued.map(|queued| (7, format!("queue {queued}"))));
        parts
    }
}

/// What stands between two parts of the text.
const SEPARATOR: &str = ", ";

/// Microseconds in milliseconds, with two digits at least: `0.04`, `1.2`, `350`.
fn millis(us: u64) -> String {
    let ms = us as f64 / 1e3;
    match us {
        0..10 => format!("{ms:.3}"),
        10..1_000 => format!("{ms:.2}"),
        1_000..100_000 => format!("{ms:.1}"),
        _ => format!("{ms:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::BenchFlags;

    fn plan(flags: &str) -> Plan {
        Plan::new(&toml::from_str::<BenchFlags>(flags).unwrap(), 1).unwrap()
    }

    fn glance(plan: &Plan, started: u64, last_second: Option<LastSecond>) -> Glance<'_> {
        let totals =
            Totals { started, finished: 120, samples: 1_200, errors: 2, ..Totals::default() };
        let sale = SaleNow { stock_left: Some(3), queued: Some(4) };
        let elapsed = Duration::from_millis(12_900);
        Glance { plan, elapsed, totals, rate: 175.4, last_second, sale }
    }

    #[test]
    fn text_shows_the_end_of_the_run_if_it_is_known() {
        let last = Some(LastSecond { p50_us: 420, p99_us: 12_000 });
        let text = |flags, last| glance(&plan(flags), 120, last).text(200);
        assert_eq!(
            text("threads = 350\nduration = \"30s\"", last),
            "12/30s, 120/350 threads, 175/s, p50 0.42 p99 12.0 ms, err 2, left 3, queue 4"
        );
        assert_eq!(
            text("rate = \"500/s\"\nduration = \"1m\"", None),
            "12/60s, 120 users, 175/s, err 2, left 3, queue 4"
        );
        assert_eq!(
            text("threads = 120\nloops = 10", None),
            "1200/1200, 12s, 120 threads, 175/s, err 2, left 3, queue 4"
        );
    }

    #[test]
    fn narrow_text_leaves_out_what_is_needed_least() {
        let last = Some(LastSecond { p50_us: 420, p99_us: 12_000 });
        let plan = plan("threads = 350\nloops = 10");
        let starting = |columns| glance(&plan, 120, last).text(columns);
        let started = |columns| glance(&plan, 350, last).text(columns);
        let figures = "175/s, p50 0.42 p99 12.0 ms, err 2";
        let expected = format!("1200/3500, 12s, 120/350 threads, {figures}");
        assert_eq!(starting(69), expected);
        assert_eq!(started(69), format!("1200/3500, 12s, {figures}, left 3, queue 4"));
        assert_eq!(started(29), "1200/3500, 12s, 175/s, err 2");
        assert_eq!(started(28), "1200/3500, 12s, 175/s, err 2");
        assert_eq!(started(27), "1200/3500, 12s, 175/s");
        assert_eq!(started(5), "1200/");
        assert_eq!(started(0), "");
    }

    #[test]
    fn latencies_below_a_millisecond_keep_two_digits() {
        let shown = [4, 40, 999, 1_234, 99_940, 350_400].map(millis);
        assert_eq!(shown, ["0.004", "0.04", "1.00", "1.2", "99.9", "350"]);
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
