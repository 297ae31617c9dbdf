//! Nothing is accepted outside the hours.

use crate::history::Answered;
use crate::judge::invariant::Invariant;
use crate::judge::rules::tests::scene::{Scene, server_us};

#[test]
fn attempt_that_was_answered_before_the_opening_is_not_accepted() {
    let mut scene = Scene::new();
    scene.set_hours(Some(5), None);
    assert_eq!(scene.broken(), []);
    scene.set_hours(Some(100), None);
    assert_eq!(scene.broken(), [Invariant::WithinHours]);
    let violation = &scene.violations()[0];
    assert_eq!(violation.count, 5);
    for (number, became) in [(0, "won"), (3, "was accepted")] {
        let expected = format!("{}: answered before the opening, and {became}", scene.id(number));
        assert!(violation.witnesses.contains(&expected), "{expected}: {violation:?}");
    }
    // An attempt without an answer may have been accepted after the opening.
    scene.entry(0).answered = Answered::Unknown;
    scene.entry(1).answered = Answered::Unknown;
    assert_eq!(scene.violations()[0].count, 3);
    scene.set_hours(Some(60), None);
    assert_eq!(scene.broken(), [], "within the error of the clock");
}

#[test]
fn attempt_that_was_sent_after_the_closing_is_not_accepted() {
    let mut scene = Scene::new();
    scene.set_hours(None, Some(60));
    assert_eq!(scene.broken(), [], "within the error of the clock");
    scene.change_views(|_, sale| sale.hours.closes_us = Some(server_us(0) - 1_000_000));
    assert_eq!(scene.broken(), [Invariant::WithinHours]);
    assert_eq!(scene.violations()[0].count, 6);
    // One without an answer was accepted if the ledger has it.
    scene.ledger.rows.remove(5);
    assert_eq!(scene.violations()[0].count, 5);
}
