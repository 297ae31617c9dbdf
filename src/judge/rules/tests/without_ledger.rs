//! What can be proved although the ledger after the run could not be read.

use crate::history::{Answered, AttemptNo, Entry, Loss, Refused, Standstill, Status};
use crate::ids::OrderId;
use crate::judge::evidence::{Gaps, audit};
use crate::judge::invariant::Invariant::{
    self, AcceptedDecided, BuyerLimit, NeverOversold, RefusalsTrue, ResultsTrue, StockConserved,
    StockNeverNegative, StockReadsBounded,
};
use crate::judge::invariant::Violation;
use crate::judge::rules::tests::scene::{Scene, order, order_id};
use crate::judge::verdict::{Audit, Verdict};
use crate::settings::Buyers;

use super::holds::held;

fn audit_of(scene: &Scene) -> Audit {
    let gaps = Gaps { ledger: Some("status 500".to_owned()), ..Gaps::default() };
    audit(&scene.history, None, &gaps)
}

fn violations(scene: &Scene) -> Vec<Violation> {
    audit_of(scene).violations
}

/// What is broken, and by how many orders the sale was oversold.
pub(super) fn judge(scene: &Scene) -> (Vec<Invariant>, u64) {
    let audit = audit_of(scene);
    let broken: Vec<_> = audit.violations.iter().map(|violation| violation.invariant).collect();
    let expected = if broken.is_empty() { Verdict::Unknown } else { Verdict::Fail };
    assert_eq!(audit.verdict, expected);
    (broken, audit.oversold)
}

pub(super) fn broken(scene: &Scene) -> Vec<Invariant> {
    judge(scene).0
}

/// A run in which one state of the sale is another one.
fn shown(at: usize, left: i64, orders: u64) -> Scene {
    Scene::with_view(at, |sale| (sale.stock_left, sale.orders) = (left, orders))
}

/// The scene's run at a sale that holds its orders for an hour, without payments.
pub(super) fn long_held() -> Scene {
    let mut scene = held();
    scene.history.payments.clear();
    let hold_us = Some(3_600_000_000);
    scene.history.sale_before.as_mut().unwrap().hold_us = hold_us;
    scene.change_views(|_, sale| {
        (sale.hold_us, sale.held, sale.paid) = (hold_us, Some(sale.orders), Some(0));
    });
    scene
}

pub(super) fn win(scene: &mut Scene, numbers: std::ops::Range<usize>) {
    for number in numbers {
        scene.entry(number).answered = Answered::Won(Box::new(order_id(number as u64 + 1)));
    }
}

#[test]
fn right_runs_are_not_accused() {
    for mut scene in [Scene::new(), held(), long_held()] {
        assert_eq!(judge(&scene), (vec![], 0));
        win(&mut scene, 0..3);
        (0..3).for_each(|number| scene.read(number, Some(order(number as u64 + 1)), (100, 110)));
        assert_eq!(judge(&scene), (vec![], 0));
    }
}

#[test]
fn states_add_up_and_are_never_negative() {
    assert_eq!(broken(&shown(2, 0, 2)), [StockConserved]);
    assert_eq!(broken(&shown(2, -1, 4)), [StockNeverNegative]);
    let mut scene = held();
    scene.change_views(|at, sale| sale.held = sale.held.map(|held| held + u64::from(at == 3)));
    assert_eq!(broken(&scene), [StockConserved]);
    let mut scene = Scene::new();
    scene.history.sale_before.as_mut().unwrap().stock_left = 2;
    assert_eq!(broken(&scene), [StockConserved]);
}

