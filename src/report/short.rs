//! The short report: times, requests, outcomes and the verdict, in lines of at most 80 columns.

use std::fmt::Write;

use crate::archive::{Run, SettleFrom};
use crate::escape::printable;
use crate::judge::Audit;
use crate::stats::Quantiles;

use super::counts::counts;
use super::faults;
use super::not_checked;
use super::steps::{steps, unmatched};
use super::terminal::{broker, by_kind, clicks, remarks};
use super::verdict::verdict_line;
use super::words::{how_often, millis};
use super::wrap::wrapped;

/// Witnesses of a violation that are printed.
const WITNESSES_MAX: usize = 3;

/// The short report; its last line is the verdict.
pub fn short(run: &Run, colour: bool) -> String {
    let sections = [
        times(run),
        steps(run),
        requests(run) + &counts(run) + &unmatched(run) + &clicks(run) + &broker(run),
        faults::worst(run),
        remarks(run),
        not_checked::lines(&run.audit.audit),
        violations(&run.audit.audit),
    ];
    let mut text = String::new();
    for section in sections.iter().filter(|section| !section.is_empty()) {
        let _ = writeln!(text, "{}\n", wrapped(section.trim_end()));
    }
    text + &verdict_line(run, colour) + "\n"
}

/// JMeter's columns, for the service as JMeter measures it, and for what it does not measure.
fn times(run: &Run) -> String {
    let mut text = String::from(
        "Times, ms    Count  Average  Median     90%     95%     99%     Min     Max\n",
    );
    let decided = match run.settle_from {
        SettleFrom::Click => "settled",
        SettleFrom::Ledger => "decided",
    };
    let [accepted, refused, failed] = &by_kind(run);
    let rows = [
        ("service", &run.latency_us),
        ("accepted", accepted),
        ("refused", refused),
        ("failed", failed),
        ("corrected", &run.latency_corrected_us),
        (decided, &run.settle_us),
    ];
    // Where each request was sent at its moment, the corrected times would repeat the others.
    let repeats = |name: &str| name == "corrected" && run.latency_corrected_us == run.latency_us;
    for (name, times) in rows.into_iter().filter(|(name, times)| times.count > 0 && !repeats(name))
    {
        let Quantiles { count, mean, p50, p90, p95, p99, min, max, .. } = times;
        let _ = write!(text, "{name:<9} {count:>8}  {:>7}", millis(*mean));
        for us in [p50, p90, p95, p99, min, max] {
            let _ = write!(text, "  {:>6}", millis(*us as f64));
        }
        text.push('\n');
    }
    text
}

/// Their number, rate and errors, and the bytes.
fn requests(run: &Run) -> String {
    let requests = &run.requests;
    let seconds = requests.elapsed_us as f64 / 1e6;
    let decimals = if seconds < 1.0 { 3 } else { 1 };
    format!(
        "Requests   {} in {seconds:.decimals$} s: {:.1}/s, {:.2}% errors; \
         KB/s: {:.2} in, {:.2} out\n",
        requests.total,
        requests.per_second,
        100.0 * requests.error_rate,
        requests.received_kb_per_second,
        requests.sent_kb_per_second,
    )
}

/// What is broken, with the first witnesses.
fn violations(audit: &Audit) -> String {
    let mut text = String::new();
    for violation in &audit.violations {
        let (word, broken) = (violation.invariant.as_str(), violation.invariant.broken());
        let _ = writeln!(text, "BROKEN     {word}: {broken} ({})", how_often(violation.count));
        if let Some(cause) = &violation.cause {
            let _ = writeln!(text, "           Likely cause: {}", printable(cause));
        }
        for witness in violation.witnesses.iter().take(WITNESSES_MAX) {
            let _ = writeln!(text, "             {}", printable(witness));
        }
        let more = violation.witnesses.len().saturating_sub(WITNESSES_MAX);
        if more > 0 || !violation.timelines.is_empty() {
            let _ = writeln!(text, "           --full shows every witness and what happened to it");
        }
    }
    text
}
