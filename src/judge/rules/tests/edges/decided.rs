//! How long a queue stands still, and how many attempts it passes over.

use crate::history::{AttemptNo, Ids, Loss, Standstill, Status};
use crate::judge::invariant::Invariant;
use crate::judge::rules::tests::scene::Scene;
use crate::settings::Buyers;

/// Whether an attempt at this position counts as passed over. In a queue that stood still for this
/// long, others are decided at 150 even positions from 100 on.
fn is_passed_over(seq: u64, unchanged_us: u64) -> bool {
    let mut scene = Scene::new();
    scene.settled = false;
    scene.history.standstill =
        Some(Standstill { queued: 1, unchanged_us, waited_us: 0, is_ready: true });
    let mut queued = scene.ledger.rows.remove(3);
    (queued.seq, queued.status, queued.decided_us) = (seq, Status::Queued, None);
    for index in 0..150 {
        let mut row = scene.row(4).clone();
        let attempt = AttemptNo { thread: 0, index };
        row.request_id = Ids::new(9, Buyers::New).unmarked().request_id(attempt);
        (row.seq, row.status) = (100 + 2 * index, Status::Lost(Loss::Undeliverable));
        scene.history.before.insert(row.request_id, row.clone());
        scene.ledger.rows.push(row);
    }
    scene.ledger.rows.push(queued);
    scene.broken().contains(&Invariant::AcceptedDecided)
}

#[test]
fn queue_passes_over_an_attempt_if_more_than_a_hundred_later_ones_are_decided() {
    // The last hundred positions are those from 200 on.
    for (seq, expected) in [(100, true), (197, true), (198, false), (199, false), (200, false)] {
        assert_eq!(is_passed_over(seq, 2_000_000), expected, "{seq}");
    }
}

#[test]
fn queue_that_moved_less_than_two_seconds_ago_passes_over_nothing() {
    assert!(!is_passed_over(100, 1_999_999));
    assert!(is_passed_over(100, 2_000_000));
}

#[test]
fn attempt_whose_result_was_known_before_nothing_was_queued_is_decided() {
    for (answered_us, expected) in [(0, false), (199_999, true), (200_000, false)] {
        let mut scene = Scene::new();
        (scene.row(5).status, scene.row(5).decided_us) = (Status::Queued, None);
        scene.read(5, Some(Status::Queued), (150, 0));
        scene.history.results[0].answered_us = answered_us;
        let found = scene.broken().contains(&Invariant::AcceptedDecided);
        assert_eq!(found, expected, "{answered_us}");
    }
}
