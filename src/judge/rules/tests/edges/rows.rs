//! Times of rows, reasons of losses, and repeated rows.

use crate::history::{Answered, AttemptNo, Ids, Loss, Status};
use crate::ids::RequestId;
use crate::judge::facts::Facts;
use crate::judge::invariant::Invariant;
use crate::judge::origin::Origin;
use crate::judge::rules::tests::scene::{AHEAD_US, Scene, order, server_us};
use crate::settings::Buyers;

/// By how much the accepting clocks of the scene are ahead, as the median of the middles of its
/// requests: they are accepted 2 ms before their middle.
const MEDIAN_US: u64 = AHEAD_US - 2_000;

const MINUTE_US: u64 = 60_000_000;

/// Half of the duration of each request, and the 2 ms.
const SLACK_US: u64 = 7_000;

/// How often the rows of a scene that was changed in this way are wrong.
fn wrong_rows(change: impl FnOnce(&mut Scene)) -> u64 {
    let mut scene = Scene::new();
    change(&mut scene);
    let found = scene.violations();
    assert!(found.iter().all(|found| found.invariant == Invariant::RowsSane), "{found:?}");
    found.first().map_or(0, |found| found.count)
}

#[test]
fn loss_has_a_reason_that_the_api_has() {
    assert_eq!(wrong_rows(|scene| scene.row(3).status = Status::Lost(Loss::Foreign)), 1);
    let mut scene = Scene::new();
    scene.read(3, Some(Status::Lost(Loss::Foreign)), (300, 310));
    assert_eq!(scene.broken(), [Invariant::ResultsTrue]);
    scene.row(3).status = Status::Lost(Loss::Foreign);
    assert_eq!(scene.broken(), [Invariant::ResultsTrue, Invariant::RowsSane]);
}

#[test]
fn decision_is_a_minute_and_the_accepting_clock_before_the_acceptance_at_most() {
    for (more_us, expected) in [(0, 0), (1, 1)] {
        let decide = |scene: &mut Scene| {
            let row = scene.row(3);
            row.decided_us = Some(row.accepted_us - MINUTE_US - MEDIAN_US - more_us);
        };
        assert_eq!(wrong_rows(decide), expected);
        // Two of the five clocks are behind: the median is that of the others.
        let with_clocks_behind = |scene: &mut Scene| {
            (0..2).for_each(|number| scene.row(number).accepted_us -= 40_000_000);
            decide(scene);
        };
        assert_eq!(wrong_rows(with_clocks_behind), expected);
    }
}

#[test]
fn accepting_clocks_are_a_minute_apart_from_their_median_at_most() {
    for (more_us, expected) in [(0, 0), (1, 1)] {
        let distance_us = MINUTE_US + SLACK_US - 2_000 + more_us;
        for number in [3, 5] {
            let behind = |scene: &mut Scene| scene.row(number).accepted_us -= distance_us;
            assert_eq!(wrong_rows(behind), expected, "{number}");
        }
        let ahead = |scene: &mut Scene| {
            scene.row(3).accepted_us += distance_us;
            scene.row(3).decided_us = Some(scene.row(3).accepted_us);
        };
        assert_eq!(wrong_rows(ahead), expected);
    }
}

#[test]
fn clock_differs_from_ours_by_a_day_at_most() {
    let shift = |more_us: u64| {
        let mut scene = Scene::new();
        scene.history.began_us -= 86_400_000_000 - MEDIAN_US + more_us;
        scene.violations()
    };
    assert_eq!(shift(0), []);
    assert_eq!(shift(1)[0].witnesses, ["the clock differs from ours by 86400 s"]);
}

#[test]
fn nothing_is_decided_after_the_last_state_was_read() {
    let decide = |more_us: u64, settled: bool| {
        move |scene: &mut Scene| {
            scene.settled = settled;
            let last_us = scene.history.began_us + 210_000 + MEDIAN_US + MINUTE_US;
            scene.row(3).decided_us = Some(last_us + more_us);
        }
    };
    assert_eq!(wrong_rows(decide(0, true)), 0);
    assert_eq!(wrong_rows(decide(1, true)), 1);
    assert_eq!(wrong_rows(decide(1, false)), 0, "it may have been decided later");
}

#[test]
fn repeated_row_is_not_out_of_order() {
    let mut scene = Scene::new();
    scene.ledger.rows.push(scene.ledger.rows[3].clone());
    assert_eq!(scene.broken(), [Invariant::RequestIdsUnique]);
    scene.row(2).seq = 5;
    assert_eq!(scene.broken(), [Invariant::RequestIdsUnique, Invariant::RowsSane]);
}

#[test]
fn changed_decision_before_the_run_is_no_changed_row() {
    let mut scene = Scene::new();
    scene.make_earlier();
    scene.row(3).status = Status::Lost(Loss::Undeliverable);
    scene.row(3).decided_us = Some(server_us(51));
    assert_eq!(scene.broken(), [Invariant::EarlierKept]);
}

