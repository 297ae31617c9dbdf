//! The verdict, in one line.

use crate::archive::Run;
use crate::escape::printable;
use crate::judge::Verdict;

/// The verdict, in one line.
pub fn verdict_line(run: &Run, colour: bool) -> String {
    let verdict = verdict(run);
    let code = match (run.audit.audit.verdict, run.generator.valid) {
        (Verdict::Fail, _) => 31,
        (Verdict::Pass, true) => 32,
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
        Verdict::Pass => {
            let invalid = if run.generator.valid { "" } else { " (but the run is INVALID)" };
            format!("NOT OVERSOLD: stock {stock}, sold {orders}, left {left}{invalid}")
        }
    }
}
