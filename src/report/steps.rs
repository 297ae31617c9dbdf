//! The steps around the purchases of a described shop, and answers that its description does not
//! know.

use std::fmt::Write;

use crate::archive::{Run, StepRecord};
use crate::escape::printable;

use super::counts::listed;
use super::words::millis;

/// Longest label of a step that is printed, in characters.
const LABEL_LEN: usize = 30;

/// The times of each step, and their errors.
pub(super) fn steps(run: &Run) -> String {
    if run.steps.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "Steps, ms                         Count  Average  Median     99%     Max  Errors\n",
    );
    for step in &run.steps {
        let StepRecord { total, errors, latency_us, .. } = step;
        let label: String = printable(&step.label).chars().take(LABEL_LEN).collect();
        let _ = writeln!(
            text,
            "{label:<LABEL_LEN$} {total:>8}  {:>7}  {:>6}  {:>6}  {:>6}  {errors:>6}",
            millis(latency_us.mean),
            millis(latency_us.p50 as f64),
            millis(latency_us.p99 as f64),
            millis(latency_us.max as f64),
        );
        if *errors > 0 {
            let _ = writeln!(text, "  failed: {}", listed(&step.by_error));
        }
    }
    text
}

/// The beginnings of answers that no outcome matches.
pub(super) fn unmatched(run: &Run) -> String {
    let lines = run.unmatched.iter().map(|answer| printable(answer));
    let lines = lines.map(|answer| format!("Unmatched  {answer}\n"));
    lines.collect()
}
