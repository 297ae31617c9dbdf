//! Results agree with the ledger, as far as they are not older.

use crate::history::{Loss, Refused, ResultRead, Status};
use crate::judge::invariant::Invariant;
use crate::judge::rules::tests::holds::held;
use crate::judge::rules::tests::scene::{Scene, order};

#[test]
fn result_differs_from_the_ledger() {
    for (number, result) in [
        (0, Some(order(2))),
        (0, Some(Status::Lost(Loss::SoldOut))),
        (3, Some(order(1))),
        (3, Some(Status::Queued)),
        (3, Some(Status::Lost(Loss::AlreadyBought))),
        (3, None),
        (5, None),
    ] {
        let mut scene = Scene::new();
        scene.read(number, result.clone(), (300, 310));
        assert_eq!(scene.broken(), [Invariant::ResultsTrue], "{number} {result:?}");
    }
}

#[test]
fn results_may_be_older_than_the_ledger() {
    let mut scene = Scene::new();
    scene.read(3, Some(Status::Queued), (56, 60));
    scene.read(3, None, (50, 52));
    scene.read(5, None, (100, 102));
    scene.read(5, Some(Status::Queued), (300, 301));
    assert_eq!(scene.broken(), []);
}

#[test]
fn unknown_attempt_may_take_effect_after_the_ledger_was_read() {
    let mut scene = Scene::new();
    scene.read(5, Some(Status::Lost(Loss::SoldOut)), (300, 301));
    let row = scene.row(5);
    (row.status, row.decided_us) = (Status::Queued, None);
    assert_eq!(scene.broken(), []);
}

#[test]
fn refused_attempt_has_no_result() {
    let mut scene = Scene::new();
    let attempt = scene.refuse(Refused::SoldOut, 60, 70);
    let request_id = scene.history.ids.request_id(attempt);
    let mut read = ResultRead {
        request_id,
        status: None,
        order: None,
        held_until_us: None,
        sent_us: 300_000,
        answered_us: 301_000,
    };
    scene.history.results.push(read.clone());
    assert_eq!(scene.broken(), []);
    read.status = Some(order(1));
    scene.history.results = vec![read];
    assert_eq!(scene.broken(), [Invariant::ResultsTrue]);
}

#[test]
fn attempt_that_was_decided_before_the_run_is_not_queued() {
    let mut scene = Scene::new();
    scene.row(4).status = Status::Lost(Loss::Undeliverable);
    let row = scene.row(4).clone();
    scene.history.before.insert(row.request_id, row);
    scene.history.entries.remove(4);
    scene.history.sent[4] = 0;
    assert_eq!(scene.broken(), []);
    scene.read(4, Some(Status::Queued), (62, 64));
    assert_eq!(scene.broken(), [Invariant::ResultsTrue]);
}

/// Adds a result that says until when the order of a winner is held.
fn read_held_until(scene: &mut Scene, number: usize, held_until_us: Option<u64>) {
    scene.read(number, Some(order(number as u64 + 1)), (300, 310));
    scene.history.results.last_mut().unwrap().held_until_us = held_until_us;
}

#[test]
fn deadline_in_a_result_is_that_of_the_ledger() {
    let mut scene = held();
    let held_us = scene.row(1).order.as_ref().unwrap().held_until_us;
    for told_us in [Some(held_us), None, Some(held_us)] {
        read_held_until(&mut scene, 1, told_us);
    }
    assert_eq!(scene.broken(), []);
    for told_us in [held_us - 1, held_us + 1] {
        let mut scene = held();
        read_held_until(&mut scene, 1, Some(told_us));
        let [violation] = &scene.violations()[..] else { panic!("{:?}", scene.violations()) };
        assert_eq!(violation.invariant, Invariant::ResultsTrue);
        let (id, of) = (scene.id(1), format!("held until {told_us}, and until {held_us}"));
        assert_eq!(violation.witnesses, [format!("{id}: {of} in the ledger")]);
    }
}

#[test]
fn deadline_without_one_in_the_ledger_is_that_of_other_results() {
    for (again_us, expected) in [(7, &[][..]), (8, &[Invariant::ResultsTrue])] {
        // The source of this ledger does not tell of holds.
        let mut scene = Scene::new();
        read_held_until(&mut scene, 0, Some(9));
        read_held_until(&mut scene, 1, Some(7));
        read_held_until(&mut scene, 1, Some(again_us));
        assert_eq!(scene.broken(), expected);
    }
}
