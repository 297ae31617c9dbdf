//! What buyers were told without a time, or at the very moment that matters.

use crate::history::{Answered, Loss, Refused, Status};
use crate::judge::invariant::Invariant;
use crate::judge::rules::tests::scene::{Scene, order};

#[test]
fn refusals_without_times_are_not_compared_with_orders() {
    for refused in [Refused::AlreadyBought, Refused::SoldOut, Refused::NotOpen, Refused::Closed] {
        let mut scene = Scene::new();
        scene.refuse(refused, 0, 0);
        assert_eq!(scene.broken(), [], "{refused:?}");
    }
}

#[test]
fn losses_without_times_are_not_compared_with_orders() {
    for reason in [Loss::SoldOut, Loss::Unstated] {
        let mut scene = Scene::new();
        scene.entry(4).answered = Answered::Accepted;
        scene.read(4, Some(Status::Lost(reason)), (0, 0));
        assert_eq!(scene.broken(), [], "{reason:?}");
        scene.history.results.clear();
        let entry = scene.entry(4);
        (entry.answered, entry.sent_us, entry.answered_us) = (Answered::Lost(reason), 0, 0);
        assert_eq!(scene.broken(), [], "{reason:?}");
    }
}

#[test]
fn loss_for_another_reason_says_nothing_of_the_stock() {
    let mut scene = Scene::new();
    scene.row(3).status = Status::Lost(Loss::Undeliverable);
    for told in [Loss::Undeliverable, Loss::Unstated] {
        scene.entry(3).answered = Answered::Lost(told);
        (scene.entry(3).sent_us, scene.entry(3).answered_us) = (31_000, 32_000);
        scene.read(3, Some(Status::Lost(told)), (33, 34));
    }
    assert!(!scene.broken().contains(&Invariant::SoldOutTrue), "{:?}", scene.violations());
    assert!(!scene.broken().contains(&Invariant::StockReadsBounded), "{:?}", scene.violations());
}

#[test]
fn told_reason_counts_where_the_ledger_has_none() {
    for (told, is_broken) in [(Loss::SoldOut, true), (Loss::Undeliverable, false)] {
        let mut scene = Scene::new();
        scene.row(3).status = Status::Lost(Loss::Unstated);
        scene.entry(3).answered = Answered::Lost(told);
        (scene.entry(3).sent_us, scene.entry(3).answered_us) = (31_000, 32_000);
        let found = scene.broken();
        assert_eq!(found.contains(&Invariant::SoldOutTrue), is_broken, "{told:?}: {found:?}");
    }
}

/// A run in which an earlier request got no answer, and its attempt was refused at this moment.
fn refused_again(sent_us: u64) -> Scene {
    let mut scene = Scene::new();
    scene.refuse_made(3, false, (60, 70));
    let refusal = scene.entry(3).refusal.as_mut().unwrap();
    refusal.request.sent_us = sent_us;
    scene
}

#[test]
fn attempt_is_not_refused_after_its_result_was_known() {
    // The clock bounds its acceptance to about 68 ms, and its result was known at 62 ms.
    let mut scene = refused_again(62_000);
    scene.read(3, Some(Status::Queued), (56, 62));
    assert_eq!(scene.broken(), []);
    let mut scene = refused_again(62_001);
    scene.read(3, Some(Status::Queued), (56, 62));
    assert_eq!(scene.broken(), [Invariant::IdsAnsweredOnce]);
    for read in [Some(Status::Queued), None] {
        (scene.history.results[0].status, scene.history.results[0].answered_us) = (read, 0);
        assert!(!scene.broken().contains(&Invariant::IdsAnsweredOnce), "{:?}", scene.violations());
    }
}

#[test]
fn result_is_known_to_requests_that_were_sent_later() {
    for (sent_us, expected) in [(62_000, 0), (62_001, 1)] {
        for (later, earlier) in [(None, Status::Queued), (Some(Status::Queued), order(3))] {
            let mut scene = Scene::new();
            scene.entry(2).answered = Answered::Unknown;
            scene.read(2, Some(earlier), (56, 62));
            scene.read(2, later, (62, 64));
            scene.history.results[1].sent_us = sent_us;
            let once = Invariant::IdsAnsweredOnce;
            let found = scene.broken().into_iter().filter(|broken| *broken == once).count();
            assert_eq!(found, expected, "{:?}", scene.violations());
            scene.history.results[0].answered_us = 0;
            assert!(!scene.broken().contains(&once), "{:?}", scene.violations());
        }
    }
}

#[test]
fn decision_is_known_since_it_was_told_first() {
    for reads in [[(40, 50), (300, 310)], [(300, 310), (40, 50)]] {
        let mut scene = Scene::new();
        for window in reads {
            scene.read(0, Some(order(1)), window);
        }
        scene.read(0, Some(Status::Queued), (60, 61));
        assert_eq!(scene.broken(), [Invariant::IdsAnsweredOnce]);
    }
}
