//! States of the sale that were read at the very moment that matters.

use crate::history::{Answered, Status};
use crate::judge::invariant::Invariant;
use crate::judge::rules::tests::scene::{Scene, order};

/// A run of which only these states were read: when, and how many units were left.
fn read(states: &[((u64, u64), i64)]) -> Scene {
    let mut scene = Scene::new();
    scene.history.views = Default::default();
    for (window, left) in states {
        scene.view(*window, *left, 0);
    }
    scene
}

/// What is wrong with the states of a run in which only these are wrong.
fn wrong_states(scene: &Scene) -> Vec<String> {
    let found = scene.violations();
    let of = Invariant::StockReadsBounded;
    assert!(found.iter().all(|found| found.invariant == of), "{found:?}");
    found.into_iter().flat_map(|found| found.witnesses).collect()
}

fn is_wrong(scene: &Scene) -> bool {
    scene.broken().contains(&Invariant::StockReadsBounded)
}

#[test]
fn order_that_was_told_is_sold_to_requests_that_were_sent_later() {
    assert_eq!(wrong_states(&read(&[((30, 35), 3)])), [""; 0]);
    let expected = ["0 orders at 31 ms, at least 1 were made"];
    assert_eq!(wrong_states(&read(&[((31, 35), 3)])), expected);
}

#[test]
fn order_cannot_be_sold_in_answers_before_its_request() {
    assert_eq!(wrong_states(&read(&[((38, 40), 0)])), [""; 0]);
    let expected = ["3 orders at 39 ms, at most 2 can be made"];
    assert_eq!(wrong_states(&read(&[((38, 39), 0)])), expected);
}

#[test]
fn accepted_winner_is_queued_until_the_order_is_made() {
    let waiting = |window, queued| {
        let mut scene = read(&[(window, 1)]);
        scene.change_views(|_, sale| sale.queued = queued);
        scene.view((200, 210), 0, 0);
        wrong_states(&scene)
    };
    assert_eq!(waiting((50, 52), 0), [""; 0]);
    assert_eq!(waiting((51, 52), 0), ["2 orders and 0 queued at 51 ms, of 3 winners"]);
    assert_eq!(waiting((51, 52), 1), [""; 0]);
    // A state that shows fewer orders than were told has one thing wrong.
    assert_eq!(wrong_states(&read(&[((60, 61), 3), ((200, 210), 0)])).len(), 1);
    // The last one is compared with the ledger instead, and without a settled ledger it is not.
    let mut last = read(&[((60, 61), 1)]);
    assert!(!is_wrong(&last));
    last.settled = false;
    assert!(is_wrong(&last));
}

#[test]
fn state_without_times_is_not_compared_with_orders() {
    assert_eq!(wrong_states(&read(&[((0, 0), 0)])), [""; 0]);
}

#[test]
fn order_before_the_run_is_sold_to_requests_that_were_sent_after_the_first_attempt() {
    let read = |window, left| {
        let mut scene = read(&[(window, left)]);
        let before = scene.row(0).clone();
        scene.history.before.insert(before.request_id, before);
        scene.history.sale_before.as_mut().unwrap().stock_left = 2;
        scene
    };
    assert!(!is_wrong(&read((9, 12), 3)));
    assert!(is_wrong(&read((10, 12), 3)));
    assert!(is_wrong(&read((60, 61), 2)), "another one had been told by then");
    assert_eq!(wrong_states(&read((60, 61), 1)), [""; 0]);
    assert_eq!(wrong_states(&read((60, 61), 0)), [""; 0]);
    assert!(is_wrong(&read((11, 12), 1)));
}

#[test]
fn attempt_without_an_answer_may_have_been_sold_after_the_load() {
    let read = |sent_ms: u64, has_row: bool| {
        let mut scene = read(&[((91, 95), 0), ((sent_ms, 99), -1)]);
        scene.set_stock(4);
        scene.ledger.sale.stock_left = 1;
        scene.entry(4).answered = Answered::Accepted;
        if !has_row {
            scene.ledger.rows.remove(5);
        }
        scene
    };
    // The ledger was read after the state that was answered at 95 ms.
    assert!(is_wrong(&read(95, false)));
    assert!(!is_wrong(&read(96, false)));
    assert!(is_wrong(&read(96, true)));
}

