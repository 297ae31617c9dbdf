//! The counts of a run's report: the outcomes of its requests, and the decisions of its attempts.

use std::fmt::Write;

use crate::archive::{Run, Tally};
use crate::escape::printable;
use crate::history::Asked;
use crate::judge::{Audit, DeadLetters, Fairness, Invariant, NotChecked, OrderEnds};

use super::words::number_of;

/// Outcomes, errors, decisions, and what is to be known of them.
pub(super) fn counts(run: &Run) -> String {
    let (outcomes, errors) = (listed(&run.requests.by_outcome), listed(&run.requests.by_error));
    let mut text = format!("Outcomes   {outcomes}\nErrors     {errors}\n");
    let audit = &run.audit.audit;
    if audit.orders.is_some() {
        let Audit { accepted, unresolved, unknown_outcomes, results, .. } = audit;
        let Asked { wanted, answered } = results;
        // A source of orders alone does not say what became of the others.
        let is_told = |of: &NotChecked| of.invariant != Invariant::AcceptedKept;
        let undecided = match audit.not_checked.iter().all(is_told) {
            true => format!("{unresolved} undecided"),
            false => "how many are undecided is not told".to_owned(),
        };
        let _ = writeln!(
            text,
            "Decisions  {accepted} accepted, {undecided}, {unknown_outcomes} unknown; asked for \
             {}, {answered} answered",
            number_of(*wanted, "result"),
        );
    }
    if audit.sent_again.wanted > 0 {
        let Asked { wanted, answered } = audit.sent_again;
        let _ = writeln!(text, "Sent again {wanted} attempts that are known, {answered} answered");
    }
    if let Some(ends) = audit.order_ends {
        let (kept, back) = order_ends(ends, |number| number.to_string());
        let _ = writeln!(text, "Orders     {kept}; {back}");
    }
    if let Some(payments) = audit.payments {
        let _ = writeln!(text, "Payments   {}", payments.describe());
    }
    if let Some(fairness) = audit.fairness.filter(|fairness| fairness.gini > 0.0) {
        let Fairness { fifo_violations, largest_displacement, gini } = fairness;
        let lost = match fifo_violations {
            0 => "no attempt lost to a later one".to_owned(),
            _ => format!(
                "{} lost to later ones (to up to {largest_displacement})",
                number_of(fifo_violations, "attempt")
            ),
        };
        let _ = writeln!(text, "Fairness   {lost}; Gini coefficient of orders {gini:.2}");
    }
    if let Some(dead) = audit.dead_letters.as_ref().filter(|dead| dead.count > 0) {
        let DeadLetters { count, request_ids } = dead;
        let ids = request_ids.iter().map(|id| printable(id)).collect::<Vec<_>>().join(", ");
        let more = if *count > request_ids.len() as u64 { ", …" } else { "" };
        let _ = writeln!(
            text,
            "Dead       {count} attempts could not be decided, and lost as undeliverable: \
             {ids}{more}"
        );
    }
    text
}

/// What has become of held orders, in words: those that take a unit, and those whose units came
/// back.
pub(super) fn order_ends(ends: OrderEnds, show: impl Fn(u64) -> String) -> (String, String) {
    let OrderEnds { held, paid, cancelled, expired } = ends;
    let kept = format!("{} held, {} paid", show(held), show(paid));
    let (cancelled, expired) = (show(cancelled), show(expired));
    (kept, format!("{cancelled} cancelled and {expired} expired, whose units came back"))
}

/// The counts above 0, each after its word.
pub(super) fn listed(tally: &Tally) -> String {
    let counts = tally.0.iter().filter(|(_, count)| *count > 0);
    let counts: Vec<_> =
        counts.map(|(word, count)| format!("{} {count}", printable(word))).collect();
    if counts.is_empty() { "none".to_owned() } else { counts.join(", ") }
}
