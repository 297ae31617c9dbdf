//! Refusals are true, and those of right systems are not accused.

use crate::history::{Answered, AttemptNo, Refused};
use crate::judge::facts::Facts;
use crate::judge::invariant::Invariant;
use crate::judge::rules::limit::AtLimit;
use crate::judge::rules::tests::scene::{Scene, server_us};

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
    scene.history.has_fresh_ids = true;
    assert_eq!(count(&scene), 1, "no other run has this seed");
    scene.history.has_fresh_ids = false;
    scene.change_views(|at, sale| sale.opened = at == 0);
    assert_eq!(count(&scene), 1, "the sale was opened for the run");
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
    scene.refuse(Refused::NotOpen, 1, 2);
    scene.refuse(Refused::Closed, 900, 901);
    assert_eq!(count(&scene), 0);
    scene.refuse(Refused::NotOpen, 1_200, 1_201);
    assert_eq!(count(&scene), 1);
    let entry = scene.entry(4);
    (entry.sent_us, entry.answered_us) = (2_500_000, 2_510_000);
    let row = scene.row(4);
    (row.accepted_us, row.decided_us) = (server_us(2_505), Some(server_us(2_506)));
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
    // This one has an order, this one may have had one when it was told so.
    again(&mut scene, 0, (30, 40));
    again(&mut scene, 2, (35, 45));
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
    assert_eq!(count(&scene), 5);
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
fn attempts_without_an_order_never_count_against_the_limit() {
    let mut scene = Scene::with_buyers(crate::settings::Buyers::Thread);
    let again = |scene: &mut Scene, thread| {
        scene.history.sent[thread as usize] = 2;
        scene.refuse_again(Refused::AlreadyBought, AttemptNo { thread, index: 1 }, (90, 95));
    };
    // Whoever has an order when it was told so, has it in the ledger.
    scene.entry(3).answered = Answered::Unknown;
    scene.ledger.rows.remove(3);
    again(&mut scene, 3);
    assert_eq!(count(&scene), 1);
    again(&mut scene, 5);
    assert_eq!(count(&scene), 2);
    scene.entry(0).answered = Answered::Unknown;
    again(&mut scene, 0);
    assert_eq!(count(&scene), 2);
}

#[test]
fn order_was_made_by_the_time_its_buyer_was_told_of_the_limit_unless_orders_come_back() {
    for (hold_us, expected) in [(None, 40_000), (Some(1), u64::MAX)] {
        let mut scene = Scene::with_buyers(crate::settings::Buyers::Thread);
        scene.ledger.sale.hold_us = hold_us;
        scene.history.sent[0] = 2;
        for window in [(32, 42), (30, 40)] {
            let attempt = AttemptNo { thread: 0, index: 1 };
            scene.refuse_again(Refused::AlreadyBought, attempt, window);
        }
        let facts = Facts::gather(&scene.history, &scene.ledger, true);
        let at_limit = AtLimit::told(&facts);
        let by_us = [0, 2].map(|number| at_limit.by_us(&scene.ledger.rows[number]));
        assert_eq!(by_us, [expected, u64::MAX], "{hold_us:?}");
    }
}

#[test]
fn orders_of_a_buyer_are_counted_by_their_times() {
    let is_broken = |sent_ms: u64, answered_ms: u64| {
        let mut scene = Scene::with_buyers(crate::settings::Buyers::Pool(1));
        scene.history.entries.reverse();
        scene.refuse(Refused::AlreadyBought, sent_ms, answered_ms);
        scene.broken().contains(&Invariant::RefusalsTrue)
    };
    // The first of the orders was requested at 10 ms.
    assert!(!is_broken(11, 15));
    assert!(is_broken(8, 9));
}
