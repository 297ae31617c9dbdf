//! The moments at which a sale was certainly open, in milliseconds. The clocks of the scene are
//! known so well that a time that they show was at most 27 later or 23 earlier.

use crate::history::Refused;
use crate::judge::facts::Facts;
use crate::judge::invariant::Invariant;
use crate::judge::rules::hours::CertainlyOpen;
use crate::judge::rules::tests::scene::{Scene, server_us};

fn open(scene: &Scene) -> CertainlyOpen {
    CertainlyOpen::of(&Facts::gather(&scene.history, &scene.ledger, true))
}

/// A run in which the fifth attempt is sent after 3 s.
fn long(closes: Option<u64>) -> Scene {
    let mut scene = Scene::new();
    let entry = scene.entry(4);
    (entry.sent_us, entry.answered_us) = (3_000_000, 3_010_000);
    (scene.row(4).accepted_us, scene.row(4).decided_us) =
        (server_us(3_003), Some(server_us(3_004)));
    if closes.is_some() {
        scene.set_hours(None, closes);
    }
    scene
}

#[test]
fn acceptance_shows_that_the_sale_is_open() {
    // The first answer came at 20, the last attempt was sent at 60, and the slack is 30.
    let open = open(&Scene::new());
    assert!(!open.had_opened(50_000) && open.had_opened(50_001));
    assert!(open.had_not_closed(29_999) && !open.had_not_closed(30_000));
}

#[test]
fn acceptance_outside_the_hours_shows_nothing() {
    for (opens, expected) in [(43, true), (44, false)] {
        let mut scene = Scene::new();
        scene.set_hours(Some(opens), None);
        assert_eq!(open(&scene).had_opened(1_020_001), expected, "{opens}");
    }
    for (closes, expected) in [(2_973, true), (2_972, false)] {
        assert_eq!(open(&long(Some(closes))).had_not_closed(1_999_999), expected, "{closes}");
    }
}

#[test]
fn clocks_that_know_the_hours_may_be_a_second_apart() {
    let mut scene = Scene::new();
    scene.set_hours(Some(5_000), Some(9_000));
    let open = open(&scene);
    assert!(!open.had_opened(6_027_000) && open.had_opened(6_027_001));
    assert!(open.had_not_closed(7_976_999) && !open.had_not_closed(7_977_000));
}

#[test]
fn attempt_is_accepted_within_the_hours_as_far_as_the_clocks_are_known() {
    // The first one was answered at 20, and the last one was sent at 80.
    for (opens, closes, expected) in
        [(Some(43), None, 0), (Some(44), None, 1), (None, Some(53), 0), (None, Some(52), 1)]
    {
        let mut scene = Scene::new();
        scene.set_hours(opens, closes);
        assert_eq!(scene.broken(), [Invariant::WithinHours; 1][..expected], "{opens:?} {closes:?}");
    }
}

#[test]
fn refusals_of_one_kind_are_compared_without_the_other() {
    for (refused, window) in [(Refused::NotOpen, (51, 52)), (Refused::Closed, (28, 29))] {
        let mut scene = Scene::new();
        scene.refuse(refused, window.0, window.1);
        assert_eq!(scene.broken(), [Invariant::RefusalsTrue], "{refused:?}");
    }
}
