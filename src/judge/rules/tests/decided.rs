//! Accepted attempts are decided, or a queue that stands still is found.

use crate::history::{AttemptNo, Ids, Loss, Standstill, Status};
use crate::judge::invariant::Invariant;
use crate::judge::rules::tests::scene::Scene;
use crate::settings::Buyers;

fn unsettled(queued: u64, unchanged_us: u64, is_ready: bool) -> Scene {
    let mut scene = Scene::new();
    scene.settled = false;
    (scene.row(3).status, scene.row(3).decided_us) = (Status::Queued, None);
    scene.history.standstill = Some(Standstill { queued, unchanged_us, waited_us: 0, is_ready });
    scene
}

#[test]
fn accepted_attempt_is_decided_once_nothing_is_queued() {
    let mut scene = unsettled(1, 0, true);
    assert_eq!(scene.broken(), []);
    scene.settled = true;
    assert_eq!(scene.broken(), [Invariant::AcceptedDecided]);
}

#[test]
fn queue_that_stands_still_has_lost_attempts() {
    let scene = unsettled(1, 5_000_000, true);
    assert_eq!(scene.broken(), [Invariant::AcceptedDecided]);
    assert_eq!(scene.violations()[0].witnesses, [scene.id(3).to_string()]);
}

#[test]
fn slow_or_unwell_server_is_not_accused() {
    assert_eq!(unsettled(1, 4_900_000, true).broken(), []);
    assert_eq!(unsettled(1, 30_000_000, false).broken(), []);
    // Another one was decided before the ledger was read.
    assert_eq!(unsettled(2, 30_000_000, true).broken(), []);
}

#[test]
fn whoever_waits_longer_gives_a_slow_server_more_time() {
    for (waited_us, unchanged_us, is_lost) in [
        (15_000_000, 7_400_000, false),
        (15_000_000, 7_500_000, true),
        (60_000_000, 14_900_000, false),
        (60_000_000, 15_000_000, true),
    ] {
        let mut scene = unsettled(1, unchanged_us, true);
        scene.history.standstill.as_mut().unwrap().waited_us = waited_us;
        let expected = if is_lost { &[Invariant::AcceptedDecided][..] } else { &[] };
        assert_eq!(scene.broken(), expected, "{unchanged_us} of {waited_us}");
    }
}

#[test]
fn queue_that_passed_over_an_attempt_has_lost_it() {
    let mut scene = unsettled(1, 2_500_000, true);
    for index in 0..150 {
        let mut row = scene.row(4).clone();
        let attempt = AttemptNo { thread: 0, index };
        row.request_id = Ids::new(9, Buyers::New).unmarked().request_id(attempt);
        (row.seq, row.status) = (100 + index, Status::Lost(Loss::Undeliverable));
        scene.history.before.insert(row.request_id, row.clone());
        scene.ledger.rows.push(row);
    }
    assert_eq!(scene.broken(), [Invariant::AcceptedDecided]);
    scene.row(3).seq = 200;
    let row = scene.ledger.rows.remove(3);
    let at = scene.ledger.rows.partition_point(|other| other.seq < row.seq);
    scene.ledger.rows.retain(|other| other.seq != row.seq);
    scene.history.before.retain(|_, before| before.seq != row.seq);
    scene.ledger.rows.insert(at, row);
    assert_eq!(scene.broken(), [], "only 49 later ones were decided");
}

#[test]
fn attempt_that_was_queued_before_the_run_is_decided_too() {
    let mut scene = unsettled(1, 5_000_000, true);
    let mut row = scene.row(3).clone();
    (scene.row(3).status, scene.row(3).decided_us) =
        (Status::Lost(Loss::SoldOut), Some(scene.ledger.rows[4].decided_us.unwrap()));
    row.request_id =
        Ids::new(9, Buyers::New).unmarked().request_id(AttemptNo { thread: 0, index: 0 });
    (row.seq, row.uid) = (0, "somebody".into());
    scene.row(0).seq = 1;
    scene.history.before.insert(row.request_id, row.clone());
    scene.ledger.rows.insert(0, row.clone());
    assert_eq!(scene.broken(), [Invariant::AcceptedDecided]);
    assert_eq!(scene.violations()[0].witnesses, [row.request_id.to_string()]);
    scene.history.standstill.as_mut().unwrap().unchanged_us = 0;
    assert_eq!(scene.broken(), []);
}

#[test]
fn attempt_whose_result_was_read_is_decided_too() {
    let mut scene = Scene::new();
    let row = scene.row(5);
    (row.status, row.decided_us) = (Status::Queued, None);
    assert_eq!(scene.broken(), [], "its request got no answer, and may have been late");
    scene.read(5, Some(Status::Queued), (92, 95));
    assert_eq!(scene.broken(), [Invariant::AcceptedDecided]);
}

#[test]
fn attempt_without_an_answer_that_stands_still_is_not_decided_either() {
    let broken = |unchanged_us: u64, is_settled: bool, ended_us: u64| {
        let mut scene = unsettled(1, unchanged_us, true);
        scene.history.ended_us = ended_us;
        *scene.row(3) = Scene::new().row(3).clone();
        (scene.row(5).status, scene.row(5).decided_us) = (Status::Queued, None);
        scene.settled = is_settled;
        scene.broken().contains(&Invariant::AcceptedDecided)
    };
    assert!(broken(15_000_000, false, 200_000));
    assert!(!broken(1_000_000, false, 200_000));
    assert!(!broken(15_000_000, true, 200_000), "its effect may be late");
    assert!(!broken(15_000_000, false, 83_000), "it may have been accepted only then");
}
