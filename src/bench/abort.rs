//! Ends the load when a threshold is crossed during the run.

use std::fmt;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::judge::{Figures, Threshold, ThresholdResult};
use crate::profile::Plan;
use crate::stats::{Recorder, Sink};

/// Time that has to pass after the warm-up, so that one slow start ends no run.
const FROM: Duration = Duration::from_secs(1);

/// Number of requests from which on percentiles mean something.
const REQUESTS_MIN: u64 = 100;

/// How much earlier than its end a second may be received and still count as a whole one: the
/// beginning of the run is known only about so precisely.
const TOLERANCE: Duration = Duration::from_millis(50);

/// The threshold that ended the load.
#[derive(Debug, Clone)]
pub(super) struct Aborted {
    pub(super) by: ThresholdResult,
    /// Seconds of the run until then.
    after_s: u64,
}

impl fmt::Display for Aborted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--abort-on {} after {} s", self.by, self.after_s)
    }
}

/// Evaluates thresholds once a second on the totals so far, and stops the load, as a signal does,
/// when one is crossed.
pub(super) struct AbortWatch {
    thresholds: Vec<Threshold>,
    /// Nothing is evaluated before this time.
    from: Duration,
    /// From this time on nothing is left to be stopped.
    until: Option<Duration>,
    stop: CancellationToken,
    begun: SystemTime,
    all: Recorder,
    aborted: watch::Sender<Option<Aborted>>,
}

impl AbortWatch {
    pub(super) fn new(thresholds: &[Threshold], plan: &Plan, stop: &CancellationToken) -> Self {
        Self {
            thresholds: thresholds.to_vec(),
            from: plan.warmup + FROM,
            until: plan.duration,
            stop: stop.clone(),
            begun: SystemTime::now(),
            all: Recorder::default(),
            aborted: watch::Sender::new(None),
        }
    }

    /// Receives the threshold that ends the load, if one does.
    pub(super) fn aborted(&self) -> watch::Receiver<Option<Aborted>> {
        self.aborted.subscribe()
    }

    /// Whether the totals at the end of a second may end the load.
    fn counts(&self, end: Duration) -> bool {
        // The last second of a run is received when the run ends, and not when the second does.
        let is_whole = self.begun.elapsed().unwrap_or_default() + TOLERANCE >= end;
        let is_within = end >= self.from && self.until.is_none_or(|until| end < until);
        is_whole && is_within && !self.stop.is_cancelled()
    }
}

impl Sink for AbortWatch {
    fn begin(&mut self, at: SystemTime) {
        self.begun = at;
    }

