//! What is told of held orders after the load, and after the ledger was read.

use crate::history::{Loss, OrderStatus, PaymentAnswer, Refused, Status};
use crate::judge::invariant::Invariant::{
    self, DeadlinesHold, OrdersEndOnce, SoldOutTrue, StockReadsBounded,
};

use super::holds::{end, expired, held, pay, read};
use super::scene::{Scene, order, server_us};

const MINUTE_MS: u64 = 60_000;

/// The scene's run at a sale that holds its orders for an hour: the ledger was read at 205 ms.
fn long_held() -> Scene {
    let mut scene = held();
    let hold_us = 60 * MINUTE_MS * 1_000;
    for sale in [Some(&mut scene.ledger.sale), scene.history.sale_before.as_mut()] {
        sale.unwrap().hold_us = Some(hold_us);
    }
    scene.change_views(|_, sale| sale.hold_us = Some(hold_us));
    for number in 0..3 {
        let row = scene.row(number);
        row.order.as_mut().unwrap().held_until_us = row.decided_us.unwrap() + hold_us;
    }
    (scene.history.ended_us, scene.history.ledger_us) = (120_000, 205_000);
    scene
}

fn broken(change: impl FnOnce(&mut Scene)) -> Vec<Invariant> {
    let mut scene = long_held();
    change(&mut scene);
    scene.broken()
}

/// Adds a state at 300 ms that shows so many orders, one of which is paid for. All of them were
/// read as results before.
fn show_orders(scene: &mut Scene, orders: u64) {
    (0..3).for_each(|number| scene.read(number, Some(order(number as u64 + 1)), (110, 115)));
    let hold_us = scene.ledger.sale.hold_us;
    scene.view((300, 310), 3 - orders as i64, 0);
    scene.change_views(|at, sale| {
        if at == 4 {
            (sale.held, sale.paid, sale.hold_us) = (Some(orders - 1), Some(1), hold_us);
        }
    });
}

#[test]
fn right_run_with_a_long_hold_passes() {
    assert_eq!(broken(|_| {}), []);
}

#[test]
fn result_after_the_ledger_shows_no_end_that_nobody_asked_for() {
    let of = |status| broken(|scene| read(scene, 1, status, (300, 310)));
    assert_eq!(of(OrderStatus::Held), []);
    assert_eq!(of(OrderStatus::Paid), [OrdersEndOnce]);
    assert_eq!(of(OrderStatus::Cancelled), [OrdersEndOnce]);
    assert_eq!(of(OrderStatus::Expired), [DeadlinesHold]);
    let paid = broken(|scene| {
        pay(scene, 1, PaymentAnswer::Unknown, (290, 295));
        read(scene, 1, OrderStatus::Paid, (300, 310));
    });
    assert_eq!(paid, []);
    // By then it may have expired, however far the clocks differ.
    let late = (60 * MINUTE_MS, 60 * MINUTE_MS);
    assert_eq!(broken(|scene| read(scene, 1, OrderStatus::Expired, late)), []);
}

#[test]
fn result_after_the_ledger_shows_no_order_as_held_that_had_ended() {
    let read_at = |ms| {
        let mut scene = expired();
        scene.history.ledger_us = 215_000;
        read(&mut scene, 2, OrderStatus::Held, (ms, ms + 5));
        scene.broken()
    };
    assert_eq!(read_at(212), [], "by clocks that differ, it had not expired");
    assert_eq!(read_at(216), [OrdersEndOnce]);
}

#[test]
fn result_after_the_ledger_shows_no_decided_attempt_as_queued() {
    let read_at = |ms| {
        let mut scene = Scene::new();
        scene.history.ledger_us = 215_000;
        scene.read(5, Some(Status::Queued), (ms, ms + 5));
        scene.broken()
    };
    assert_eq!(read_at(212), [], "its request got no answer, and may have been late");
    assert_eq!(read_at(216), [Invariant::ResultsTrue]);
}

#[test]
fn order_does_not_end_a_minute_after_the_ledger_was_read() {
    let ended = |after_ms| broken(|scene| end(scene, 0, OrderStatus::Paid, after_ms));
    assert_eq!(ended(MINUTE_MS), []);
    assert_eq!(ended(3 * MINUTE_MS), [DeadlinesHold]);
}

#[test]
fn held_order_is_in_a_state_after_the_ledger_until_its_deadline() {
    assert_eq!(broken(|scene| show_orders(scene, 3)), []);
    let broken = broken(|scene| show_orders(scene, 2));
    assert!(broken.contains(&StockReadsBounded), "{broken:?}");
    let mut scene = held();
    (scene.history.ended_us, scene.history.ledger_us) = (120_000, 215_000);
    show_orders(&mut scene, 2);
    assert_eq!(scene.broken(), [], "it may have expired");
}

#[test]
fn state_within_the_load_is_older_than_the_ledger() {
    let mut scene = held();
    // Refusals go on for long after the last attempt was accepted.
    (scene.history.ended_us, scene.history.ledger_us) = (390_000, 395_000);
    show_orders(&mut scene, 2);
    assert!(scene.broken().contains(&StockReadsBounded));
}

/// The run in which all orders expire, as the third buyer is told at 100 ms.
fn told_back() -> Scene {
    let mut scene = expired();
    pay(&mut scene, 2, PaymentAnswer::Expired, (90, 100));
    scene
}

#[test]
fn nobody_is_told_sold_out_after_buyers_were_told_that_orders_came_back() {
    let mut scene = told_back();
    scene.refuse(Refused::SoldOut, 95, 110);
    assert_eq!(scene.broken(), [], "the unit may have come back after the answer was made");
    scene.refuse(Refused::SoldOut, 101, 110);
    assert_eq!(scene.broken(), [SoldOutTrue]);
}

#[test]
fn nobody_loses_for_it_either() {
    let mut scene = told_back();
    scene.row(5).status = Status::Lost(Loss::SoldOut);
    scene.row(5).accepted_us = server_us(103);
    scene.entry(5).answered = crate::history::Answered::Lost(Loss::SoldOut);
    (scene.entry(5).sent_us, scene.entry(5).answered_us) = (101_000, 110_000);
    scene.row(5).decided_us = Some(server_us(105));
    assert_eq!(scene.broken(), [SoldOutTrue]);
}

#[test]
fn state_has_no_order_that_a_buyer_was_told_came_back() {
    let mut scene = told_back();
    scene.view((120, 125), 1, 0);
    scene.change_views(|at, sale| {
        if at == 4 {
            (sale.orders, sale.held, sale.paid, sale.hold_us) = (3, Some(2), Some(1), Some(30_000));
            sale.stock_left = 0;
        }
    });
    assert!(scene.broken().contains(&StockReadsBounded), "{:?}", scene.broken());
}

#[test]
fn what_was_paid_or_lost_before_the_run_says_nothing_of_it() {
    // A run with the same seed makes the same attempts again.
    let mut scene = held();
    for row in &scene.ledger.rows {
        scene.history.before.insert(row.request_id, row.clone());
    }
    scene.history.payments.clear();
    (scene.entry(4).sent_us, scene.entry(4).answered_us) = (10_000, 15_000);
    let broken = scene.broken();
    assert!(!broken.contains(&OrdersEndOnce) && !broken.contains(&SoldOutTrue), "{broken:?}");
}
