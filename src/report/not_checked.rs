//! The invariants that were not checked, since the source of the ledger does not tell what they
//! need.

use crate::judge::{Audit, Invariant, NotChecked};

use super::checks::LISTED_MAX;
use super::words::outside;

/// Those that are not known to be broken.
pub(super) fn not_checked(audit: &Audit) -> impl Iterator<Item = &NotChecked> {
    let is_broken = |of: &NotChecked| {
        audit.violations.iter().any(|violation| violation.invariant == of.invariant)
    };
    audit.not_checked.iter().take(LISTED_MAX).filter(move |of| !is_broken(of))
}

/// A line for each reason, with the invariants that were not checked for it.
pub(super) fn by_reason(audit: &Audit) -> Vec<(String, String)> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for NotChecked { invariant, because } in not_checked(audit) {
        match reasons.iter_mut().find(|(reason, _)| reason == because) {
            Some((_, words)) => words.push(invariant.as_str()),
            None => reasons.push((because, vec![invariant.as_str()])),
        }
    }
    reasons.into_iter().map(|(reason, words)| (outside(reason), words.join(", "))).collect()
}

/// The lines of a report.
pub(super) fn lines(audit: &Audit) -> String {
    let line = |(reason, words): (String, String)| format!("Unchecked  {words}: {reason}\n");
    by_reason(audit).into_iter().map(line).collect()
}

/// How many invariants were checked, in the words of a verdict; empty if the source of the ledger
/// tells everything.
pub(super) fn how_many(audit: &Audit) -> String {
    match audit.not_checked.is_empty() {
        true => String::new(),
        false => {
            format!(" ({} of {} invariants checked)", audit.checked.len(), Invariant::ALL.len())
        }
    }
}
