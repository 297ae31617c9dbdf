//! States of the sale that are compared with the hours, the ledger and each other.

use crate::history::{Answered, Stage};
use crate::judge::invariant::Invariant;
use crate::judge::rules::tests::scene::Scene;

/// The only witness that a state of the sale disagrees; `None` if nothing is wrong.
fn witness(scene: &Scene) -> Option<String> {
    let found = scene.violations();
    let [violation] = &found[..] else {
        assert_eq!(found, []);
        return None;
    };
    assert_eq!(violation.invariant, Invariant::ViewsAgree);
    assert_eq!(violation.count, 1, "{violation:?}");
    violation.witnesses.first().cloned()
}

#[test]
fn words_are_compared_with_figures_but_not_with_hours() {
    for (at, stage, finished, expected) in [
        (0, Some(Stage::SoldOut), None, Some("sold out at 1 ms, and 3 units left")),
        (3, Some(Stage::Open), None, Some("open at 200 ms, and no unit left")),
        (0, None, Some(true), Some("finished at 1 ms, with 3 units left and 0 queued")),
        (3, None, Some(false), Some("not finished at 200 ms, with 0 units left and 0 queued")),
        (3, Some(Stage::NotOpen), None, Some("not open at 200 ms, while the sale is open")),
        (3, Some(Stage::Closed), None, None),
        (3, Some(Stage::SoldOut), Some(true), None),
        (0, Some(Stage::Open), Some(false), None),
    ] {
        let scene = Scene::with_view(at, |sale| (sale.stage, sale.finished) = (stage, finished));
        assert_eq!(witness(&scene).as_deref(), expected);
    }
}

#[test]
fn epoch_is_compared_with_those_that_were_answered_before() {
    for (sent_ms, expected) in [(78, None), (79, Some("epoch 1 after 2"))] {
        let mut scene = Scene::with_view(2, |sale| sale.epoch = 2);
        // The one before it was answered at 78 ms.
        let views = std::mem::take(&mut scene.history.views);
        for (at, mut view) in views.iter().cloned().enumerate() {
            if at == 3 {
                view.sent_us = sent_ms * 1_000;
            }
            scene.history.views.add(view);
        }
        assert_eq!(witness(&scene).as_deref(), expected);
    }
}

/// A run in which nobody is told that it is sold out, and the last of its states.
fn last(window: (u64, u64), left: i64) -> Scene {
    let mut scene = Scene::new();
    scene.entry(4).answered = Answered::Accepted;
    scene.history.views = Default::default();
    scene.view((1, 2), 3, 0);
    scene.view(window, left, 0);
    scene
}

#[test]
fn state_that_was_requested_after_the_load_agrees_with_the_ledger() {
    // The last answer arrived at 90 ms.
    assert_eq!(witness(&last((90, 95), 1)), None);
    let orders = "2 orders, and 3 in the ledger";
    assert_eq!(witness(&last((91, 95), 1)).as_deref(), Some(orders));
    let mut scene = last((91, 95), 1);
    scene.change_views(|at, sale| sale.epoch = if at == 1 { 2 } else { 1 });
    assert_eq!(witness(&scene), None, "it is another sale's");
}
