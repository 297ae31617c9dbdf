//! Sold out is said only when every unit is sold.

use crate::history::{Answered, AttemptNo, Ids, Loss, Refused, Status};
use crate::judge::invariant::Invariant;
use crate::judge::rules::tests::scene::{Scene, server_us};
use crate::settings::Buyers;

#[test]
fn sold_out_with_units_left_at_the_end_is_false() {
    let mut scene = Scene::new();
    scene.refuse(Refused::SoldOut, 60, 70);
    assert_eq!(scene.broken(), []);
    scene.set_stock(4);
    assert_eq!(scene.broken(), [Invariant::SoldOutTrue, Invariant::NoUnsoldStock]);
    scene.settled = false;
    assert_eq!(scene.broken(), [Invariant::SoldOutTrue, Invariant::NoUnsoldStock]);
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
    let told = scene.history.refusals.of(Refused::SoldOut).unwrap().first.unwrap().attempt;
    let (winner, told) = (scene.id(2), scene.history.ids.request_id(told));
    let expected = format!("{winner}: won, and {told} was told at 39 ms that none is left");
    assert_eq!(found[0].witnesses, [expected]);
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

/// A run in which this loser was sent, and this was read of it, before the last winner was sent.
fn early_loser(answered: Answered, read: Option<Status>, answered_ms: u64) -> Scene {
    let mut scene = Scene::new();
    let entry = scene.entry(4);
    (entry.sent_us, entry.answered_us) = (31_000, 1_000 * answered_ms);
    entry.answered = answered;
    (scene.row(4).accepted_us, scene.row(4).decided_us) = (server_us(33), Some(server_us(34)));
    if read.is_some() {
        scene.entry(4).answered_us = 34_000;
        scene.read(4, read, (35, answered_ms));
    }
    scene
}

#[test]
fn loss_says_that_no_unit_was_left_as_a_refusal_does() {
    const LOST: Status = Status::Lost(Loss::SoldOut);
    let told = early_loser(Answered::Lost(Loss::SoldOut), None, 36);
    let read = early_loser(Answered::Accepted, Some(LOST), 36);
    for scene in [told, read] {
        assert_eq!(scene.broken(), [Invariant::SoldOutTrue]);
        let witnesses = scene.violations().remove(0).witnesses;
        assert!(witnesses.len() == 1 && witnesses[0].starts_with(&scene.id(2).to_string()));
    }
    // What the answer leaves out, the ledger says.
    let told = early_loser(Answered::Lost(Loss::Unstated), None, 36);
    let read = early_loser(Answered::Accepted, Some(Status::Lost(Loss::Unstated)), 36);
    for scene in [told, read] {
        assert_eq!(scene.broken(), [Invariant::SoldOutTrue]);
    }
    // The winner was sent before the loser knew.
    for scene in [
        early_loser(Answered::Lost(Loss::SoldOut), None, 40),
        early_loser(Answered::Accepted, Some(LOST), 40),
    ] {
        assert_eq!(scene.broken(), []);
    }
}

#[test]
fn loss_before_the_run_says_that_no_unit_was_left() {
    let mut scene = Scene::new();
    let mut row = scene.row(5).clone();
    row.request_id =
        Ids::new(9, Buyers::New).unmarked().request_id(AttemptNo { thread: 0, index: 0 });
    row.seq = 60;
    scene.history.before.insert(row.request_id, row.clone());
    scene.ledger.rows.push(row.clone());
    assert_eq!(scene.broken(), [Invariant::SoldOutTrue]);
    assert_eq!(scene.violations()[0].count, 4, "three won later, and no attempt took three units");
    row.status = Status::Lost(Loss::Undeliverable);
    scene.history.before.insert(row.request_id, row.clone());
    scene.ledger.rows[6] = row;
    assert_eq!(scene.broken(), []);
}
