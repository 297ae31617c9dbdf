//! Rows of the ledger that cannot be right are found, and only those.

use crate::history::{AttemptNo, Ids, Loss, Status};
use crate::judge::invariant::Invariant;
use crate::judge::rules::tests::scene::{AHEAD_US, Scene, server_us};
use crate::settings::Buyers;

fn assert_insane(scene: &Scene, count: u64) {
    let found = scene.violations();
    assert_eq!(scene.broken(), [Invariant::RowsSane], "{found:?}");
    assert_eq!(found[0].count, count, "{found:?}");
}

#[test]
fn positions_rise() {
    let mut scene = Scene::new();
    scene.row(2).seq = 10;
    assert_insane(&scene, 1);
    scene.row(2).seq = 5;
    assert_insane(&scene, 1);
    // Gaps are legal.
    scene.row(2).seq = 29;
    assert_eq!(scene.broken(), []);
}

#[test]
fn row_that_nobody_made_is_found_though_it_is_no_order() {
    for status in [Status::Lost(Loss::SoldOut), Status::Queued] {
        let mut scene = Scene::new();
        let mut row = scene.row(5).clone();
        let attempt = AttemptNo { thread: 0, index: 0 };
        row.request_id = Ids::new(9, Buyers::New).unmarked().request_id(attempt);
        (row.seq, row.status) = (60, status);
        row.decided_us = None;
        scene.ledger.rows.push(row);
        assert_insane(&scene, 1);
    }
}

#[test]
fn rows_before_the_run_do_not_change() {
    let earlier = || {
        let mut scene = Scene::new();
        scene.make_earlier();
        assert_eq!(scene.broken(), []);
        scene
    };
    let mut scene = earlier();
    scene.row(0).uid = "somebody".into();
    scene.row(1).accepted_us += 1;
    scene.row(2).decided_us = Some(server_us(99));
    scene.row(3).item = "coffee".into();
    scene.row(5).seq = 51;
    assert_insane(&scene, 5);
    // Attempts that were queued are decided meanwhile, unless the server says that all were.
    let mut scene = earlier();
    let before = scene.history.before.get_mut(&scene.ledger.rows[3].request_id).unwrap();
    (before.status, before.decided_us) = (Status::Queued, None);
    assert_eq!(scene.broken(), []);
    (scene.row(3).status, scene.row(3).decided_us) = (Status::Queued, None);
    assert_insane(&scene, 1);
    scene.settled = false;
    assert_eq!(scene.broken(), []);
}

#[test]
fn decisions_follow_acceptance_as_far_as_clocks_agree() {
    let mut scene = Scene::new();
    // The accepting clock is 90 s ahead, and the deciding one may be a minute behind ours.
    scene.row(3).decided_us = Some(server_us(48) - 149_000_000);
    assert_eq!(scene.broken(), []);
    scene.row(3).decided_us = Some(server_us(48) - 151_000_000);
    assert_insane(&scene, 1);
    // Where nothing shows that it is ahead, a minute is the limit.
    scene.row(3).decided_us = Some(server_us(48) - 61_000_000);
    assert_eq!(scene.broken(), []);
    scene.history.began_us += AHEAD_US;
    assert_insane(&scene, 1);
}

#[test]
fn rows_are_accepted_during_the_run() {
    let year_2001 = 978_307_200_000_000;
    let mut scene = Scene::new();
    scene.row(3).accepted_us = year_2001;
    assert_insane(&scene, 1);
    scene.row(5).accepted_us = year_2001;
    assert_insane(&scene, 2);
    scene.ledger.rows.iter_mut().for_each(|row| row.accepted_us = year_2001);
    assert_insane(&scene, 1);
}

#[test]
fn effect_of_a_timed_out_request_may_come_much_later() {
    let mut scene = Scene::new();
    scene.row(5).accepted_us = server_us(500_000);
    scene.row(5).decided_us = Some(server_us(500_001));
    assert_eq!(scene.broken(), []);
}

#[test]
fn attempt_without_an_answer_is_decided_before_the_ledger_is_read() {
    let mut scene = Scene::new();
    scene.history.ledger_us = 205_000;
    scene.row(5).accepted_us = server_us(190);
    scene.row(5).decided_us = Some(server_us(200));
    assert_eq!(scene.broken(), []);
    scene.row(5).decided_us = Some(server_us(3_600_000));
    assert_insane(&scene, 1);
}

#[test]
fn attempt_that_was_queued_before_the_run_is_decided_in_it() {
    let decided = |decided_us| {
        let mut scene = Scene::new();
        let mut row = scene.row(4).clone();
        row.request_id = crate::ids::RequestId(uuid::Uuid::from_u128(5));
        (row.seq, row.uid) = (0, "somebody".into());
        row.accepted_us = server_us(0) - 600_000_000;
        scene.row(0).seq = 1;
        let before =
            crate::history::Row { status: Status::Queued, decided_us: None, ..row.clone() };
        scene.history.before.insert(row.request_id, before);
        row.decided_us = Some(decided_us);
        scene.ledger.rows.insert(0, row);
        scene.history.ledger_us = 205_000;
        scene.broken()
    };
    assert_eq!(decided(server_us(5)), []);
    // The deciding clock may be right, and the accepting one ahead.
    assert_eq!(decided(server_us(5) - 149_000_000), []);
    assert_eq!(decided(server_us(5) - 300_000_000), [Invariant::RowsSane]);
    assert_eq!(decided(server_us(3_600_000)), [Invariant::RowsSane]);
}

#[test]
fn two_clocks_that_differ_are_legal() {
    let mut scene = Scene::new();
    scene.row(3).accepted_us += 40_000_000;
    scene.row(4).accepted_us -= 40_000_000;
    assert_eq!(scene.broken(), []);
}

#[test]
fn buyer_who_lost_as_already_bought_has_its_orders() {
    let mut scene = Scene::new();
    scene.row(4).status = Status::Lost(Loss::AlreadyBought);
    scene.entry(4).answered = crate::history::Answered::Accepted;
    assert_insane(&scene, 1);
    let mut scene = Scene::with_buyers(Buyers::Pool(1));
    scene.ledger.sale.per_buyer = 3;
    scene.history.sale_before.as_mut().unwrap().per_buyer = 3;
    scene.change_views(|_, sale| sale.per_buyer = Some(3));
    scene.row(3).status = Status::Lost(Loss::AlreadyBought);
    assert_eq!(scene.broken(), []);
    // An order fewer than it may have.
    scene.row(0).uid = "somebody".into();
    assert_eq!(scene.broken(), [Invariant::AnswersTrue, Invariant::RowsSane]);
}

#[test]
fn attempt_does_not_lose_as_replaced_while_its_sale_is_the_present_one() {
    let replaced = |read_us: u64| {
        let mut scene = Scene::new();
        scene.row(5).status = Status::Lost(Loss::SaleReplaced);
        scene.history.ledger_us = read_us;
        scene
    };
    // The last state was requested at 200 ms.
    assert_insane(&replaced(199_000), 1);
    assert_eq!(replaced(200_000).broken(), [], "it may have been replaced since");
    assert_eq!(replaced(0).broken(), []);
    // What was told counts once.
    let mut scene = replaced(199_000);
    scene.read(5, Some(Status::Lost(Loss::SaleReplaced)), (110, 120));
    assert_insane(&scene, 1);
    let mut scene = replaced(199_000);
    scene.ledger.sale.epoch = 0;
    scene.change_views(|_, sale| sale.epoch = 0);
    assert!(!scene.broken().contains(&Invariant::RowsSane), "no number shows which sale it is");
}
