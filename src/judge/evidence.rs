//! [`audit`]: judges a run from its evidence, in the same way whether it has just ended or was
//! recorded.

use std::collections::HashSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::history::{Answered, History, Ledger, Row, Status};
use crate::ids::OrderId;
use crate::stats::Quantiles;

use super::bounds::Bounds;
use super::invariant::{Invariant, Witnesses};
use super::reconcile::reconcile;
use super::verdict::{Audit, Verdict};

/// The gaps in the evidence of a run, each with its reason; `None` for evidence that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gaps {
    /// Whether no audit was wanted, so that nothing was read for one.
    #[serde(default)]
    pub no_audit: bool,
    /// Why the server ended during the run: it could not be asked for anything afterwards.
    #[serde(default)]
    pub server: Option<String>,
    /// Why it is not certain that everything was decided when the ledger was read.
    pub settled: Option<String>,
    /// Why the ledger after the run is not known.
    pub ledger: Option<String>,
}

/// Judges a run. A pass needs evidence: a ledger from before and after the run, attempts that were
/// accepted or a sale that was sold out before, and every result that was asked for.
pub fn audit(history: &History, ledger: Option<&Ledger>, gaps: &Gaps) -> Audit {
    if gaps.no_audit {
        let because = "--no-audit was given".to_owned();
        return Audit { verdict: Verdict::NotAudited, ..Audit::undecided(history, because) };
    }
    let mut audit = match (missing(history, ledger, gaps), ledger) {
        (None, Some(ledger)) => with_ledger(history, ledger, gaps),
        (because, _) => without_ledger(history, because.unwrap_or_default()),
    };
    if let (Some(bounds), Some(stock), Some(because)) =
        (audit.bounds, audit.stock, &mut audit.because)
        && let Some(words) = bounds.needed_to_oversell(stock)
    {
        *because = format!("{because}; {words}");
    }
    audit
}

fn with_ledger(history: &History, ledger: &Ledger, gaps: &Gaps) -> Audit {
    let mut audit = reconcile(history, ledger, gaps.settled.is_none());
    if let (Some(because), Some(reason)) = (&gaps.settled, &mut audit.because) {
        reason.clone_from(because);
    }
    if let (Verdict::Pass, Some(because)) = (audit.verdict, nothing_proved(history)) {
        audit.verdict = Verdict::Unknown;
        audit.because = Some(because);
    }
    audit
}

/// Why there is nothing to compare the history with.
fn missing(history: &History, ledger: Option<&Ledger>, gaps: &Gaps) -> Option<String> {
    if let Some(because) = &gaps.server {
        return Some(because.clone());
    }
    if history.is_empty() {
        return Some("no attempt was made".to_owned());
    }
    let because = gaps.ledger.as_deref().unwrap_or("it was not recorded");
    ledger.is_none().then(|| format!("the ledger could not be read: {because}"))
}

/// Judges by what buyers were told alone: more orders than units are too many without any ledger.
fn without_ledger(history: &History, because: String) -> Audit {
    let undecided = Audit::undecided(history, because);
    let stock = history.views.iter().next().map(|view| view.sale.stock);
    let Some(stock) = stock.or(history.sale_before.as_ref().map(|sale| sale.stock)) else {
        return undecided;
    };
    let told = told_orders(history);
    let over = (told.len() as u64).saturating_sub(stock);
    let mut oversold = Witnesses::of(Invariant::NeverOversold);
    told[told.len() - over as usize..].iter().for_each(|order| oversold.add(order));
    let bounds = Some(Bounds::of_answers(history, told.len()));
    let audit = Audit { stock: Some(stock), bounds, oversold: over, ..undecided };
    match oversold.finish() {
        None => audit,
        Some(violation) => Audit {
            verdict: Verdict::Fail,
            because: None,
            orders: Some(told.len() as u64),
            violations: vec![violation],
            ..audit
        },
    }
}

/// The orders that are known from answers, results, and the ledger before the run; each once.
fn told_orders(history: &History) -> Vec<&OrderId> {
    let before = history.before.values().map(|row| &row.status);
    let results = history.results.iter().filter_map(|read| read.status.as_ref());
    let statuses = before.chain(results).filter_map(|status| match status {
        Status::Won(order_id) => Some(order_id),
        Status::Queued | Status::Lost(_) => None,
    });
    let answers = history.entries.iter().filter_map(|entry| match &entry.answered {
        Answered::Won(order_id) => Some(&**order_id),
        Answered::Accepted | Answered::Lost(_) | Answered::Unknown => None,
    });
    let mut seen = HashSet::new();
    statuses.chain(answers).filter(|order| seen.insert(*order)).collect()
}

/// Why a run in which no invariant is broken proves nothing all the same.
fn nothing_proved(history: &History) -> Option<String> {
    let accepted = history.entries.iter().any(|entry| entry.answered != Answered::Unknown);
    let was_sold_out = history.sale_before.as_ref().is_some_and(|sale| sale.stock_left <= 0);
    let (wanted, answered) = (history.asked.wanted, history.asked.answered);
    if !accepted && history.refusals.count() == 0 {
        Some("no request got a usable answer".to_owned())
    } else if !accepted && !was_sold_out {
        Some("no attempt was accepted".to_owned())
    } else if answered < wanted {
        Some(format!("only {answered} of {wanted} results could be read"))
    } else {
        None
    }
}

/// Times from acceptance to decision, by the tested system's clock, of the run's own attempts.
pub fn settle_times(history: &History, ledger: &Ledger) -> Quantiles {
    let is_ours = |row: &&Row| {
        history.ids.attempt(&row.request_id).is_some()
            && !history.before.contains_key(&row.request_id)
    };
    let times = ledger.rows.iter().filter(is_ours).filter_map(Row::settle_us);
    Quantiles::of_durations(times.map(Duration::from_micros))
}
