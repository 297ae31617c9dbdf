//! [`reconcile`]: every invariant, checked against history and ledger. Pure; its time is linear in
//! the size of both.

use crate::history::{History, Ledger};

use super::explain::explain;
use super::facts::Facts;
use super::fairness::fairness;
use super::invariant::{Violation, Witnesses};
use super::rules;
use super::verdict::{Audit, Verdict};

const REPLACED: &str = "another sale of the item was opened during the run";

/// Judges a run by the answers to its clients and by the ledger after it.
///
/// `settled` says that nothing was queued when the ledger was read. If attempts were queued, a
/// missing decision breaks no invariant, but the run does not pass either.
pub fn reconcile(history: &History, ledger: &Ledger, settled: bool) -> Audit {
    if let Some(before) = &history.sale_before
        && before.epoch != ledger.sale.epoch
    {
        return Audit::undecided(history, REPLACED.to_owned());
    }
    let facts = Facts::gather(history, ledger, settled);
    // Attempts may belong to the sale that replaced this one.
    let is_replaced = history.views.iter().any(|view| view.sale.epoch != ledger.sale.epoch);
    let rules = if is_replaced { rules::OF_STOCK } else { rules::ALL };
    let checks = rules.iter().map(|rule| rule(&facts));
    let mut violations: Vec<Violation> = checks.filter_map(Witnesses::finish).collect();
    violations.sort_by_key(|violation| violation.invariant);
    explain(&facts, &mut violations);
    let unknown = |because: &str| (Verdict::Unknown, Some(because.to_owned()));
    let (verdict, because) = match (violations.is_empty(), is_replaced, settled) {
        (false, ..) => (Verdict::Fail, None),
        (true, true, _) => unknown(REPLACED),
        (true, false, true) => (Verdict::Pass, None),
        (true, false, false) => unknown("attempts were still queued"),
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
        fairness: Some(fairness(&facts)),
        violations,
    }
}
