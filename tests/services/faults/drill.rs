//! A load that runs from before a fault until after it, and the assertions about it.

use std::cell::Cell;
use std::time::{Duration, Instant};

use reqwest::Method;
use seckill::judge::Audit;
use seckill::profile::{BenchFlags, Think};
use seckill::stats::Summary;
use seckill::units::Count;
use serde_json::json;

use crate::support::child::eventually;
use crate::support::client::{self, Loading, PLENTY, Sale, ask};

/// Longest allowed answer during a fault: the publish time-out of 2 s that `Deployment` sets, and a
/// second for a busy machine. With a killed store, refusals are immediate.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// The users of a drill. Refusals during a fault are immediate, so the pause bounds their number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Buyers {
    pub(crate) at_a_time: u64,
    pub(crate) pause: Duration,
}

/// Few users, for long faults.
pub(crate) const FEW: Buyers = Buyers { at_a_time: 8, pause: Duration::from_millis(20) };

/// So many users that some requests are always in flight, for short faults.
pub(crate) const MANY: Buyers = Buyers { at_a_time: 64, pause: Duration::from_millis(5) };

/// So few attempts that several long drills can run at the same time.
pub(crate) const SLOW: Buyers = Buyers { at_a_time: 4, pause: Duration::from_millis(100) };

/// Maximum attempts per user; a drill stops the load long before.
const LOOPS: u64 = 20_000;

/// Attempts after which the load counts as running.
const SOME: u64 = 100;

/// Buyers after the recovery.
const AFTER: u64 = 20;

/// A running load and its sale.
pub(crate) struct Drill {
    sale: Sale,
    /// Another sale on the same servers, which probes them without the load.
    probe: Sale,
    probes: Cell<u64>,
    loading: Loading,
}

/// The results of a drill.
#[derive(Debug)]
pub(crate) struct DrillResult {
    pub(crate) summary: Summary,
    pub(crate) audit: Audit,
}

impl Drill {
    /// Opens a sale and loads it.
    pub(crate) fn begin(url: &str) -> Self {
        Self::begin_with(url, FEW)
    }

    pub(crate) fn begin_with(url: &str, buyers: Buyers) -> Self {
        let (sale, probe) = (Sale::open(url, "tea", PLENTY), Sale::open(url, "probe", PLENTY));
        let loading = sale.load(&BenchFlags {
            threads: Some(Count(buyers.at_a_time)),
            loops: Some(Count(LOOPS)),
            think: Some(Think::Constant(buyers.pause)),
            ..client::flags()
        });
        loading.wait_for(SOME);
        Self { sale, probe, probes: Cell::new(0), loading }
    }

    /// The sale that is loaded.
    pub(crate) fn sale(&self) -> &Sale {
        &self.sale
    }

    /// Waits until the load has made this many more attempts.
    pub(crate) fn wait_for_attempts(&self, attempts: u64) {
        self.loading.wait_for(attempts);
    }

    /// Buys until an answer contains this word.
    pub(crate) fn wait_for_answer(&self, word: &str) {
        eventually(word, || self.is_answered(word));
    }

    /// Buys once, and returns whether the answer contains this word.
    pub(crate) fn is_answered(&self, word: &str) -> bool {
        self.answer().is_some_and(|(_, body)| body.contains(&format!("\"{word}\"")))
    }

    /// Buys once, and returns the status and the body of the answer, if there is one.
    pub(crate) fn answer(&self) -> Option<(u16, String)> {
        self.probes.set(self.probes.get() + 1);
        let uid = format!("probe-{}", self.probes.get());
        let body = json!({"item": self.probe.item, "uid": uid});
        let answer = ask(Method::POST, &format!("{}/seckill", self.probe.url), Some(body));
        answer.map(|(code, body)| (code, String::from_utf8_lossy(&body).into_owned()))
    }

    /// Buys until it is accepted, after a fault that has just ended.
    #[track_caller]
    pub(crate) fn recovers(&self) {
        recovers(|| self.is_answered("queued"));
    }

    /// Waits until the service has recovered by itself, and audits everything. Errors of the load
    /// must be among `errors`.
    #[track_caller]
    pub(crate) fn end(self, errors: &[&str]) -> DrillResult {
        self.end_within(errors, ANSWER_MAX)
    }

    /// Like [`Drill::end`], with another longest answer during the fault.
    #[track_caller]
    pub(crate) fn end_within(self, errors: &[&str], answer_max: Duration) -> DrillResult {
        self.recovers();
        self.wait_for_attempts(SOME);
        let after = self.probe.burst(AFTER);
        let mut ran = self.loading.end();
        let summary = ran.recorder.finish();
        let longest = Duration::from_micros(summary.latency.max);
        assert!(longest <= answer_max, "an answer took {longest:?}");
        let mut others = summary
            .by_error
            .iter()
            .filter(|(kind, _)| !errors.contains(&kind.to_string().as_str()));
        assert_eq!(others.next(), None, "{:?}", summary.by_error);
        let audit = self.sale.assert_audit_passes(&mut ran.history);
        let accepted = count(&summary, "queued");
        assert!(accepted > 0 && audit.accepted == accepted, "{accepted} accepted: {audit:#?}");
        let mut history = after.history;
        let after = after.recorder.finish();
        assert_eq!(count(&after, "queued"), AFTER, "{:?} {:?}", after.by_outcome, after.by_error);
        self.probe.assert_audit_passes(&mut history);
        DrillResult { summary, audit }
    }
}

/// How long the service may take to recover after the fault has ended: the two seconds that are
/// promised, and three for a busy machine.
const RECOVERY_MAX: Duration = Duration::from_secs(5);

/// Polls until the service has recovered from a fault that has just ended.
#[track_caller]
pub(crate) fn recovers(mut has_recovered: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !has_recovered() {
        assert!(begun.elapsed() < RECOVERY_MAX, "no recovery within {RECOVERY_MAX:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The number of requests with this outcome.
pub(crate) fn count(summary: &Summary, outcome: &str) -> u64 {
    let found = summary.by_outcome.iter().find(|(known, _)| known.as_str() == outcome);
    found.map_or(0, |(_, count)| *count)
}
