//! States of the sale that are compared with the hours, the ledger and each other.

use crate::history::{Answered, Loss, NoState, Refused, Stage, Status};
use crate::judge::invariant::Invariant;
use crate::judge::rules::tests::scene::{Scene, order};

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
fn words_are_compared_with_figures() {
    for (at, stage, finished, expected) in [
        (0, Some(Stage::SoldOut), None, Some("sold out at 1 ms, and 3 units left")),
        (3, Some(Stage::Open), None, Some("open at 200 ms, and no unit left")),
        (0, None, Some(true), Some("finished at 1 ms, with 3 units left and 0 queued")),
        (3, None, Some(false), Some("not finished at 200 ms, with 0 units left and 0 queued")),
        (3, Some(Stage::Other), None, Some("a status at 200 ms that no sale has")),
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
fn one_hour_is_shown_without_the_other_only_by_sales_that_have_one() {
    let shown = |first: (Option<u64>, Option<u64>), others: (Option<u64>, Option<u64>)| {
        let mut scene = Scene::new();
        scene.set_hours(others.0, others.1);
        let hours = scene.history.views.iter().next().map(|view| view.sale.hours).unwrap();
        scene.set_hours(first.0, first.1);
        scene.change_views(|at, sale| {
            if at > 0 {
                sale.hours = hours;
            }
        });
        witness(&scene).map(|witness| witness.split(" that").next().unwrap().to_owned())
    };
    let (opens, closes) = (Some(0), Some(60_000));
    assert_eq!(shown((opens, closes), (opens, closes)), None);
    assert_eq!(shown((None, None), (opens, closes)), None);
    assert_eq!(shown((opens, None), (opens, None)), None);
    assert_eq!(shown((None, closes), (None, closes)), None);
    let closing = shown((opens, None), (opens, closes)).unwrap();
    assert!(closing.starts_with("an opening without the closing 1795"), "{closing}");
    let opening = shown((None, closes), (opens, closes)).unwrap();
    assert!(opening.starts_with("a closing without the opening 1795"), "{opening}");
}

#[test]
fn no_more_are_queued_than_were_sent() {
    // Two attempts were sent by 28, and one by 18; the second decision was told at 30.
    let at = |(sent, answered), queued, change: &dyn Fn(&mut Scene)| {
        let mut scene = Scene::new();
        scene.history.ended_us = 95_000;
        scene.history.views = Default::default();
        scene.view((1, 2), 3, 0);
        scene.view((sent, answered), 3, queued);
        scene.view((200, 210), 0, 0);
        change(&mut scene);
        scene.broken().contains(&Invariant::ViewsAgree)
    };
    let nothing = |_: &mut Scene| {};
    assert!(!at((12, 18), 1, &nothing) && at((12, 18), 2, &nothing));
    assert!(!at((12, 20), 2, &nothing) && at((12, 20), 3, &nothing));
    assert!(!at((30, 31), 2, &nothing), "the answer may have arrived at that moment");
    assert!(at((31, 32), 2, &nothing));
    assert!(at((24, 25), 2, &|scene| scene.read(0, Some(order(1)), (22, 23))));
    let refuse = |scene: &mut Scene| {
        scene.refuse(Refused::Unavailable, 11, 13);
    };
    assert!(!at((12, 18), 2, &refuse), "it may be queued until it is refused");
    assert!(at((12, 18), 3, &refuse));
    assert!(at((96, 97), 5, &refuse) && !at((96, 97), 4, &refuse));
    assert!(!at((12, 18), 2, &|scene| scene.history.ended_us = 0));
    assert!(!at((12, 18), 9, &|scene| scene.settled = false));
}

#[test]
fn answer_without_a_state_is_wrong() {
    let mut scene = Scene::new();
    scene.history.views.add_no_state(NoState { status: 404, sent_us: 60_000 });
    let expected = "status 404 at 60 ms, and no state of the sale";
    assert_eq!(witness(&scene).as_deref(), Some(expected));
}

/// Whether something is wrong with the terms, the words or the agreement of states.
fn disagrees(scene: &Scene) -> bool {
    scene.broken().contains(&Invariant::ViewsAgree)
}

#[test]
fn words_are_compared_with_the_hours_as_far_as_the_clocks_are_known() {
    // A time that the clock shows was at most 27 ms later or 23 ms earlier, and clocks that know
    // the hours may be a second apart.
    let opens = (Some(5_000), None);
    let closes = (None, Some(9_000));
    for (stage, hours, window, expected) in [
        (Stage::NotOpen, opens, (6_027, 6_100), false),
        (Stage::NotOpen, opens, (6_028, 6_100), true),
        (Stage::Closed, closes, (7_900, 7_977), false),
        (Stage::Closed, closes, (7_900, 7_976), true),
        (Stage::Open, opens, (3_900, 3_977), false),
        (Stage::Open, opens, (3_900, 3_976), true),
        (Stage::Open, closes, (10_027, 10_100), false),
        (Stage::Open, closes, (10_028, 10_100), true),
    ] {
        let mut scene = last(window, 0);
        scene.set_stock(4);
        scene.set_hours(hours.0, hours.1);
        scene.change_views(|at, sale| sale.stage = (at == 1).then_some(stage));
        assert_eq!(disagrees(&scene), expected, "{stage:?} {window:?}: {:?}", scene.violations());
    }
}

#[test]
fn fresh_sale_has_another_epoch_than_the_one_before() {
    let opened = |at| Scene::with_view(at, |sale| sale.opened = true);
    assert_eq!(witness(&opened(0)), None);
    assert_eq!(witness(&opened(1)).as_deref(), Some("epoch 1 of a fresh sale after 1"));
}

#[test]
fn fresh_sale_has_no_hours() {
    for (opens, closes, expected) in [
        (None, None, false),
        (None, Some(90_000), true),
        // The sale was opened at 2 ms, and the clock is known to 23 ms.
        (Some(1_025), None, false),
        (Some(1_026), None, true),
    ] {
        let mut scene = Scene::with_view(0, |sale| sale.opened = true);
        scene.set_hours(opens, closes);
        assert_eq!(disagrees(&scene), expected, "{opens:?} {closes:?}");
    }
}

#[test]
fn attempts_without_an_answer_may_be_queued_after_the_load() {
    // The last state is requested at 200 ms, and one attempt got no answer.
    let queued = |queued, lost_ms: Option<u64>| {
        let mut scene = Scene::with_view(3, |sale| sale.queued = queued);
        if let Some(ms) = lost_ms {
            scene.read(5, Some(Status::Lost(Loss::SoldOut)), (100, ms));
        }
        witness(&scene)
    };
    assert_eq!(queued(1, None), None);
    let expected = |count| Some(format!("{count} attempts queued after all were decided"));
    assert_eq!(queued(2, None), expected(2));
    assert_eq!(queued(1, Some(199)), expected(1));
    assert_eq!(queued(1, Some(200)), None);
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
