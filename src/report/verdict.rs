//! The verdict, in one line.

use crate::archive::Run;
use crate::escape::printable;
use crate::judge::Verdict;

/// The verdict, in one line.
pub fn verdict_line(run: &Run, colour: bool) -> String {
    let mut verdict = verdict(run);
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

fn verdict(run: &Run) -> String {
    let audit = &run.audit.audit;
    let figure = |figure: Option<i128>| figure.map_or("?".to_owned(), |n| n.to_string());
    let stock = figure(audit.stock.map(i128::from));
    let orders = figure(audit.orders.map(i128::from));
    let left = figure(audit.stock_left.map(i128::from));
    match audit.verdict {
        Verdict::Fail if audit.oversold > 0 => {
            format!("OVERSOLD by {}: stock {stock}, sold {orders}", audit.oversold)
        }
        Verdict::Fail => {
            let broken: Vec<_> = audit.violations.iter().map(|v| v.invariant.as_str()).collect();
            let broken = broken.join(", ");
            format!("FAILED ({broken}): stock {stock}, sold {orders}, left {left}")
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
            let before =
                if run.audit.stock_left_before <= 0 { " (sold out before the run)" } else { "" };
            format!("NOT OVERSOLD{before}: stock {stock}, sold {orders}, left {left}{}", but(run))
        }
    }
}

/// What keeps a run without a broken invariant from leaving with 0.
fn but(run: &Run) -> String {
    let mut but = Vec::new();
    if !run.generator.valid {
        but.push("the run is INVALID".to_owned());
    }
    if run.has_too_many_errors() {
        let (errors, limit) = (100.0 * run.requests.error_rate, run.plan.plan.max_errors);
        but.push(format!("{errors:.2}% errors are over the limit of {limit}"));
    }
    if but.is_empty() { String::new() } else { format!(" (but {})", but.join(", and ")) }
}
