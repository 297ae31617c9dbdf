//! The same of held orders, which may be given back.

use crate::history::{Answered, OrderStatus, PaymentAnswer};
use crate::judge::invariant::Invariant::{
    DeadlinesHold, NeverOversold, OrdersEndOnce, StockReadsBounded,
};
use crate::judge::rules::tests::scene::{Scene, order};

use super::holds::{held, pay, read};
use super::without_ledger::{broken, judge, long_held, win};

#[test]
fn states_show_the_payments_that_were_told() {
    let mut scene = held();
    assert_eq!(broken(&scene), []);
    pay(&mut scene, 1, PaymentAnswer::Paid, (100, 199));
    assert_eq!(broken(&scene), [StockReadsBounded]);
    scene.history.payments[1].answered_us = 200_000;
    assert_eq!(broken(&scene), []);
}

#[test]
fn states_show_the_orders_that_were_paid_for_before_the_run() {
    let paid_before = |number: usize| {
        let mut scene = held();
        scene.history.payments.clear();
        let row = scene.row(number).clone();
        scene.history.before.insert(row.request_id, row);
        scene.history.sale_before.as_mut().unwrap().stock_left = 2;
        scene.change_views(|_, sale| (sale.held, sale.paid) = (Some(sale.orders), Some(0)));
        broken(&scene).contains(&StockReadsBounded)
    };
    assert!(paid_before(0));
    assert!(!paid_before(1), "it was held");
}

#[test]
fn orders_that_are_still_held_are_above_the_stock() {
    let over = |hold_us: u64| {
        let mut scene = long_held();
        win(&mut scene, 0..5);
        scene.history.sale_before.as_mut().unwrap().hold_us = Some(hold_us);
        scene.change_views(|_, sale| sale.hold_us = Some(hold_us));
        scene
    };
    assert_eq!(judge(&over(3_600_000_000)), (vec![NeverOversold], 2));
    // The first was sent at 10 ms, and the last was told at 70 ms.
    assert_eq!(judge(&over(60_060_000)), (vec![NeverOversold], 1));
    assert_eq!(judge(&over(60_060_001)), (vec![NeverOversold], 2));
    assert_eq!(judge(&over(30_000)), (vec![], 0));
    let mut scene = over(3_600_000_000);
    pay(&mut scene, 0, PaymentAnswer::Cancelled, (100, 110));
    assert_eq!(judge(&scene).1, 1);
    read(&mut scene, 1, OrderStatus::Expired, (100, 110));
    assert_eq!(judge(&scene), (vec![DeadlinesHold], 0), "it was given back, if too early");
    // A recording without the times of its results.
    let mut scene = over(3_600_000_000);
    for number in 0..5 {
        scene.entry(number).answered = Answered::Accepted;
        scene.read(number, Some(order(number as u64 + 1)), (0, 0));
    }
    assert_eq!(judge(&scene).1, 0);
}

#[test]
fn attempts_of_which_orders_were_told_twice_count_once() {
    let mut scene = long_held();
    win(&mut scene, 0..3);
    (0..3).for_each(|number| {
        scene.read(number, Some(order(number as u64 + 1)), (100, 110));
        read(&mut scene, number, OrderStatus::Paid, (150, 160));
        pay(&mut scene, number, PaymentAnswer::Paid, (120, 220));
    });
    assert_eq!(judge(&scene), (vec![], 0));
}

#[test]
fn orders_end_once_by_what_was_told() {
    let ends = |change: &dyn Fn(&mut Scene)| {
        let mut scene = long_held();
        change(&mut scene);
        broken(&scene)
    };
    let expired = |scene: &mut Scene| {
        pay(scene, 0, PaymentAnswer::Paid, (110, 220));
        read(scene, 0, OrderStatus::Expired, (230, 240));
    };
    assert_eq!(ends(&expired), [OrdersEndOnce, DeadlinesHold]);
    assert_eq!(ends(&|scene| read(scene, 0, OrderStatus::Cancelled, (230, 240))), [OrdersEndOnce]);
    assert_eq!(ends(&|scene| pay(scene, 0, PaymentAnswer::UnknownOrder, (1, 2))), [OrdersEndOnce]);
    assert_eq!(ends(&|scene| pay(scene, 0, PaymentAnswer::Paid, (110, 220))), []);
}

#[test]
fn orders_expire_no_more_than_a_minute_before_their_deadlines() {
    let expired = |hold_us: u64, by_payment: bool| {
        let mut scene = long_held();
        scene.history.sale_before.as_mut().unwrap().hold_us = Some(hold_us);
        scene.change_views(|_, sale| sale.hold_us = Some(hold_us));
        match by_payment {
            true => pay(&mut scene, 0, PaymentAnswer::Expired, (110, 220)),
            false => read(&mut scene, 0, OrderStatus::Expired, (110, 220)),
        }
        broken(&scene)
    };
    for by_payment in [true, false] {
        // It was sent at 10 ms.
        assert_eq!(expired(60_210_000, by_payment), []);
        assert_eq!(expired(60_210_001, by_payment), [DeadlinesHold]);
    }
    let mut scene = long_held();
    scene.make_earlier();
    scene.change_views(|_, sale| (sale.held, sale.paid) = (Some(3), Some(0)));
    read(&mut scene, 0, OrderStatus::Expired, (110, 220));
    assert!(!broken(&scene).contains(&DeadlinesHold), "it was held since before the run");
}
