//! What is queued, as states of the sale and results show it at the same moment.

use crate::history::{Status, View};
use crate::judge::facts::Facts;
use crate::judge::id_map::IdMap;
use crate::judge::invariant::Witnesses;
use crate::judge::origin::Origin;

use super::results::{ledger_us, truths};

/// Requests of one virtual user that may be in flight at a time: those of a double click.
const IN_FLIGHT_MAX: u64 = 2;

/// Checks that the states show as many attempts queued as can be.
pub(super) fn queued_agree(facts: &Facts<'_>, broken: &mut Witnesses) {
    as_many_as_results_say(facts, broken);
    no_more_than_were_sent(facts, broken);
    does_not_grow_by_itself(facts, broken);
}

/// Checks that no state shows more attempts queued than were queued before the run and can have
/// been added by then. A request that is refused in the end may count while it is in flight. The
/// last state is compared with the ledger elsewhere.
fn no_more_than_were_sent(facts: &Facts<'_>, broken: &mut Witnesses) {
    let history = facts.history;
    let mut views = history.views.iter().filter(|view| !view.sale.opened);
    let (Some(first), Some(_)) = (views.next(), views.next_back()) else { return };
    let is_certain = facts.is_settled && !facts.is_replaced && facts.answered_twice.is_empty();
    if !is_certain || history.ended_us == 0 {
        return;
    }
    let is_other = |origin| !matches!(origin, Origin::Earlier | Origin::Made);
    let others = facts.rows().filter(|(_, origin)| is_other(*origin)).count() as u64;
    let before = first.sale.queued.saturating_add(others);
    let read_us = decisions_read(facts);
    let (mut sent_us, mut decided_us) = (Vec::new(), Vec::new());
    for made in facts.made().filter(|made| made.earlier.is_none()) {
        sent_us.push(made.entry.sent_us);
        let is_decision = made.entry.answered.is_decision();
        let told_us = made.window().filter(|_| is_decision).map(|(_, answered_us)| answered_us);
        decided_us.extend(told_us.into_iter().chain(read_us.get(&made.request_id).copied()).min());
    }
    sent_us.sort_unstable();
    decided_us.sort_unstable();
    let refused = history.refusals.count().min(IN_FLIGHT_MAX * history.sent.len() as u64);
    for view in views {
        let added = sent_us.partition_point(|us| *us <= view.answered_us) as u64;
        let decided = decided_us.partition_point(|us| *us < view.sent_us) as u64;
        let in_flight = if view.sent_us > history.ended_us { 0 } else { refused };
        let most = before.saturating_add(added.saturating_sub(decided)).saturating_add(in_flight);
        let (queued, ms) = (view.sale.queued, view.sent_us / 1_000);
        broken.add_if(
            queued > most,
            format_args!("{queued} queued at {ms} ms, and at most {most} can be"),
        );
    }
}

/// Checks that the queue does not grow after the load: then nobody sends anything any more. Once
/// the ledger was read, others may have.
fn does_not_grow_by_itself(facts: &Facts<'_>, broken: &mut Witnesses) {
    let (ended_us, ledger_us) = (facts.history.ended_us, ledger_us(facts));
    let is_certain = facts.is_settled && !facts.is_replaced && !facts.has_other_buyers();
    // A request without an answer may have its effect at any time.
    if !is_certain || !facts.unknown.is_empty() || ended_us == 0 {
        return;
    }
    let mut least: Option<&View> = None;
    let within = |view: &&View| view.sent_us > ended_us && view.answered_us <= ledger_us;
    for view in facts.views().filter(within) {
        let before = *least.get_or_insert(view);
        let (queued, was) = (view.sale.queued, before.sale.queued);
        let (ms, before_ms) = (view.sent_us / 1_000, before.sent_us / 1_000);
        if before.answered_us < view.sent_us && queued > was {
            broken.add(format_args!("{queued} queued at {ms} ms, and {was} at {before_ms} ms"));
            return;
        }
        if queued < was {
            least = Some(view);
        }
    }
}

/// When each decision was read as a result first.
fn decisions_read(facts: &Facts<'_>) -> IdMap<u64> {
    let mut read_us: IdMap<u64> = IdMap::default();
    for (read, is_true) in facts.history.results.iter().zip(truths(facts)) {
        let is_decision = read.status.as_ref().is_some_and(Status::is_decision);
        if *is_true && is_decision && read.answered_us > 0 {
            let first_us = read_us.entry(read.request_id).or_insert(u64::MAX);
            *first_us = read.answered_us.min(*first_us);
        }
    }
    read_us
}

/// Checks that no state shows fewer attempts queued than results did: an attempt is queued from its
/// acceptance on for as long as its result says so.
fn as_many_as_results_say(facts: &Facts<'_>, broken: &mut Witnesses) {
    let results = facts.history.results.iter().zip(truths(facts));
    let queued = results.filter(|(read, is_true)| **is_true && read.status == Some(Status::Queued));
    let mut until_us: IdMap<u64> = IdMap::default();
    for (read, _) in queued {
        let until_us = until_us.entry(read.request_id).or_default();
        *until_us = read.sent_us.max(*until_us);
    }
    if until_us.is_empty() {
        return;
    }
    let new = facts.accepted.iter().filter(|made| made.earlier.is_none());
    let spans = new.filter_map(|made| {
        let span = (made.window()?.1, *until_us.get(&made.request_id)?);
        (span.0 < span.1).then_some(span)
    });
    let (mut from_us, mut until_us): (Vec<u64>, Vec<u64>) = spans.unzip();
    from_us.sort_unstable();
    until_us.sort_unstable();
    for View { sent_us, answered_us, sale } in facts.views() {
        let begun = from_us.partition_point(|us| us < sent_us);
        // Those that were queued only within the request count as ended, which accuses nobody.
        let ended = until_us.partition_point(|us| us <= answered_us);
        let least = begun.saturating_sub(ended) as u64;
        let (queued, ms) = (sale.queued, sent_us / 1_000);
        broken.add_if(
            queued < least,
            format_args!("{queued} queued at {ms} ms, and results say {least}"),
        );
    }
}
