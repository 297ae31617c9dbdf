//! The ends of held orders that nobody has asked for, and their times, to the microsecond.

use crate::history::{OrderStatus, Payment, PaymentAnswer};
use crate::judge::facts::Facts;
use crate::judge::invariant::Invariant;
use crate::judge::order_ends::OrderEnds;
use crate::judge::server_clock::ServerClock;

use super::holds::{end, expired, held, pay, read};
use super::scene::{Scene, server_us};

const MINUTE_US: u64 = 60_000_000;
const HOUR_US: u64 = 60 * MINUTE_US;

/// What is broken, in words.
fn found(scene: &Scene) -> Vec<String> {
    let words = |witness: &String| witness.split_once(": ").unwrap().1.to_owned();
    scene.violations().iter().flat_map(|of| of.witnesses.iter().map(words)).collect()
}

fn clock(scene: &Scene) -> ServerClock {
    Facts::gather(&scene.history, &scene.ledger, scene.settled).clock.unwrap()
}

fn held_until_us(scene: &Scene, number: usize) -> u64 {
    scene.ledger.rows[number].order.as_ref().unwrap().held_until_us
}

/// Adds a payment for the second order that is sent and answered at this moment.
fn pay_at(scene: &mut Scene, answered: PaymentAnswer, us: u64) {
    let request_id = scene.id(1);
    scene.history.payments.push(Payment {
        request_id,
        answered,
        told: None,
        sent_us: us,
        answered_us: us,
    });
}

#[test]
fn order_ends_by_what_its_buyer_did() {
    let mut unpaid = held();
    unpaid.history.payments.clear();
    assert_eq!(found(&unpaid), ["paid, and nobody has paid for it"]);
    let mut refused = held();
    refused.history.payments[0].answered = PaymentAnswer::Refused;
    assert_eq!(found(&refused), ["paid, and each payment was refused"]);
    let mut cancelled = expired();
    end(&mut cancelled, 2, OrderStatus::Cancelled, 10);
    assert_eq!(found(&cancelled), ["cancelled, and no buyer has cancelled it"]);
}

#[test]
fn orders_are_counted_by_what_has_become_of_them() {
    let mut scene = expired();
    let counts = OrderEnds { held: 1, paid: 1, cancelled: 0, expired: 1 };
    assert_eq!(OrderEnds::of(&scene.ledger), Some(counts));
    end(&mut scene, 1, OrderStatus::Expired, 31);
    assert_eq!(OrderEnds::of(&scene.ledger), Some(OrderEnds { held: 0, expired: 2, ..counts }));
    assert_eq!(OrderEnds::of(&Scene::new().ledger), None, "it does not hold orders");
}

#[test]
fn payment_was_answered_before_the_ledger_was_read() {
    let mut scene = held();
    pay(&mut scene, 1, PaymentAnswer::Paid, (400, 410));
    assert_eq!(found(&scene), ["told paid, and held in the ledger"]);
}

#[test]
fn order_may_be_read_as_held_until_its_end() {
    let mut scene = held();
    read(&mut scene, 0, OrderStatus::Held, (28, 45));
    assert_eq!(found(&scene), [""; 0], "it was paid at that moment");
    let mut scene = expired();
    read(&mut scene, 2, OrderStatus::Expired, (0, 0));
    read(&mut scene, 2, OrderStatus::Held, (60, 65));
    assert_eq!(found(&scene), [""; 0], "it is not known when the end was read");
}

#[test]
fn order_that_had_ended_before_the_run_ended_at_the_same_time() {
    let mut scene = held();
    scene.make_earlier();
    scene.change_views(|_, sale| (sale.held, sale.paid) = (Some(2), Some(1)));
    assert_eq!(found(&scene), [""; 0]);
    end(&mut scene, 0, OrderStatus::Paid, 13);
    assert_eq!(found(&scene), ["ended otherwise before the run"]);
}

#[test]
fn order_ends_at_most_a_minute_before_its_decision() {
    let mut scene = held();
    let decided_us = scene.row(0).decided_us.unwrap();
    let mut ends_at = |us| {
        scene.row(0).order.as_mut().unwrap().ended_us = Some(us);
        found(&scene)
    };
    assert_eq!(ends_at(decided_us - MINUTE_US), [""; 0]);
    assert_eq!(ends_at(decided_us - MINUTE_US - 1), ["ended before it was decided"]);
}