fn set_limit(scene: &mut Scene, limit: u32) {
    scene.ledger.sale.per_buyer = limit;
    scene.history.sale_before.as_mut().unwrap().per_buyer = limit;
    scene.change_views(|_, sale| sale.per_buyer = Some(limit));
}

#[test]
fn buyer_at_the_limit_is_not_told_sold_out_while_units_are_left() {
    let mut scene = Scene::with_buyers(Buyers::Pool(1));
    scene.entry(4).answered = Answered::Accepted;
    set_limit(&mut scene, 3);
    assert_eq!(scene.broken(), []);
    scene.set_stock(4);
    assert_eq!(scene.broken(), [Invariant::RowsSane]);
    assert_eq!(scene.violations()[0].count, 3);
    set_limit(&mut scene, 4);
    assert_eq!(scene.broken(), [Invariant::NoUnsoldStock]);
}

#[test]
fn loss_because_the_sale_was_replaced_is_not_told_while_it_was_not() {
    let told_at = |answered_ms: u64| {
        move |scene: &mut Scene| {
            scene.row(3).status = Status::Lost(Loss::SaleReplaced);
            scene.read(3, Some(Status::Lost(Loss::SaleReplaced)), (60, answered_ms));
        }
    };
    // The last state was requested at 200 ms.
    assert_eq!(wrong_rows(told_at(199)), 1);
    assert_eq!(wrong_rows(told_at(200)), 0);
    let without_numbers = |scene: &mut Scene| {
        told_at(199)(scene);
        scene.ledger.sale.epoch = 0;
        scene.change_views(|_, sale| sale.epoch = 0);
    };
    assert_eq!(wrong_rows(without_numbers), 0);
    let without_states = |scene: &mut Scene| {
        told_at(199)(scene);
        scene.history.views = Default::default();
    };
    assert_eq!(wrong_rows(without_states), 0);
}

#[test]
fn loss_as_already_bought_is_not_told_before_the_last_order_was_requested() {
    for (answered_us, expected) in [(39_999, 1), (40_000, 0)] {
        let mut scene = Scene::with_buyers(Buyers::Pool(1));
        set_limit(&mut scene, 3);
        let entry = scene.entry(3);
        (entry.sent_us, entry.answered_us) = (31_000, answered_us);
        entry.answered = Answered::Lost(Loss::AlreadyBought);
        let row = scene.row(3);
        (row.accepted_us, row.decided_us) = (server_us(35), Some(server_us(36)));
        row.status = Status::Lost(Loss::AlreadyBought);
        assert_eq!(scene.broken(), [Invariant::RowsSane; 1][..expected], "{answered_us}");
    }
}

#[test]
fn loss_as_already_bought_of_a_queued_attempt_was_told_after_the_load() {
    // The last answer arrived at 90 ms.
    for (answered_ms, expected) in [(90, true), (91, false)] {
        let mut scene = Scene::new();
        (scene.row(3).status, scene.row(3).decided_us) = (Status::Queued, None);
        scene.settled = false;
        scene.read(3, Some(Status::Lost(Loss::AlreadyBought)), (60, answered_ms));
        let is_wrong = scene.broken().contains(&Invariant::RowsSane);
        assert_eq!(is_wrong, expected, "{answered_ms}");
    }
}

#[test]
fn order_of_nobody_breaks_another_invariant() {
    let mut scene = Scene::new();
    let mut row = scene.row(5).clone();
    row.request_id = RequestId::random();
    (row.seq, row.status) = (60, order(4));
    scene.ledger.rows.push(row);
    let found = scene.broken();
    assert!(found.contains(&Invariant::OrdersWereSent), "{found:?}");
    assert!(!found.contains(&Invariant::RowsSane), "{found:?}");
}

#[test]
fn attempt_of_another_run_is_known_by_its_id_and_its_time() {
    let mut scene = Scene::new();
    scene.history.ids = Ids::new(7, Buyers::New);
    for number in 0..6 {
        let attempt = scene.entry(number).attempt;
        scene.row(number).request_id = scene.history.ids.request_id(attempt);
    }
    let other = Ids::new(9, Buyers::New).request_id(AttemptNo { thread: 0, index: 0 });
    let not_sent = scene.history.ids.request_id(AttemptNo { thread: 0, index: 9 });
    for (request_id, accepted_us, expected) in [
        (other, server_us(50), Origin::OtherRun),
        (other, server_us(0) - 1_000_000, Origin::Foreign),
        (not_sent, server_us(50), Origin::Foreign),
        (RequestId::random(), server_us(50), Origin::Foreign),
    ] {
        let mut row = scene.row(5).clone();
        (row.request_id, row.accepted_us) = (request_id, accepted_us);
        scene.ledger.rows.push(row);
        let facts = Facts::gather(&scene.history, &scene.ledger, true);
        assert_eq!(facts.rows().last().unwrap().1, expected, "{request_id} {accepted_us}");
    }
}
