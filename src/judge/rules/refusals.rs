//! Refusals: each says what is true, and a refused attempt has no effect.

use crate::history::{Refused, RequestWindow, Status, Tally};
use crate::judge::facts::Facts;
use crate::judge::invariant::{Invariant, Witnesses};
use crate::judge::origin::Origin;

use super::hours::CertainlyOpen;
use super::kept::kept;
use super::limit::AtLimit;

/// Checks that no refused attempt is in the ledger.
pub(super) fn refusals_hold(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::RefusalsHold);
    // The second order of an attempt may seem to be one of another attempt of its buyer.
    if !facts.tells.once && !facts.tells.request_ids {
        return broken;
    }
    for (row, origin) in facts.rows() {
        // A shop may note attempts that it has refused; an order is an effect in any case.
        let is_effect = facts.tells.is_everything() || matches!(row.status, Status::Won(_));
        broken.add_if(is_effect && origin == Origin::Refused, row.request_id);
    }
    broken
}

/// Checks the reasons of refusals other than that the sale is sold out, and what has to go with
/// them. Requests of which only the number was kept are not checked one by one.
pub(super) fn refusals_true(facts: &Facts<'_>) -> Witnesses {
    refusals_true_below(facts, AtLimit::told(facts).refused)
}

/// The same, with these requests that were refused although their buyers were below the limit.
pub(super) fn refusals_true_below(facts: &Facts<'_>, below: Vec<RequestWindow>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::RefusalsTrue);
    let history = facts.history;
    if is_served(facts) {
        let invalid = history.refusals.of(Refused::Invalid);
        add_all(facts, &mut broken, invalid, "a valid request was called malformed");
    }
    // A server that does not number its sales sees the ids of an earlier one again if a run is
    // given the same seed, unless the sale was opened for the run.
    let is_numbered = facts.ledger.sale.epoch > 0;
    if is_numbered || history.has_fresh_ids || facts.all_views().any(|view| view.sale.opened) {
        let reused = history.refusals.of(Refused::IdReused);
        add_all(facts, &mut broken, reused, "the id belongs to no other buyer");
    }
    for request in below {
        add(facts, &mut broken, &request, "the buyer is below the limit");
    }
    hours_true(facts, &mut broken);
    let without = Some(&history.without_retry_after);
    add_all(facts, &mut broken, without, "the refusal does not say when to try again");
    let contradictory = Some(&history.contradictory);
    add_all(facts, &mut broken, contradictory, "the answer contradicts itself");
    broken
}

/// Whether any request got an answer of a system that sells something: others can say nothing but
/// that they do not understand.
fn is_served(facts: &Facts<'_>) -> bool {
    let is_of_sale = |refused: Refused| refused != Refused::Invalid && !refused.is_temporary();
    !facts.accepted.is_empty() || facts.history.refusals.iter().any(|(of, _)| is_of_sale(of))
}

fn add(facts: &Facts<'_>, broken: &mut Witnesses, request: &RequestWindow, problem: &str) {
    let id = facts.history.ids.request_id(request.attempt);
    broken.add(format_args!("{id}: {problem}"));
}

fn add_all(facts: &Facts<'_>, broken: &mut Witnesses, tally: Option<&Tally>, problem: &str) {
    let Some(tally) = tally else { return };
    let id = |request: RequestWindow| facts.history.ids.request_id(request.attempt);
    let witnesses = kept(tally).into_iter().map(|request| format!("{}: {problem}", id(request)));
    broken.add_counted(tally.count, witnesses);
}

/// Checks who was told that the sale is not open yet, or closed.
fn hours_true(facts: &Facts<'_>, broken: &mut Witnesses) {
    let told = |refused| {
        let tally = facts.history.refusals.of(refused);
        tally.map(kept).into_iter().flatten().filter(|request| request.answered_us > 0)
    };
    let (mut not_open, mut closed) =
        (told(Refused::NotOpen).peekable(), told(Refused::Closed).peekable());
    if not_open.peek().is_none() && closed.peek().is_none() {
        return;
    }
    let open = CertainlyOpen::of(facts);
    for request in not_open.filter(|request| open.had_opened(request.sent_us)) {
        add(facts, broken, &request, "the sale had opened");
    }
    for request in closed.filter(|request| open.had_not_closed(request.answered_us)) {
        add(facts, broken, &request, "the sale had not closed");
    }
}