#[test]
fn order_is_held_at_most_a_minute_after_its_deadline() {
    let read_at = |more| {
        let mut scene = held();
        let due_us = clock(&scene).latest_moment(held_until_us(&scene, 1)) + MINUTE_US;
        pay_at(&mut scene, PaymentAnswer::Unknown, due_us + more);
        found(&scene)
    };
    assert_eq!(read_at(0), [""; 0]);
    assert_eq!(read_at(1), ["held long after its deadline"]);
}

#[test]
fn order_ends_at_most_an_hour_after_the_last_state() {
    let ends_after = |more| {
        let mut scene = expired();
        let last_us = scene.history.views.iter().last().unwrap().answered_us;
        let ended_us = scene.row(2).order.as_ref().unwrap().ended_us.unwrap();
        let later_us = last_us + HOUR_US - clock(&scene).earliest_moment(ended_us);
        scene.row(2).order.as_mut().unwrap().ended_us = Some(ended_us + later_us + more);
        found(&scene)
    };
    assert_eq!(ends_after(0), [""; 0]);
    assert_eq!(ends_after(1), ["ended in the future"]);
}

#[test]
fn payment_is_honoured_at_most_a_minute_after_the_deadline() {
    let paid_at = |more| {
        let mut scene = held();
        end(&mut scene, 1, OrderStatus::Paid, 29);
        let late_us = clock(&scene).latest_moment(held_until_us(&scene, 1)) + MINUTE_US;
        pay_at(&mut scene, PaymentAnswer::Paid, late_us + more);
        found(&scene)
    };
    assert_eq!(paid_at(0), [""; 0]);
    assert_eq!(paid_at(1), ["paid long after its deadline"]);
}

#[test]
fn payment_is_called_too_late_at_most_a_minute_before_the_deadline() {
    let hold_us = 10 * MINUTE_US;
    let refused_at = |less| {
        let mut scene = held();
        for sale in [Some(&mut scene.ledger.sale), scene.history.sale_before.as_mut()] {
            sale.unwrap().hold_us = Some(hold_us);
        }
        scene.ledger.sale.stock_left = 1;
        scene.change_views(|at, sale| {
            sale.hold_us = Some(hold_us);
            if at == 3 {
                (sale.stock_left, sale.orders, sale.held) = (1, 2, Some(1));
            }
        });
        for number in 0..3 {
            let row = scene.row(number);
            row.order.as_mut().unwrap().held_until_us = row.decided_us.unwrap() + hold_us;
        }
        end(&mut scene, 1, OrderStatus::Expired, hold_us / 1_000);
        let early_us = clock(&scene).earliest_moment(held_until_us(&scene, 1)) - MINUTE_US;
        pay_at(&mut scene, PaymentAnswer::Expired, early_us - less);
        found(&scene)
    };
    assert_eq!(refused_at(0), [""; 0]);
    assert_eq!(refused_at(1), ["called expired before its deadline"]);
}

#[test]
fn order_of_before_the_run_is_not_held_long_after_its_deadline() {
    let held_until = |seconds_before: u64, read_s: u64| {
        let mut scene = held();
        scene.make_earlier();
        scene.history.ended_us = read_s * 1_000_000;
        scene.change_views(|_, sale| (sale.held, sale.paid) = (Some(2), Some(1)));
        let until_us = server_us(0) - seconds_before * 1_000_000;
        for row in scene.history.before.values_mut().chain(&mut scene.ledger.rows) {
            let held = row.order.as_mut().filter(|order| order.ended_us.is_none());
            let Some(order) = held else { continue };
            let hold_us = scene.ledger.sale.hold_us.unwrap();
            order.held_until_us = until_us;
            row.decided_us = Some(until_us - hold_us);
        }
        scene.broken().contains(&Invariant::DeadlinesHold)
    };
    // Nothing was accepted that bounds the clock, which may be a day off; and a server that was
    // down has a minute from the beginning of the run on.
    assert!(!held_until(25 * 3600, 59));
    assert!(held_until(25 * 3600, 61));
    assert!(!held_until(23 * 3600, 61));
}
