//! Sold out is said only when every unit is sold.

use crate::history::{Answered, Refused};
use crate::judge::invariant::Invariant;
use crate::judge::rules::tests::scene::Scene;

#[test]
fn sold_out_with_units_left_at_the_end_is_false() {
    let mut scene = Scene::new();
    scene.refuse(Refused::SoldOut, 60, 70);
    assert_eq!(scene.broken(), []);
    scene.set_stock(4);
    assert_eq!(scene.broken(), [Invariant::SoldOutTrue, Invariant::NoUnsoldStock]);
    scene.settled = false;
    assert_eq!(scene.broken(), []);
}

#[test]
fn no_attempt_wins_that_was_sent_after_sold_out_was_told() {
    let mut scene = Scene::new();
    scene.history.sale_before = None;
    scene.history.views = Default::default();
    scene.refuse(Refused::SoldOut, 35, 39);
    let found = scene.violations();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].invariant, found[0].count), (Invariant::SoldOutTrue, 1));
    assert_eq!(found[0].witnesses, [format!("{} won later", scene.id(2))]);
}

#[test]
fn attempt_in_flight_while_sold_out_was_told_may_win() {
    let mut scene = Scene::new();
    scene.refuse(Refused::SoldOut, 25, 41);
    assert_eq!(scene.broken(), []);
    for number in 0..3 {
        scene.entry(number).answered = Answered::Unknown;
    }
    assert_eq!(scene.broken(), []);
}

#[test]
fn units_cannot_be_gone_before_enough_attempts_were_sent() {
    let mut scene = Scene::new();
    // Two attempts cannot have taken three units, and the third one was sent later and won.
    scene.refuse(Refused::SoldOut, 22, 28);
    assert_eq!(scene.broken(), [Invariant::SoldOutTrue]);
    assert_eq!(scene.violations()[0].count, 2);
    scene.change_views(|at, sale| sale.queued = if at == 0 { 1 } else { sale.queued });
    assert_eq!(scene.violations()[0].count, 1, "one was queued before the run");
}

#[test]
fn run_against_a_sold_out_sale_is_told_so_at_once() {
    let mut scene = Scene::new();
    scene.make_earlier();
    scene.refuse(Refused::SoldOut, 1, 2);
    assert_eq!(scene.broken(), []);
}
