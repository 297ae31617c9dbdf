//! Refusals: each says what is true, and a refused attempt has no effect.

use crate::history::{Hours, Refused, RequestWindow, Tally};
use crate::judge::facts::{Facts, Origin};
use crate::judge::invariant::{Invariant, Witnesses};

use super::limit;

/// How far apart two clocks of a right system may be that both know the hours of the sale, in
/// microseconds.
const CLOCKS_APART_US: u64 = 1_000_000;

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
        add_all(
            facts,
            &mut broken,
            history.refusals.of(Refused::Invalid),
            "a valid request is not",
        );
    }
    // A server that does not number its sales sees the ids of an earlier one again if a run has the
    // same seed.
    if facts.ledger.sale.epoch > 0 {
        let reused = history.refusals.of(Refused::IdReused);
        add_all(facts, &mut broken, reused, "no other buyer has this id");
    }
    for request in limit::false_refusals(facts) {
        add(facts, &mut broken, &request, "the buyer is below the limit");
    }
    hours_true(facts, &mut broken);
    let without = Some(&history.without_retry_after);
    add_all(facts, &mut broken, without, "does not say when to try again");
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

/// The requests of a tally that were kept, each once.
pub(super) fn kept(tally: &Tally) -> Vec<RequestWindow> {
    let mut kept: Vec<_> = tally.kept().copied().collect();
    kept.sort_unstable_by_key(|kept| (kept.sent_us, kept.attempt, kept.answered_us));
    kept.dedup();
    kept
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
    let latest = |us| facts.clock.map(|clock| clock.latest_moment(us));
    let earliest = |us| facts.clock.map(|clock| clock.earliest_moment(us));
    let opened_us = hours.opens_us.map_or(Some(0), latest);
    let closes_us = hours.closes_us.map_or(Some(u64::MAX), earliest);
    (after(opened_us), before(closes_us))
}

/// The same moments as [`by_hours`] gives, if the hours are not shown: the sale was open once an
/// attempt had been accepted, and not closed before another was sent that was accepted.
fn by_acceptance(facts: &Facts<'_>) -> (Option<u64>, Option<u64>) {
    let new = facts.accepted.iter().filter(|made| made.earlier.is_none());
    let windows = || new.clone().filter_map(|made| made.window());
    let Some(spread_us) = facts.clock.map(|clock| clock.spread_us()) else { return (None, None) };
    let opened_us = windows().map(|window| window.1.saturating_add(spread_us)).min();
    let closes_us = windows().map(|window| window.0.saturating_sub(spread_us)).max();
    (after(opened_us), before(closes_us))
}

fn after(moment_us: Option<u64>) -> Option<u64> {
    moment_us.map(|us| us.saturating_add(CLOCKS_APART_US))
}

fn before(moment_us: Option<u64>) -> Option<u64> {
    moment_us.map(|us| us.saturating_sub(CLOCKS_APART_US))
}

#[cfg(test)]
mod tests {
    use crate::history::{Answered, AttemptNo, Refused};
    use crate::judge::invariant::Invariant;
    use crate::judge::rules::scene::{Scene, server_us};

    fn count(scene: &Scene) -> u64 {
        let found = scene.violations();
        assert!(found.iter().all(|v| v.invariant == Invariant::RefusalsTrue), "{found:?}");
        found.first().map_or(0, |violation| violation.count)
    }

    #[test]
    fn refused_attempt_in_the_ledger_breaks_refusals_hold() {
        let mut scene = Scene::new();
        scene.history.entries.remove(5);
        assert_eq!(scene.broken(), [Invariant::RefusalsHold]);
    }

    #[test]
    fn valid_requests_are_never_malformed() {
        let mut scene = Scene::new();
        scene.refuse(Refused::Invalid, 10, 20);
        scene.refuse(Refused::Invalid, 11, 21);
        assert_eq!(count(&scene), 2);
        // Whoever answers every request so is no server of this API, and proves nothing.
        let mut scene = Scene::new();
        scene.history.entries.clear();
        scene.ledger.rows.clear();
        scene.set_stock(0);
        scene.ledger.sale.stock_left = 0;
        scene.history.views = Default::default();
        scene.refuse(Refused::Invalid, 10, 20);
        scene.refuse(Refused::Unavailable, 10, 20);
        assert_eq!(scene.broken(), []);
    }

    #[test]
    fn fresh_ids_are_not_known_with_another_buyer() {
        let mut scene = Scene::new();
        scene.refuse(Refused::IdReused, 10, 20);
        assert_eq!(count(&scene), 1);
        scene.ledger.sale.epoch = 0;
        scene.change_views(|_, sale| sale.epoch = 0);
        assert_eq!(count(&scene), 0, "ids may have been used in an earlier sale without a number");
    }