    fn second(&mut self, second: u64, recorder: &Recorder) {
        if self.thresholds.is_empty() {
            return;
        }
        self.all.merge(recorder);
        let after_s = second + 1;
        if !self.counts(Duration::from_secs(after_s)) {
            return;
        }
        let summary = self.all.clone().finish();
        if summary.total < REQUESTS_MIN {
            return;
        }
        let figures = Figures::live(&summary);
        let results = self.thresholds.iter().map(|threshold| threshold.evaluate(&figures));
        // A figure may still be measured later, so its lack ends no run.
        let crossed = results.into_iter().find(|one| !one.passed && one.measured.is_some());
        if let Some(by) = crossed {
            self.stop.cancel();
            self.aborted.send_replace(Some(Aborted { by, after_s }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::Expression;
    use crate::profile::BenchFlags;
    use crate::stats::{Click, Outcome, Sample};

    /// Requests that were all accepted after 2 ms, a time that the histograms keep exactly.
    fn requests(count: usize) -> Recorder {
        let mut recorder = Recorder::default();
        for _ in 0..count {
            recorder.record(&Sample {
                thread: 0,
                click: Click::First,
                intended: None,
                began: Duration::ZERO,
                connected: None,
                sent: Some(Duration::ZERO),
                first_byte: None,
                ended: Duration::from_millis(2),
                bytes_sent: 1,
                bytes_received: 1,
                status: 202,
                result: Ok(Outcome::Accepted),
            });
        }
        recorder
    }

    /// A watch of a run that began `ago`.
    fn watch(expressions: &[&str], flags: BenchFlags, ago: Duration) -> AbortWatch {
        let parse = |text: &&str| Expression::parse(text, &["queued"]).unwrap();
        let thresholds = expressions.iter().map(parse);
        let thresholds: Vec<_> =
            thresholds.map(|parsed| Threshold::new(parsed, None).unwrap()).collect();
        let plan = Plan::new(&flags, 1).unwrap();
        let mut watch = AbortWatch::new(&thresholds, &plan, &CancellationToken::new());
        watch.begin(SystemTime::now() - ago);
        watch
    }

    /// The second in which it stops the load, which it reports as well.
    fn stops_after(watch: &mut AbortWatch, seconds: &[usize]) -> Option<u64> {
        let received = watch.aborted();
        for (second, count) in (0..).zip(seconds) {
            watch.second(second, &requests(*count));
            let aborted = received.borrow().clone();
            assert_eq!(watch.stop.is_cancelled(), aborted.is_some());
            if let Some(aborted) = aborted {
                assert_eq!(aborted.after_s, second + 1);
                return Some(aborted.after_s);
            }
        }
        None
    }

    const LONG_AGO: Duration = Duration::from_secs(1_000);

    #[test]
    fn crossed_threshold_stops_the_load_and_is_named() {
        let expressions = ["failed.max>1ms", "p99>1s", "accepted.p50>=2ms"];
        let mut watch = watch(&expressions, BenchFlags::default(), LONG_AGO);
        let received = watch.aborted();
        assert_eq!(stops_after(&mut watch, &[500]), Some(1));
        let aborted = received.borrow().clone().unwrap().to_string();
        assert_eq!(aborted, "--abort-on accepted.p50>=2ms: 2.000 ms after 1 s");
    }

    #[test]
    fn totals_count_from_a_hundred_requests_on() {
        let stops = |seconds: &[usize]| {
            stops_after(&mut watch(&["p50>1ms"], BenchFlags::default(), LONG_AGO), seconds)
        };
        assert_eq!(stops(&[99, 0, 1, 5]), Some(3));
        assert_eq!(stops(&[100]), Some(1));
    }

    #[test]
    fn thresholds_that_hold_and_figures_without_a_value_stop_nothing() {
        for expressions in [&["p50>2ms", "errors>0"][..], &["refused.p99<1h"], &[]] {
            let mut watch = watch(expressions, BenchFlags::default(), LONG_AGO);
            assert_eq!(stops_after(&mut watch, &[200, 200]), None, "{expressions:?}");
        }
    }

    #[test]
    fn nothing_is_evaluated_in_the_warm_up_and_the_second_after_it() {
        let flags = |text: &str| toml::from_str::<BenchFlags>(text).unwrap();
        let warmup = flags("warmup = \"1500ms\"\nduration = \"1h\"");
        assert_eq!(stops_after(&mut watch(&["p50>1ms"], warmup, LONG_AGO), &[200; 9]), Some(3));
    }

    #[test]
    fn seconds_in_which_the_run_ends_stop_nothing() {
        let flags = toml::from_str::<BenchFlags>("duration = \"2s\"\nwarmup = \"1s\"").unwrap();
        assert_eq!(stops_after(&mut watch(&["p50>1ms"], flags, LONG_AGO), &[200; 5]), None);
        // A second that is received before it is over is the last one of its run.
        let ago = Duration::from_millis(200);
        let mut watch = watch(&["p50>1ms"], BenchFlags::default(), ago);
        assert_eq!(stops_after(&mut watch, &[200]), None);
    }

    #[test]
    fn run_that_a_signal_has_stopped_is_not_stopped_again() {
        let mut watch = watch(&["p50>1ms"], BenchFlags::default(), LONG_AGO);
        watch.stop.cancel();
        watch.second(0, &requests(200));
        assert!(watch.aborted().borrow().is_none());
    }
}
