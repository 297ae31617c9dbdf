//! Results that were requested or answered at the very moment that matters, in milliseconds. The
//! load ends at 90; the state that shows that nothing is queued is read from 200 to 210.

use crate::history::{AttemptNo, Loss, Refused, Status};
use crate::judge::invariant::Invariant;
use crate::judge::rules::tests::scene::Scene;
use crate::settings::Buyers;

const LOST: Status = Status::Lost(Loss::SoldOut);

/// Whether this result of an attempt is called false.
fn is_false(
    mut scene: Scene,
    number: usize,
    status: Option<Status>,
    (sent, answered): (u64, u64),
) -> bool {
    scene.read(number, status, (sent, answered));
    scene.broken().contains(&Invariant::ResultsTrue)
}

fn queued(number: usize) -> Scene {
    let mut scene = Scene::new();
    (scene.row(number).status, scene.row(number).decided_us) = (Status::Queued, None);
    scene
}

#[test]
fn result_is_not_known_before_its_attempt_was_sent() {
    for (answered, expected) in [(44, true), (45, false), (0, false)] {
        let window = (40, answered);
        assert_eq!(is_false(Scene::new(), 3, Some(Status::Queued), window), expected, "{answered}");
    }
}

#[test]
fn attempt_is_decided_once_nothing_is_queued() {
    for (sent, expected) in [(210, false), (211, true)] {
        assert_eq!(is_false(Scene::new(), 3, Some(Status::Queued), (sent, 300)), expected);
    }
    for (answered, expected) in [(301, false), (0, true)] {
        let mut scene = Scene::new();
        scene.history.views = Default::default();
        assert_eq!(is_false(scene, 3, Some(Status::Queued), (300, answered)), expected);
    }
}

#[test]
fn nothing_is_queued_once_a_state_after_the_load_shows_it() {
    for (sent, expected) in [(90, false), (91, true)] {
        let mut scene = Scene::new();
        scene.history.views = Default::default();
        scene.view((sent, 95), 0, 0);
        assert_eq!(is_false(scene, 3, Some(Status::Queued), (96, 99)), expected, "{sent}");
    }
}

#[test]
fn attempt_that_was_decided_before_the_run_is_not_queued() {
    for is_queued in [false, true] {
        let mut scene = Scene::new();
        scene.make_earlier();
        let id = scene.id(3);
        if is_queued {
            let before = scene.history.before.get_mut(&id).unwrap();
            (before.status, before.decided_us) = (Status::Queued, None);
        }
        assert_eq!(is_false(scene, 3, Some(Status::Queued), (1, 2)), !is_queued);
    }
}

#[test]
fn decision_that_is_older_than_the_ledger_is_in_it() {
    for (answered, expected) in [(90, true), (91, false), (0, false)] {
        let mut scene = queued(3);
        scene.settled = false;
        assert_eq!(is_false(scene, 3, Some(LOST), (80, answered)), expected, "{answered}");
    }
    for (answered, expected) in [(210, true), (211, false)] {
        assert_eq!(is_false(queued(5), 5, Some(LOST), (200, answered)), expected, "{answered}");
        assert!(is_false(queued(3), 3, Some(LOST), (200, answered)));
    }
}

#[test]
fn attempt_is_known_once_it_was_accepted() {
    for (window, expected) in [((55, 60), false), ((56, 60), true), ((50, 0), true)] {
        assert_eq!(is_false(Scene::new(), 3, None, window), expected, "{window:?}");
    }
    // The clock bounds the acceptance of one without an answer to 110 ms.
    for (sent, expected) in [(110, false), (111, true)] {
        assert_eq!(is_false(Scene::new(), 5, None, (sent, 120)), expected, "{sent}");
    }
}

#[test]
fn attempt_is_refused_once_it_was_certainly_accepted() {
    for (sent, expected) in [(110, false), (111, true)] {
        let mut scene = Scene::new();
        scene.refuse_made(5, false, (sent, 120));
        let found = scene.broken();
        assert_eq!(found == [Invariant::IdsAnsweredOnce], expected, "{found:?}");
    }
}

#[test]
fn refusal_of_an_attempt_before_the_run_is_counted_once() {
    let mut scene = Scene::new();
    let row = scene.row(3).clone();
    scene.history.before.insert(row.request_id, row);
    scene.refuse_made(3, true, (91, 92));
    let found = scene.violations();
    let once = found.iter().find(|found| found.invariant == Invariant::IdsAnsweredOnce).unwrap();
    assert_eq!(once.count, 1, "{once:?}");
    // That a request is malformed breaks another invariant.
    let mut scene = Scene::with_buyers(Buyers::New);
    let ids = scene.history.ids;
    scene.make_earlier();
    scene.history.ids = ids;
    scene.refuse_again(Refused::Invalid, AttemptNo { thread: 0, index: 0 }, (1, 2));
    assert!(!scene.broken().contains(&Invariant::IdsAnsweredOnce), "{:?}", scene.violations());
}
