//! No more attempts are queued than can be.

use crate::history::{Loss, Refused, Status};
use crate::judge::invariant::Invariant;
use crate::judge::rules::tests::scene::{Scene, order};

/// A run whose load ended at 100 ms. Two attempts have been sent when its second state is read, and
/// one of them is decided; five and two when the third is.
fn of_load() -> Scene {
    let mut scene = Scene::new();
    scene.history.ended_us = 100_000;
    scene
}

/// Whether a state may show so many attempts queued.
fn may_be(scene: &mut Scene, at: usize, queued: u64) -> bool {
    scene.change_views(|number, sale| {
        if number == at {
            sale.queued = queued;
        }
    });
    let broken = scene.violations();
    let is_wrong = broken.iter().any(|violation| violation.invariant == Invariant::ViewsAgree);
    if is_wrong {
        let ms = [1, 32, 75, 200][at];
        let witness = format!("{queued} queued at {ms} ms, and at most {} can be", queued - 1);
        assert_eq!(broken[0].witnesses, [witness]);
    }
    !is_wrong
}

#[test]
fn no_more_are_queued_than_were_sent_and_not_decided() {
    for (at, most) in [(1, 1), (2, 3)] {
        assert!(may_be(&mut of_load(), at, most));
        assert!(!may_be(&mut of_load(), at, most + 1));
    }
    // Without the end of the load, it is unknown what was in flight.
    assert!(may_be(&mut Scene::new(), 2, 4));
}

#[test]
fn attempts_whose_decision_was_read_are_queued_no_longer() {
    let lost = || Some(Status::Lost(Loss::SoldOut));
    let mut scene = of_load();
    scene.read(3, lost(), (56, 60));
    assert!(may_be(&mut scene, 2, 2));
    assert!(!may_be(&mut scene, 2, 3));
    for (status, window) in [
        (Some(Status::Queued), (56, 60)),
        (Some(order(9)), (56, 60)),
        (lost(), (70, 79)),
        // A result of a recording without times.
        (lost(), (0, 0)),
    ] {
        let mut scene = of_load();
        scene.read(3, status, window);
        assert!(may_be(&mut scene, 2, 3));
    }
}

#[test]
fn attempts_that_are_refused_may_be_queued_while_they_are_in_flight() {
    let mut scene = of_load();
    (0..12).for_each(|_| _ = scene.refuse(Refused::SoldOut, 210, 220));
    assert!(may_be(&mut scene, 1, 13));
    assert!(!may_be(&mut scene, 1, 14));
    // Of the seven users, each may have two in flight.
    (0..9).for_each(|_| _ = scene.refuse(Refused::SoldOut, 210, 220));
    assert!(may_be(&mut scene, 1, 15));
    assert!(!may_be(&mut scene, 1, 16));
    // None is in flight after the load.
    scene.history.ended_us = 75_000;
    assert!(may_be(&mut scene, 1, 15));
    assert!(may_be(&mut scene, 2, 17));
    scene.history.ended_us = 74_999;
    assert!(may_be(&mut scene, 2, 3));
    assert!(!may_be(&mut scene, 2, 4));
}

#[test]
fn queue_does_not_grow_after_the_load() {
    let grown = |queued: u64, sent_ms: u64| {
        let mut scene = of_load();
        scene.history.entries.truncate(5);
        scene.ledger.rows.truncate(5);
        scene.change_views(|at, sale| sale.queued = u64::from(at > 0));
        scene.view((sent_ms, sent_ms + 5), 0, queued);
        scene.view((400, 410), 0, 0);
        scene
    };
    assert_eq!(grown(1, 300).broken(), []);
    let broken = grown(2, 300).violations();
    assert_eq!(broken[0].invariant, Invariant::ViewsAgree);
    assert_eq!(broken[0].witnesses, ["2 queued at 300 ms, and 1 at 200 ms"]);
    assert_eq!(broken.len(), 1);
    let mut scene = grown(2, 300);
    scene.change_views(|at, sale| sale.queued = [1, 1, 1, 3, 1, 0][at]);
    scene.view((420, 430), 0, 2);
    scene.view((440, 450), 0, 0);
    scene.change_views(|at, sale| sale.queued = [1, 1, 1, 3, 1, 2, 2, 0][at]);
    assert_eq!(scene.violations()[0].witnesses, ["2 queued at 400 ms, and 1 at 300 ms"]);
    // The state before was answered only later.
    assert_eq!(grown(2, 210).broken(), []);
    let mut scene = grown(2, 300);
    let unknown = of_load().entry(5).clone();
    scene.history.entries.push(unknown);
    assert_eq!(scene.broken(), [], "an attempt without an answer may be accepted at any time");
    let mut scene = grown(2, 300);
    scene.settled = false;
    assert_eq!(scene.broken(), [], "without a ledger, others may have sent something");
    let mut scene = grown(2, 300);
    let mut row = scene.row(4).clone();
    (row.request_id, row.seq) = (crate::ids::RequestId::random(), 60);
    scene.ledger.rows.push(row);
    let broken = scene.broken();
    assert!(!broken.contains(&Invariant::ViewsAgree), "others have: {broken:?}");
}