#[test]
fn states_show_the_orders_that_were_told() {
    let mut scene = shown(3, 2, 1);
    assert_eq!(broken(&scene), [], "one order was told");
    scene.read(0, Some(order(1)), (100, 199));
    let found = violations(&scene);
    assert_eq!(found[0].invariant, StockReadsBounded);
    assert_eq!(found[0].witnesses, ["1 orders at 200 ms, at least 2 were told"]);
    scene.history.results[0].answered_us = 200_000;
    assert_eq!(broken(&scene), [], "told when the state had been requested");
    // The first state is older than the ledger before the run.
    let mut scene = Scene::new();
    scene
        .history
        .before
        .extend(scene.ledger.rows.iter().take(3).map(|r| (r.request_id, r.clone())));
    scene.history.sale_before.as_mut().unwrap().stock_left = 0;
    scene.change_views(|at, sale| {
        if at > 0 {
            (sale.stock_left, sale.orders) = (0, 3);
        }
    });
    assert_eq!(broken(&scene), []);
}

#[test]
fn buyers_are_told_of_no_more_orders_than_one_may_have() {
    let told = |buyers| {
        let mut scene = Scene::with_buyers(buyers);
        win(&mut scene, 0..3);
        scene
    };
    assert_eq!(broken(&told(Buyers::New)), []);
    let one = || told(Buyers::Pool(1));
    assert_eq!(broken(&one()), [BuyerLimit]);
    let mut scene = one();
    scene.history.tells_before.limit = false;
    assert_eq!(broken(&scene), []);
    let mut scene = one();
    scene.history.tells_before.positions = false;
    assert_eq!(broken(&scene), [], "a described shop tells too little");
    let mut scene = one();
    scene.history.sale_before = None;
    scene.change_views(|_, sale| sale.per_buyer = None);
    assert_eq!(broken(&scene), [], "the limit is shown nowhere");
    // The same order was told three times.
    let mut scene = one();
    (0..3).for_each(|number| {
        scene.entry(number).answered = Answered::Won(Box::new(order_id(1)));
    });
    assert!(!broken(&scene).contains(&BuyerLimit));
    // Orders that were given back do not count, and those that are still held do.
    let mut scene = one();
    scene.history.sale_before.as_mut().unwrap().hold_us = Some(30_000);
    scene.change_views(|_, sale| sale.hold_us = Some(30_000));
    assert_eq!(broken(&scene), []);
    scene.history.sale_before.as_mut().unwrap().hold_us = Some(3_600_000_000);
    scene.change_views(|_, sale| sale.hold_us = Some(3_600_000_000));
    assert_eq!(broken(&scene), [BuyerLimit]);
}

#[test]
fn buyer_at_the_limit_has_made_an_attempt_that_may_have_won() {
    let refused = |before: Option<Status>, limit: u32| {
        let mut scene = Scene::new();
        let attempt = scene.refuse(Refused::AlreadyBought, 60, 70);
        let uid = scene.history.ids.buyer_id(attempt);
        let mut row = scene.row(0).clone();
        row.request_id = crate::ids::RequestId::random();
        row.uid = uid.as_str().into();
        if let Some(status) = before {
            row.status = status;
            scene.history.before.insert(row.request_id, row);
        }
        let sale = scene.history.sale_before.as_mut().unwrap();
        sale.per_buyer = limit;
        scene.change_views(|_, sale| sale.per_buyer = Some(limit));
        scene
    };
    assert_eq!(broken(&refused(None, 1)), [RefusalsTrue]);
    let queued = || Some(Status::Queued);
    assert_eq!(broken(&refused(queued(), 1)), []);
    assert_eq!(broken(&refused(queued(), 2)), [RefusalsTrue]);
    assert_eq!(broken(&refused(Some(Status::Lost(Loss::AlreadyBought)), 1)), [RefusalsTrue]);
    // Without the ledger before the run, the buyer may have orders from before.
    let mut scene = refused(None, 1);
    scene.history.sale_before = None;
    assert_eq!(broken(&scene), []);
    // Another attempt of the buyer may have won, if it was sent before the refusal came.
    let with_attempt = |sent_ms: u64| {
        let mut scene = Scene::with_buyers(Buyers::Pool(1));
        scene.history.entries.retain(|entry| entry.attempt.thread == 5);
        scene.refuse(Refused::AlreadyBought, 60, 70);
        let entry = scene.entry(0);
        (entry.sent_us, entry.answered_us) = (sent_ms * 1_000, 90_000);
        broken(&scene)
    };
    assert_eq!(with_attempt(70), []);
    assert_eq!(with_attempt(71), [RefusalsTrue]);
}

