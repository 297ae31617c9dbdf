//! [`reconcile`]: every invariant, checked against history and ledger. Pure; its time is linear in
//! the size of both.

use crate::history::{History, Ledger};

use super::facts::Facts;
use super::invariant::{Violation, Witnesses};
use super::rules;
use super::verdict::{Audit, Verdict};

/// Judges a run by the answers to its clients and by the ledger after it.
///
/// `settled` says that nothing was queued when the ledger was read. If attempts were queued, a
/// missing decision breaks no invariant, but the run does not pass either.
pub fn reconcile(history: &History, ledger: &Ledger, settled: bool) -> Audit {
    if let Some(before) = &history.sale_before
        && before.epoch != ledger.sale.epoch
    {
        let because = "another sale of the item was opened during the run";
        return Audit::undecided(history, because.to_owned());
    }
    let facts = Facts::gather(history, ledger, settled);
    let checks = rules::ALL.iter().map(|rule| rule(&facts));
    let mut violations: Vec<Violation> = checks.filter_map(Witnesses::finish).collect();
    violations.sort_by_key(|violation| violation.invariant);
    let (verdict, because) = match (violations.is_empty(), settled) {
        (false, _) => (Verdict::Fail, None),
        (true, true) => (Verdict::Pass, None),
        (true, false) => (Verdict::Unknown, Some("attempts were still queued".to_owned())),
    };
    Audit {
        verdict,
        because,
        stock: Some(ledger.sale.stock),
        stock_left: Some(ledger.sale.stock_left),
        orders: Some(facts.orders.len() as u64),
        oversold: facts.oversold() as u64,
        accepted: facts.accepted.len() as u64,
        unresolved: facts.unresolved().count() as u64,
        unknown_outcomes: facts.unknown.len() as u64,
        results: history.asked,
        violations,
    }
}