    #[test]
    fn temporary_refusals_say_when_to_try_again_and_nothing_contradicts_itself() {
        let mut scene = Scene::new();
        scene.refuse(Refused::Unavailable, 10, 20);
        scene.refuse(Refused::RateLimited, 10, 20);
        assert_eq!(count(&scene), 0);
        let attempt = AttemptNo { thread: 6, index: 0 };
        let window = crate::history::RequestWindow { attempt, sent_us: 1, answered_us: 2 };
        scene.history.without_retry_after.add(window);
        assert_eq!(count(&scene), 1);
        scene.history.contradictory.add(window);
        assert_eq!(count(&scene), 2);
    }

    #[test]
    fn hours_bound_who_is_told_that_the_sale_is_not_open() {
        let mut scene = Scene::new();
        scene.set_hours(Some(5), Some(9_000));
        scene.refuse(Refused::NotOpen, 1, 2);
        scene.refuse(Refused::NotOpen, 900, 901);
        scene.refuse(Refused::Closed, 8_900, 9_100);
        assert_eq!(count(&scene), 0);
        scene.refuse(Refused::NotOpen, 1_500, 1_501);
        assert_eq!(count(&scene), 1);
        scene.refuse(Refused::Closed, 100, 110);
        assert_eq!(count(&scene), 2);
        // A sale that shows only its opening does not close.
        scene.set_hours(Some(5), None);
        assert_eq!(count(&scene), 3);
    }

    #[test]
    fn without_hours_only_acceptance_shows_that_the_sale_is_open() {
        let mut scene = Scene::new();
        scene.refuse(Refused::Closed, 10, 20);
        scene.refuse(Refused::NotOpen, 900, 901);
        assert_eq!(count(&scene), 0);
        scene.refuse(Refused::NotOpen, 1_200, 1_201);
        assert_eq!(count(&scene), 1);
        let entry = scene.entry(4);
        (entry.sent_us, entry.answered_us) = (1_500_000, 1_510_000);
        let row = scene.row(4);
        (row.accepted_us, row.decided_us) = (server_us(1_505), Some(server_us(1_506)));
        assert_eq!(count(&scene), 2, "the sale had not closed either");
    }

    #[test]
    fn everybody_may_be_told_that_the_sale_is_closed() {
        let mut scene = Scene::new();
        scene.make_earlier();
        scene.refuse(Refused::Closed, 10, 20);
        scene.refuse(Refused::Closed, 5_000, 5_001);
        assert_eq!(count(&scene), 0);
        // An hour that was yesterday for every clock.
        let day_us = 25 * 3600 * 1_000_000;
        scene.change_views(|_, sale| sale.hours.closes_us = Some(server_us(0) + day_us));
        assert_eq!(count(&scene), 2);
    }

    #[test]
    fn buyers_below_the_limit_are_not_refused() {
        let mut scene = Scene::with_buyers(crate::settings::Buyers::Thread);
        let buyer = |thread| AttemptNo { thread, index: 1 };
        let again = |scene: &mut Scene, thread: u32, window| {
            scene.history.sent[thread as usize] = 2;
            scene.refuse_again(Refused::AlreadyBought, buyer(thread), window);
        };
        // This one has an order, these may have had one when they were told so.
        again(&mut scene, 0, (30, 40));
        again(&mut scene, 2, (35, 45));
        again(&mut scene, 3, (56, 60));
        again(&mut scene, 5, (100, 110));
        assert_eq!(count(&scene), 0);
        again(&mut scene, 0, (1, 5));
        assert_eq!(count(&scene), 1, "its first attempt was sent later");
        again(&mut scene, 4, (75, 80));
        assert_eq!(count(&scene), 2, "its attempt had lost before");
        scene.refuse(Refused::AlreadyBought, 10, 20);
        assert_eq!(count(&scene), 3, "it made no other attempt");
        scene.ledger.sale.per_buyer = 2;
        scene.history.sale_before.as_mut().unwrap().per_buyer = 2;
        scene.change_views(|_, sale| sale.per_buyer = Some(2));
        assert_eq!(count(&scene), 7);
    }

    #[test]
    fn orders_before_the_run_count_against_the_limit() {
        let mut scene = Scene::with_buyers(crate::settings::Buyers::Thread);
        let ids = scene.history.ids;
        scene.make_earlier();
        scene.history.ids = ids;
        scene.history.sent = vec![2; 7];
        scene.refuse_again(Refused::AlreadyBought, AttemptNo { thread: 0, index: 1 }, (1, 2));
        assert_eq!(count(&scene), 0);
        scene.refuse_again(Refused::AlreadyBought, AttemptNo { thread: 3, index: 1 }, (1, 2));
        assert_eq!(count(&scene), 1);
    }

    #[test]
    fn unknown_attempts_may_be_orders() {
        let mut scene = Scene::with_buyers(crate::settings::Buyers::Thread);
        scene.entry(3).answered = Answered::Unknown;
        scene.ledger.rows.remove(3);
        scene.history.sent[3] = 2;
        scene.refuse_again(Refused::AlreadyBought, AttemptNo { thread: 3, index: 1 }, (90, 95));
        assert_eq!(count(&scene), 0);
    }
}
