//! An attempt has one answer.

use crate::history::{Answered, AttemptNo, Ids, Loss, Refused, Status};
use crate::judge::invariant::Invariant;
use crate::judge::rules::tests::scene::{Scene, order, order_id};
use crate::settings::Buyers;

#[test]
fn known_attempt_is_not_refused() {
    let mut scene = Scene::new();
    scene.refuse_made(3, true, (60, 62));
    assert_eq!(scene.broken(), [Invariant::IdsAnsweredOnce]);
    // The first request got no answer, and the row shows that it had been accepted.
    let mut scene = Scene::new();
    scene.refuse_made(5, false, (400, 410));
    assert_eq!(scene.broken(), [Invariant::IdsAnsweredOnce]);
}

#[test]
fn requests_in_flight_at_the_same_time_may_be_answered_differently() {
    let mut scene = Scene::new();
    scene.refuse_made(3, false, (46, 60));
    scene.refuse_made(5, false, (85, 120));
    assert_eq!(scene.broken(), []);
    // Without times, nothing shows which of them was first.
    scene.history.began_us = 0;
    assert_eq!(scene.broken(), []);
}

#[test]
fn result_that_was_read_after_a_refusal_does_not_show_what_was_known_before_it() {
    let mut scene = Scene::new();
    scene.refuse_made(5, false, (85, 120));
    scene.read(5, Some(Status::Lost(Loss::SoldOut)), (300, 301));
    assert_eq!(scene.broken(), []);
    scene.read(5, Some(Status::Lost(Loss::SoldOut)), (83, 84));
    assert_eq!(scene.broken(), [Invariant::IdsAnsweredOnce]);
}

#[test]
fn attempt_that_was_refused_is_found_once_however_many_answers_show_that_it_was_known() {
    let mut scene = Scene::new();
    scene.refuse_made(3, true, (60, 62));
    scene.read(3, Some(Status::Lost(Loss::SoldOut)), (57, 58));
    let found: Vec<_> = scene.violations().iter().map(|one| (one.invariant, one.count)).collect();
    assert_eq!(found, [(Invariant::IdsAnsweredOnce, 1)]);
}

#[test]
fn attempt_that_was_known_before_the_run_is_not_refused() {
    let mut scene = Scene::new();
    scene.make_earlier();
    scene.history.ids = Ids::new(7, Buyers::New).unmarked();
    let attempt = AttemptNo { thread: 0, index: 0 };
    scene.refuse_again(Refused::Unavailable, attempt, (1, 2));
    assert_eq!(scene.broken(), []);
    scene.refuse_again(Refused::SoldOut, attempt, (1, 2));
    assert_eq!(scene.broken(), [Invariant::IdsAnsweredOnce]);
}

#[test]
fn decision_does_not_change_between_answers() {
    let mut scene = Scene::new();
    let mut other = scene.entry(4).clone();
    scene.history.entries.push(other.clone());
    assert_eq!(scene.broken(), []);
    other.answered = Answered::Won(Box::new(order_id(4)));
    scene.history.entries.push(other);
    // There are more orders than units, too.
    let broken = [Invariant::NeverOversold, Invariant::IdsAnsweredOnce, Invariant::AnswersTrue];
    assert_eq!(scene.broken(), broken);
}

#[test]
fn decided_attempt_is_not_answered_as_queued() {
    // The decision was told at 70 ms.
    for (told, decided_us, sent_us, is_broken) in [
        (Answered::Accepted, 70_000, 70_001, true),
        (Answered::Accepted, 70_000, 70_000, false),
        (Answered::Accepted, 70_000, 69_999, false),
        // The request may have been sent before the decision.
        (Answered::Accepted, 0, 70_001, false),
        (Answered::Unknown, 70_000, 70_001, false),
    ] {
        for is_first in [true, false] {
            let mut scene = Scene::new();
            let mut queued = scene.entry(4).clone();
            scene.entry(4).answered_us = decided_us;
            (queued.answered, queued.sent_us) = (told.clone(), sent_us);
            queued.answered_us = sent_us + 1;
            scene.history.entries.insert(if is_first { 4 } else { 5 }, queued);
            let found = scene.broken();
            let once = found.contains(&Invariant::IdsAnsweredOnce);
            assert_eq!(once, is_broken, "{told:?} sent at {sent_us}: {found:?}");
        }
    }
}

#[test]
fn results_of_an_attempt_agree() {
    let mut scene = Scene::new();
    scene.read(0, Some(Status::Queued), (21, 22));
    scene.read(0, Some(order(1)), (40, 50));
    scene.read(0, Some(Status::Queued), (35, 55));
    scene.read(3, Some(Status::Lost(Loss::SoldOut)), (300, 301));
    scene.read(3, Some(Status::Lost(Loss::Unstated)), (310, 311));
    assert_eq!(scene.broken(), []);
    scene.read(0, Some(Status::Queued), (60, 61));
    assert_eq!(scene.broken(), [Invariant::IdsAnsweredOnce]);
}