#[test]
fn no_unit_is_left_to_requests_after_somebody_was_told_so() {
    // A loser was told so at 70 ms.
    assert_eq!(wrong_states(&read(&[((1, 2), 3), ((70, 72), 1)])), [""; 0]);
    let scene = read(&[((1, 2), 3), ((71, 72), 1)]);
    let told = scene.id(4);
    let expected = [format!("1 units left at 71 ms, and {told} was told that none was")];
    assert_eq!(wrong_states(&scene), expected);
    // More was sold than there was.
    let mut scene = read(&[((1, 2), 3), ((71, 72), 1)]);
    scene.row(3).status = order(4);
    scene.ledger.sale.stock_left = -1;
    assert!(is_wrong(&scene), "{:?}", scene.violations());
    // With units left in the end, the loss breaks another invariant.
    let mut scene = Scene::new();
    scene.set_stock(4);
    assert_eq!(scene.broken(), [Invariant::NoUnsoldStock]);
}

#[test]
fn sold_units_stay_sold_to_requests_that_were_sent_later() {
    assert_eq!(wrong_states(&read(&[((22, 30), 1), ((30, 35), 2)])), [""; 0]);
    let expected = ["1 orders at 31 ms, 2 before"];
    assert_eq!(wrong_states(&read(&[((22, 30), 1), ((31, 35), 2)])), expected);
}

#[test]
fn result_bounds_when_an_order_was_made() {
    // It had not won when a result was requested at 60 ms, and had won at 65 ms.
    let read = |sent_ms: u64, answered_ms: u64, left: i64| {
        let mut scene = read(&[((sent_ms, answered_ms), left)]);
        scene.change_views(|_, sale| sale.queued = 1);
        scene.entry(4).answered = Answered::Accepted;
        scene.read(2, Some(Status::Queued), (60, 61));
        scene.read(2, Some(order(3)), (63, 65));
        scene
    };
    assert_eq!(wrong_states(&read(58, 60, 0)), [""; 0]);
    assert_eq!(wrong_states(&read(58, 59, 0)).len(), 1);
    assert_eq!(wrong_states(&read(65, 66, 2)), [""; 0]);
    assert_eq!(wrong_states(&read(66, 67, 2)).len(), 1);
    assert_eq!(wrong_states(&read(66, 67, 1)), [""; 0]);
}

#[test]
fn results_without_times_bound_nothing() {
    let mut scene = Scene::new();
    scene.read(0, Some(order(1)), (0, 0));
    assert_eq!(wrong_states(&scene), [""; 0]);
}

#[test]
fn order_is_made_at_the_moment_between_two_results() {
    let read = |queued_ms: u64| {
        let mut scene = read(&[((58, 60), 0)]);
        scene.change_views(|_, sale| sale.queued = 1);
        scene.entry(4).answered = Answered::Accepted;
        scene.read(2, Some(order(3)), (63, 65));
        scene.read(2, Some(Status::Queued), (queued_ms, 67));
        scene
    };
    assert_eq!(wrong_states(&read(65)).len(), 1);
    // The results contradict each other.
    assert!(!is_wrong(&read(66)));
}

#[test]
fn attempt_that_was_answered_twice_has_one_order() {
    let mut scene = read(&[((31, 35), 2)]);
    let again = scene.entry(1).clone();
    scene.history.entries.push(again);
    assert_eq!(wrong_states(&scene), [""; 0]);
}

#[test]
fn each_row_of_an_attempt_may_be_an_order() {
    for (number, expected) in [(None, true), (Some(0), false), (Some(3), true)] {
        let mut scene = read(&[((100, 105), -1)]);
        if let Some(number) = number {
            let mut again = scene.row(number).clone();
            again.seq = 60;
            scene.ledger.rows.push(again);
            scene.ledger.sale.stock_left = -1;
        }
        assert_eq!(is_wrong(&scene), expected, "{number:?}");
    }
}