#[test]
fn accepted_attempts_have_a_result() {
    let read = |sent_ms: u64, number: usize| {
        let mut scene = Scene::new();
        scene.read(number, None, (sent_ms, sent_ms + 5));
        broken(&scene)
    };
    // It was accepted at 20 ms.
    assert_eq!(read(21, 0), [ResultsTrue]);
    assert_eq!(read(20, 0), []);
    assert_eq!(read(300, 5), [], "it got no answer");
    let mut scene = Scene::new();
    scene.make_earlier();
    scene.change_views(|_, sale| (sale.stock_left, sale.orders) = (0, 3));
    scene.read(5, None, (21, 22));
    assert_eq!(broken(&scene), [ResultsTrue]);
}

#[test]
fn attempts_that_stand_still_are_not_decided() {
    let stuck = |unchanged_us: u64, status: Status, sent_ms: u64| {
        let mut scene = Scene::new();
        scene.change_views(|at, sale| sale.queued = u64::from(at > 0));
        scene.history.ended_us = 100_000;
        let (queued, waited_us, is_ready) = (1, 10_000_000, true);
        scene.history.standstill = Some(Standstill { queued, unchanged_us, waited_us, is_ready });
        scene.read(3, Some(status), (sent_ms, sent_ms + 5));
        broken(&scene)
    };
    assert_eq!(stuck(5_000_000, Status::Queued, 101), [AcceptedDecided]);
    assert_eq!(stuck(4_999_999, Status::Queued, 101), []);
    assert_eq!(stuck(5_000_000, Status::Queued, 100), [], "it was read within the load");
    assert_eq!(stuck(5_000_000, Status::Lost(Loss::SoldOut), 101), []);
    let mut scene = Scene::new();
    scene.change_views(|at, sale| sale.queued = u64::from(at > 0));
    let (queued, unchanged_us) = (2, 5_000_000);
    let standstill = Standstill { queued, unchanged_us, waited_us: unchanged_us, is_ready: true };
    scene.history.standstill = Some(standstill);
    scene.read(3, Some(Status::Queued), (101, 105));
    assert_eq!(broken(&scene), [], "one has been decided since");
}

#[test]
fn nothing_is_said_if_the_sale_was_replaced() {
    let mut scene = Scene::new();
    for number in 0..5 {
        scene.entry(number).answered = Answered::Won(Box::new(order_id(number as u64 + 1)));
    }
    assert_eq!(judge(&scene), (vec![NeverOversold], 2));
    scene.change_views(|at, sale| sale.epoch = 1 + at as u64 / 2);
    assert_eq!(judge(&scene), (vec![], 0), "orders may be of either sale");
}

#[test]
fn order_without_an_id_is_another_one_of_each_attempt() {
    let mut scene = Scene::new();
    let attempt = AttemptNo { thread: 6, index: 0 };
    let answered = Answered::Won(Box::new(OrderId::untold()));
    let entry = Entry { attempt, answered, sent_us: 95_000, answered_us: 99_000, refusal: None };
    scene.history.entries.push(entry);
    win(&mut scene, 0..3);
    assert_eq!(judge(&scene), (vec![NeverOversold], 1));
}

#[test]
fn order_that_an_answer_leaves_out_and_a_result_names_is_one() {
    let mut scene = Scene::new();
    for number in 0..3 {
        scene.entry(number).answered = Answered::Won(Box::new(OrderId::untold()));
        scene.read(number, Some(order(number as u64 + 1)), (100, 110));
    }
    assert_eq!(judge(&scene), (vec![], 0));
}

#[test]
fn states_are_not_compared_with_a_ledger_that_was_not_read() {
    let mut scene = Scene::new();
    // An older version noted this moment all the same.
    scene.history.ledger_us = 205_000;
    scene.view((300, 310), 0, 3);
    assert_eq!(judge(&scene), (vec![], 0));
}
