//! The verdict, in one line, and the thresholds that were crossed.

use std::fmt::Write;

use crate::archive::Run;
use crate::escape::printable;
use crate::judge::Verdict;
use crate::sut::SutRecord;

use super::not_checked::how_many;

/// The thresholds that were crossed, and last the verdict.
pub fn verdict(run: &Run, colour: bool) -> String {
    crossed(run) + &verdict_line(run, colour) + "\n"
}

/// The thresholds that were crossed, a line for each.
pub(super) fn crossed(run: &Run) -> String {
    let mut text = String::new();
    for result in run.crossed() {
        let _ = writeln!(text, "CROSSED    {result}");
    }
    text
}

/// The verdict, in one line.
pub(super) fn verdict_line(run: &Run, colour: bool) -> String {
    let mut verdict = conclusion(run);
    let has_findings = matches!(run.audit.audit.verdict, Verdict::Fail | Verdict::Unknown);
    if run.requests.stopped_early.is_some() && !has_findings {
        verdict = format!("STOPPED before the end of its plan. {verdict}");
    }
    let code = match (run.audit.audit.verdict, run.exit_code()) {
        (Verdict::Fail, _) => 31,
        (Verdict::Pass, 0) => 32,
        _ => 33,
    };
    // SGR: bold, then red, green or yellow (ECMA-48, 8.3.117).
    if colour { format!("\x1b[1;{code}m{verdict}\x1b[0m") } else { verdict }
}

fn conclusion(run: &Run) -> String {
    let audit = &run.audit.audit;
    let figure = |figure: Option<i128>| figure.map_or("?".to_owned(), |n| n.to_string());
    let stock = figure(audit.stock.map(i128::from));
    let orders = figure(audit.orders.map(i128::from));
    // A source that does not tell everything may not tell what is left.
    let left = match (audit.stock_left, audit.not_checked.is_empty()) {
        (None, false) => String::new(),
        (left, _) => format!(", left {}", figure(left.map(i128::from))),
    };
    match audit.verdict {
        Verdict::Fail if audit.oversold > 0 => {
            let (at_one_time, in_the_end) = match audit.was_more_oversold() {
                true => (" at one time", " in the end"),
                false => ("", ""),
            };
            let by = audit.oversold;
            format!("OVERSOLD by {by}{at_one_time}: stock {stock}, sold {orders}{in_the_end}")
        }
        Verdict::Fail => {
            let broken: Vec<_> = audit.violations.iter().map(|v| v.invariant.as_str()).collect();
            let broken = broken.join(", ");
            format!("FAILED ({broken}): stock {stock}, sold {orders}{left}")
        }
        Verdict::Unknown => {
            let because = audit.because.as_deref().unwrap_or("no reason was given");
            format!("UNKNOWN, not a pass: {}", printable(because))
        }
        Verdict::NotAudited => {
            let because = audit.because.as_deref().unwrap_or("no reason was given");
            format!("NOT AUDITED: {}{}", printable(because), but(run))
        }
        Verdict::Pass => {
            let before = if was_sold_out(run) { " (sold out before the run)" } else { "" };
            let checked = how_many(audit);
            let but = but(run);
            format!("NOT OVERSOLD{before}: stock {stock}, sold {orders}{left}{checked}{but}")
        }
    }
}

/// Whether no unit was left before the run, as far as that is told.
pub(super) fn was_sold_out(run: &Run) -> bool {
    // Without an audit, nothing is read of a described shop.
    let is_built_in = matches!(run.sut, SutRecord::BuiltIn(_));
    let is_told = is_built_in || run.audit.audit.stock_left.is_some();
    is_told && run.audit.stock_left_before <= 0
}

/// What keeps a run without a broken invariant from leaving with 0.
fn but(run: &Run) -> String {
    let mut but = Vec::new();
    if !run.generator.valid {
        but.push("the run is INVALID".to_owned());
    }
    let of = |is_measured: bool| {
        let results = run.crossed().filter(move |result| result.measured.is_some() == is_measured);
        results.map(|result| printable(&result.expr)).collect::<Vec<_>>()
    };
    for (thresholds, were) in [(of(true), "crossed"), (of(false), "not measured")] {
        match &thresholds[..] {
            [] => {}
            [one] => but.push(format!("{one} was {were}")),
            [one, another] => but.push(format!("{one} and {another} were {were}")),
            several => but.push(format!("{} thresholds were {were}", several.len())),
        }
    }
    if but.is_empty() { String::new() } else { format!(" (but {})", but.join(", and ")) }
}
