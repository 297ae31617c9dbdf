//! Refusals: each says what is true, and a refused attempt has no effect.

use crate::history::{Hours, Refused, RequestWindow, Tally};
use crate::judge::facts::{Facts, Origin};
use crate::judge::invariant::{Invariant, Witnesses};

use super::kept::kept;
use super::limit::AtLimit;
use super::orders::orders;

/// How far apart two clocks of a right system may be that both know the hours of the sale, in
/// microseconds.
const CLOCKS_APART_US: u64 = 1_000_000;

/// How far a clock may be adjusted between two acceptances beyond what these show, in microseconds.
const ADJUSTED_US: u64 = 20_000;

/// Checks that no refused attempt is in the ledger.
pub(super) fn refusals_hold(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::RefusalsHold);
    for (row, origin) in facts.rows() {
        broken.add_if(origin == Origin::Refused, row.request_id);
    }
    broken
}

/// Checks the reasons of refusals other than that the sale is sold out, and what has to go with
/// them. Requests of which only the number was kept are not checked one by one.
pub(super) fn refusals_true(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::RefusalsTrue);
    let history = facts.history;
    if is_served(facts) {
        let invalid = history.refusals.of(Refused::Invalid);
        add_all(facts, &mut broken, invalid, "a valid request was called malformed");
    }
    // A server that does not number its sales sees the ids of an earlier one again if a run has the
    // same seed.
    if facts.ledger.sale.epoch > 0 {
        let reused = history.refusals.of(Refused::IdReused);
        add_all(facts, &mut broken, reused, "the id belongs to no other buyer");
    }
    for request in AtLimit::told(facts, &orders(facts)).falsely {
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
    let (opened_us, closes_us) = match facts.hours() {
        Some(hours) => by_hours(facts, hours),
        None => by_acceptance(facts),
    };
    for request in not_open {
        if opened_us.is_some_and(|opened_us| request.sent_us > opened_us) {
            add(facts, broken, &request, "the sale had opened");
        }
    }
    for request in closed {
        if closes_us.is_some_and(|closes_us| request.answered_us < closes_us) {
            add(facts, broken, &request, "the sale had not closed");
        }
    }
}

/// A moment at which the sale was certainly open already, and one at which it was certainly not
/// closed yet. A sale that shows only one of its hours does not have the other.
fn by_hours(facts: &Facts<'_>, hours: Hours) -> (Option<u64>, Option<u64>) {
    let latest =
        |us: u64| facts.clock.map(|clock| clock.latest_moment(us.saturating_add(CLOCKS_APART_US)));
    let earliest = |us: u64| {
        facts.clock.map(|clock| clock.earliest_moment(us.saturating_sub(CLOCKS_APART_US)))
    };
    let opened_us = hours.opens_us.map_or(Some(0), latest);
    let closes_us = hours.closes_us.map_or(Some(u64::MAX), earliest);
    (opened_us, closes_us)
}

/// The same moments as [`by_hours`] gives, if the hours are not shown: the sale was open once an
/// attempt had been accepted, and not closed before another was sent that was accepted.
fn by_acceptance(facts: &Facts<'_>) -> (Option<u64>, Option<u64>) {
    let new = facts.accepted.iter().filter(|made| made.earlier.is_none());
    let windows = || new.clone().filter_map(|made| made.window());
    let Some(spread_us) = facts.clock.map(|clock| clock.spread_us()) else { return (None, None) };
    let slack_us = spread_us.saturating_add(ADJUSTED_US);
    let opened_us = windows().map(|window| window.1.saturating_add(slack_us)).min();
    let closes_us = windows().map(|window| window.0.saturating_sub(slack_us)).max();
    (opened_us, closes_us)
}
