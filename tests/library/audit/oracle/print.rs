//! A run as text.

use std::fmt::Write;

use seckill::history::{AttemptNo, Ledger, ResultRead, Row, View};

use super::comparison::{Compared, compare};
use super::run::{Request, Run};

/// What happened, one line each, and what the judge says of it.
pub(super) fn printed(run: &Run) -> String {
    let mut lines: Vec<(u64, u64, String)> = Vec::new();
    for Request { window, answer } in &run.requests {
        let buyer = &run.ids.buyer(window.attempt).to_string()[..4];
        let words = format!("POST {} of {buyer}: {answer:?}", name(window.attempt));
        lines.push((window.sent_us, window.answered_us, words));
    }
    for ResultRead { request_id, status, sent_us, answered_us, .. } in &run.results {
        let attempt = run.ids.attempt(request_id).map_or("?".to_owned(), name);
        lines.push((*sent_us, *answered_us, format!("result of {attempt}: {status:?}")));
    }
    for View { sent_us, answered_us, sale } in run.views.iter().chain(&run.again.1) {
        let words = format!(
            "state: {} orders, {} of {} left, {} queued",
            sale.orders, sale.stock_left, sale.stock, sale.queued
        );
        lines.push((*sent_us, *answered_us, words));
    }
    lines.sort();
    let mut text = String::new();
    for (sent_us, answered_us, words) in lines {
        let _ = writeln!(text, "  {sent_us}..{answered_us} {words}");
    }
    for (when, ledger) in
        [("before", &run.before), ("after", &run.ledger), ("at last", &run.again.0)]
    {
        let _ = writeln!(text, "  {}", ledger_as_text(run, when, ledger));
    }
    let Compared { comparison, audit, .. } = compare(run);
    let _ = writeln!(text, "  settled: {}, began at {}", run.is_settled, run.began_us);
    let _ = writeln!(text, "  {comparison:?}");
    for violation in &audit.violations {
        let _ = writeln!(text, "  {}: {:?}", violation.invariant.as_str(), violation.witnesses);
    }
    text
}

fn name(attempt: AttemptNo) -> String {
    format!("{}/{}", attempt.thread, attempt.index)
}

fn ledger_as_text(run: &Run, when: &str, ledger: &Ledger) -> String {
    let sale = &ledger.sale;
    let row = |row: &Row| {
        let attempt = run.ids.attempt(&row.request_id).map_or("?".to_owned(), name);
        let since = i128::from(row.accepted_us) - i128::from(super::super::times::BEGAN_US);
        format!("{attempt} of {} accepted {since} {:?}", &row.uid[..4], row.status)
    };
    let rows: Vec<String> = ledger.rows.iter().map(row).collect();
    format!(
        "ledger {when}: stock {}, left {}, limit {}: {}",
        sale.stock,
        sale.stock_left,
        sale.per_buyer,
        rows.join("; ")
    )
}
