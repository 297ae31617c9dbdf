//! The first screen of a run: the verdict, the figures that matter most, and the thresholds.

use crate::archive::Run;
use crate::judge::{OrderEnds, Verdict};
use crate::report::checks::judged;
use crate::report::counts::order_ends;
use crate::report::titled::Titled;
use crate::report::tone::Tone;
use crate::report::verdict::verdict_line;
use crate::report::words::{count, how_many, how_often, missing, outside, percent, rate, time};
use crate::stats::Quantiles;

/// Broken invariants that the first screen names.
const BROKEN_MAX: usize = 4;

/// The first screen.
pub(super) struct Head {
    pub(super) name: String,
    pub(super) verdict: String,
    pub(super) tone: Tone,
    pub(super) exit_code: u8,
    pub(super) started: String,
    pub(super) target: String,
    pub(super) stopped: Option<String>,
    pub(super) cause: Option<String>,
    /// Whether the server could have been another one.
    pub(super) is_insecure: bool,
    /// What is broken, in words.
    pub(super) broken: Vec<String>,
    pub(super) is_valid: bool,
    pub(super) tiles: Vec<Tile>,
    pub(super) thresholds: Vec<Threshold>,
}

/// A figure in large letters.
pub(super) struct Tile {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) detail: String,
    pub(super) is_bad: bool,
}

/// A threshold with the figure that was measured.
pub(super) struct Threshold {
    pub(super) expr: String,
    pub(super) measured: String,
    pub(super) limit: String,
    pub(super) baseline: Option<String>,
    pub(super) sign: &'static str,
    pub(super) word: &'static str,
    pub(super) class: &'static str,
}

impl Head {
    pub(super) fn new(titled: &Titled<'_>) -> Self {
        let run = titled.run;
        Self {
            name: outside(titled.name),
            verdict: verdict_line(run, false),
            tone: Tone::of(run),
            exit_code: run.exit_code(),
            started: humantime::format_rfc3339_seconds(run.started).to_string(),
            target: match run.sut.name() {
                Some(name) => format!("{} at {}", outside(name), outside(&run.plan.target)),
                None => outside(&run.plan.target),
            },
            stopped: run.requests.stopped_early.as_deref().map(outside),
            cause: run.requests.cause.as_deref().map(outside),
            is_insecure: run.plan.plan.insecure,
            broken: broken(run),
            is_valid: run.generator.valid,
            tiles: tiles(run),
            thresholds: thresholds(run),
        }
    }
}

fn broken(run: &Run) -> Vec<String> {
    let violations = &run.audit.audit.violations;
    let words = violations.iter().take(BROKEN_MAX).map(|violation| {
        let (what, word) = (violation.invariant.broken(), violation.invariant.as_str());
        format!("{what}, {} ({word})", how_often(violation.count))
    });
    let others = violations.len().saturating_sub(BROKEN_MAX) as u64;
    let more = (others > 0).then(|| format!("{} more, below", how_many(others, "invariant")));
    words.chain(more).collect()
}

impl Head {
    /// Whether a threshold is relative to another run.
    pub(super) fn has_baseline(&self) -> bool {
        self.thresholds.iter().any(|threshold| threshold.baseline.is_some())
    }
}

fn tiles(run: &Run) -> Vec<Tile> {
    let (audit, requests) = (&run.audit.audit, &run.requests);
    let has_crossed_errors = run.crossed().any(|result| result.metric == "errors");
    let mut tiles = vec![sold(run)];
    tiles.extend(audit.order_ends.map(became));
    tiles.extend([
        Tile {
            name: "Errors",
            value: percent(requests.error_rate),
            detail: format!("{} of {}", count(requests.errors), sent(requests.total)),
            is_bad: has_crossed_errors,
        },
        times("Accepted, p50 / p99", run.latency_accepted_us),
        times("Refused, p50 / p99", run.latency_refused_us),
    ]);
    if run.latency_failed_us.is_some() {
        tiles.push(times("Failed, p50 / p99", run.latency_failed_us));
    }
    // Where each request was sent at its moment, these would repeat the others.
    if run.latency_corrected_us != run.latency_us {
        tiles.push(times("Corrected, p50 / p99", Some(run.latency_corrected_us)));
    }
    tiles.push(Tile {
        name: "Throughput",
        value: rate(requests.per_second),
        detail: format!("{} in {}", sent(requests.total), time(requests.elapsed_us as f64)),
        is_bad: false,
    });
    tiles.push(Tile {
        name: "Invariants",
        value: match audit.verdict {
            Verdict::NotAudited => "not audited".to_owned(),
            _ if audit.checked.is_empty() => missing(),
            _ => format!("{} broken", count(audit.violations.len() as u64)),
        },
        detail: format!("{} checked", count(audit.checked.len() as u64)),
        is_bad: !audit.violations.is_empty(),
    });
    tiles
}

fn sold(run: &Run) -> Tile {
    let audit = &run.audit.audit;
    let accepted = format!("{} accepted", how_many(audit.accepted, "attempt"));
    let (value, detail) = match (audit.orders, audit.stock) {
        (Some(orders), Some(stock)) => {
            let left = audit.stock_left.map_or_else(missing, count);
            let detail = match audit.oversold {
                0 => format!("{left} left, {accepted}"),
                over => {
                    let at = if audit.was_more_oversold() { " at one time" } else { "" };
                    format!("{} too many{at}; {left} left by the counter", count(over))
                }
            };
            (format!("{} of {}", count(orders), count(stock)), detail)
        }
        _ => ("not known".to_owned(), accepted),
    };
    Tile { name: "Sold of the stock", value, detail, is_bad: audit.oversold > 0 }
}

/// What has become of the orders of a sale that holds them.
fn became(ends: OrderEnds) -> Tile {
    let (value, detail) = order_ends(ends, count);
    Tile { name: "Orders", value, detail, is_bad: false }
}

fn sent(requests: u64) -> String {
    how_many(requests, "request")
}

fn times(name: &'static str, times: Option<Quantiles>) -> Tile {
    let (value, detail) = match times.filter(|times| times.count > 0) {
        None => (missing(), "none".to_owned()),
        Some(times) => (
            format!("{} / {}", time(times.p50 as f64), time(times.p99 as f64)),
            format!("{}, max {}", sent(times.count), time(times.max as f64)),
        ),
    };
    Tile { name, value, detail, is_bad: false }
}

fn thresholds(run: &Run) -> Vec<Threshold> {
    let shown = judged(run).map(|(result, word)| {
        let show = |figure| result.unit.display(figure);
        let (sign, class) = match word {
            "passed" => ("✓", "good"),
            "not measured" => ("!", "warn"),
            _ => ("✗", "bad"),
        };
        Threshold {
            expr: outside(&result.expr),
            measured: result.measured.map_or_else(missing, show),
            limit: show(result.limit),
            baseline: result.baseline.map(show),
            sign,
            word,
            class,
        }
    });
    shown.collect()
}
