//! Who is told that no unit is left at the very moment at which the last winner is sent.

use crate::history::{AttemptNo, Ids, Refused, Status};
use crate::judge::invariant::Invariant;
use crate::judge::rules::tests::scene::{Scene, order};
use crate::settings::Buyers;

#[test]
fn winner_that_was_sent_when_sold_out_was_told_is_no_later_one() {
    for (answered, expected) in [(39, 1), (40, 0)] {
        let mut scene = Scene::new();
        scene.history.sale_before = None;
        scene.history.views = Default::default();
        scene.refuse(Refused::SoldOut, 35, answered);
        assert_eq!(scene.broken(), [Invariant::SoldOutTrue; 1][..expected], "{answered}");
    }
}

#[test]
fn attempts_that_were_queued_before_the_run_can_have_taken_units() {
    for (is_queued, expected) in [(false, 2), (true, 0)] {
        let mut scene = Scene::new();
        scene.history.views = Default::default();
        scene.refuse(Refused::SoldOut, 22, 28);
        if is_queued {
            let mut row = scene.row(2).clone();
            (row.status, row.decided_us) = (Status::Queued, None);
            scene.history.before.insert(row.request_id, row);
        }
        let found = scene.violations();
        let count = found.iter().find(|found| found.invariant == Invariant::SoldOutTrue);
        assert_eq!(count.map_or(0, |found| found.count), expected);
    }
}

#[test]
fn order_of_nobody_can_have_taken_a_unit() {
    for (status, expected) in [(order(9), 1), (Status::Queued, 2)] {
        let mut scene = Scene::new();
        scene.refuse(Refused::SoldOut, 22, 28);
        let mut row = scene.row(2).clone();
        row.request_id =
            Ids::new(9, Buyers::New).unmarked().request_id(AttemptNo { thread: 0, index: 0 });
        (row.seq, row.status) = (60, status);
        scene.ledger.rows.push(row);
        let found = scene.violations();
        let told = found.iter().find(|found| found.invariant == Invariant::SoldOutTrue);
        assert_eq!(told.map_or(0, |found| found.count), expected);
    }
}
