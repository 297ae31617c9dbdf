//! The first screen of a run: the verdict, the figures that matter most, and the thresholds.

use crate::archive::Run;
use crate::judge::Verdict;
use crate::report::checks::LISTED_MAX;
use crate::report::titled::Titled;
use crate::report::tone::Tone;
use crate::report::verdict::verdict_line;
use crate::report::words::{count, missing, outside, percent, time};
use crate::stats::Quantiles;

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
            target: outside(&run.plan.target),
            stopped: run.requests.stopped_early.as_deref().map(outside),
            cause: run.requests.cause.as_deref().map(outside),
            tiles: tiles(run),
            thresholds: thresholds(run),
        }
    }
}

impl Head {
    /// Whether a threshold is relative to another run.
    pub(super) fn has_baseline(&self) -> bool {
        self.thresholds.iter().any(|threshold| threshold.baseline.is_some())
    }
}

fn tiles(run: &Run) -> Vec<Tile> {
    let (audit, requests) = (&run.audit.audit, &run.requests);
    let figure = |figure: Option<i128>| figure.map_or_else(missing, count);
    let (stock, sold) = (audit.stock.map(i128::from), audit.orders.map(i128::from));
    let left = figure(audit.stock_left.map(i128::from));
    let has_crossed_errors = run.crossed().any(|result| result.metric == "errors");
    vec![
        Tile {
            name: "Sold of the stock",
            value: format!("{} of {}", figure(sold), figure(stock)),
            detail: match audit.oversold {
                0 => format!("{left} left, {} accepted", count(audit.accepted)),
                over => format!("{} too many; {left} left by the counter", count(over)),
            },
            is_bad: audit.oversold > 0,
        },
        Tile {
            name: "Errors",
            value: percent(requests.error_rate),
            detail: format!("{} of {} requests", count(requests.errors), count(requests.total)),
            is_bad: has_crossed_errors,
        },
        times("Accepted, p50 / p99", run.latency_accepted_us),
        times("Refused, p50 / p99", run.latency_refused_us),
        Tile {
            name: "Throughput",
            value: format!("{:.1}/s", requests.per_second),
            detail: format!(
                "{} requests in {}",
                count(requests.total),
                time(requests.elapsed_us as f64)
            ),
            is_bad: false,
        },
        Tile {
            name: "Invariants",
            value: match audit.verdict {
                Verdict::NotAudited => "not audited".to_owned(),
                _ if audit.checked.is_empty() => missing(),
                _ => format!("{} broken", count(audit.violations.len() as u64)),
            },
            detail: format!("{} checked", count(audit.checked.len() as u64)),
            is_bad: !audit.violations.is_empty(),
        },
    ]
}

fn times(name: &'static str, times: Option<Quantiles>) -> Tile {
    let (value, detail) = match times.filter(|times| times.count > 0) {
        None => (missing(), "none".to_owned()),
        Some(times) => (
            format!("{} / {}", time(times.p50 as f64), time(times.p99 as f64)),
            format!("{} requests, max {}", count(times.count), time(times.max as f64)),
        ),
    };
    Tile { name, value, detail, is_bad: false }
}

fn thresholds(run: &Run) -> Vec<Threshold> {
    let results = run.thresholds.iter().take(LISTED_MAX);
    let shown = results.map(|result| {
        let show = |figure| result.unit.display(figure);
        let (sign, word, class) = match (result.passed, result.measured) {
            (true, _) => ("✓", "passed", "good"),
            (false, Some(_)) => ("✗", "crossed", "bad"),
            (false, None) => ("!", "not measured", "warn"),
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
