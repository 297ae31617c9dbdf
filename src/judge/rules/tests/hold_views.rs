//! The states of a sale that holds its orders, beside the ledger that was read before the last one,
//! and beside what buyers were told.

use crate::history::{
    Answered, AttemptNo, Entry, Loss, OrderStatus, PaymentAnswer, Refused, RequestWindow, Status,
};
use crate::judge::invariant::Invariant;
use crate::judge::rules::tests::scene::{Scene, order};

use super::holds::{end, expired, held, pay, read};

/// Whether the last state, with these units left and orders, agrees with the ledger.
fn agrees(mut scene: Scene, stock_left: i64, orders: u64) -> bool {
    scene.change_views(|at, sale| {
        if at == 3 {
            let held = orders.saturating_sub(1);
            (sale.stock_left, sale.orders, sale.held) = (stock_left, orders, Some(held));
        }
    });
    !scene.broken().contains(&Invariant::ViewsAgree)
}

#[test]
fn held_orders_may_have_been_given_back_since_the_ledger_and_the_paid_one_may_not() {
    assert!(agrees(held(), 0, 3));
    assert!(agrees(held(), 2, 1));
    assert!(!agrees(held(), 3, 0));
}

#[test]
fn attempt_without_an_answer_may_have_won_since_the_ledger() {
    let scene = || {
        let mut scene = held();
        scene.set_stock(5);
        scene.ledger.rows.remove(5);
        scene
    };
    assert!(agrees(scene(), 1, 4));
    assert!(!agrees(scene(), 0, 5), "one attempt had no answer");
}

/// Has a state show so many orders that are paid for.
fn show_paid(scene: &mut Scene, at: usize, paid: u64) {
    scene.change_views(|number, sale| {
        if number == at {
            (sale.held, sale.paid) = (Some(sale.orders - paid), Some(paid));
        }
    });
}

/// Whether a state may show as many orders that are paid for.
fn paid_is_bounded(mut scene: Scene, at: usize, paid: u64) -> bool {
    show_paid(&mut scene, at, paid);
    !scene.broken().contains(&Invariant::StockReadsBounded)
}

#[test]
fn winners_are_queued_or_have_orders_in_states_older_than_the_ledger() {
    let mut scene = held();
    scene.change_views(|at, sale| {
        if at == 2 {
            (sale.stock_left, sale.orders, sale.held, sale.paid) = (2, 1, Some(0), Some(1));
        }
    });
    assert_eq!(scene.broken(), [Invariant::StockReadsBounded]);
    assert_eq!(scene.violations()[0].witnesses, ["1 orders and 0 queued at 75 ms, of 3 winners"]);
}

#[test]
fn witness_names_how_many_are_paid_for_and_how_many_can_be() {
    let words = |paid| {
        let mut scene = held();
        show_paid(&mut scene, 1, paid);
        scene.violations()[0].witnesses.clone()
    };
    assert_eq!(words(0), ["0 orders paid for at 32 ms, at least 1 were"]);
    assert_eq!(words(2), ["2 orders paid for at 32 ms, at most 1 can be"]);
}

#[test]
fn state_newer_than_the_ledger_may_lack_orders_that_were_held_there() {
    let shown = |scene: &mut Scene, at: usize, orders: u64| {
        scene.change_views(|number, sale| {
            if number == at {
                (sale.stock_left, sale.orders) = (3 - orders as i64, orders);
                (sale.held, sale.paid) = (Some(orders.saturating_sub(1)), Some(orders.min(1)));
            }
        });
    };
    for (at, orders, bounded) in [(4, 1, true), (4, 0, false), (3, 3, true), (3, 1, false)] {
        let mut scene = held();
        scene.view((300, 310), 0, 0);
        scene.change_views(|_, sale| sale.hold_us = Some(30_000));
        // All buyers were told of their orders before the load had ended.
        read(&mut scene, 0, OrderStatus::Held, (20, 22));
        read(&mut scene, 2, OrderStatus::Held, (60, 65));
        shown(&mut scene, at, orders);
        let broken = scene.broken();
        let is_broken = broken.contains(&Invariant::StockReadsBounded);
        assert_eq!(!is_broken, bounded, "{orders} in state {at}: {broken:?}");
    }
}

#[test]
fn as_many_orders_are_paid_for_as_buyers_have_paid_for_by_then() {
    // The first order's payment is sent after 22 ms and answered after 28.
    for (at, paid, bounded) in
        [(0, 0, true), (1, 0, false), (1, 1, true), (1, 2, false), (3, 0, false), (3, 2, false)]
    {
        assert_eq!(paid_is_bounded(held(), at, paid), bounded, "{paid} in state {at}");
    }
    // It was answered in the moment in which the state was requested.
    let mut at_once = held();
    at_once.history.payments[0].answered_us = 32_000;
    assert!(paid_is_bounded(at_once, 1, 0));
    // One whose outcome is unknown may have been honoured since it was sent.
    let unknown = || {
        let mut scene = held();
        pay(&mut scene, 1, PaymentAnswer::Unknown, (60, 65));
        scene
    };
    for (at, paid, bounded) in [(1, 2, false), (2, 2, true), (3, 2, true), (3, 1, true)] {
        assert_eq!(paid_is_bounded(unknown(), at, paid), bounded, "{paid} in state {at}");
    }
    let mut refused = held();
    pay(&mut refused, 1, PaymentAnswer::Refused, (60, 65));
    assert!(!paid_is_bounded(refused, 3, 2));
}

#[test]
fn orders_paid_for_before_the_run_stay_so() {
    let earlier = || {
        let mut scene = expired();
        scene.make_earlier();
        scene.change_views(|_, sale| {
            (sale.stock_left, sale.orders) = (1, 2);
            (sale.held, sale.paid) = (Some(1), Some(1));
        });
        scene
    };
    for paid in 0..=2 {
        assert!(paid_is_bounded(earlier(), 1, paid), "{paid}: nothing was sent");
    }
    // The first state may be older than the ledger before the run, and the last one may not.
    let then_sent = |at| {
        let mut scene = earlier();
        let attempt = AttemptNo { thread: 0, index: 0 };
        let (answered, sent_us, answered_us) = (Answered::Unknown, 10_000, 20_000);
        let entry = Entry { attempt, answered, sent_us, answered_us, refusal: None };
        scene.history.entries.push(entry);
        paid_is_bounded(scene, at, 0)
    };
    assert_eq!([0, 1].map(then_sent), [true, false]);
    let mut ended = earlier();
    end(&mut ended, 1, OrderStatus::Expired, 31);
    assert!(!paid_is_bounded(ended, 1, 2), "none is held that somebody else may have paid for");
}

/// Whether a refusal as sold out, sent and answered at these milliseconds, is called true.
fn sold_out_is_true(mut scene: Scene, window: (u64, u64)) -> bool {
    scene.refuse(Refused::SoldOut, window.0, window.1);
    !scene.broken().contains(&Invariant::SoldOutTrue)
}

#[test]
fn nobody_is_told_sold_out_after_a_state_with_more_units_than_were_sold_since() {
    // One of the three orders expires, and nobody wins afterwards.
    const EARLY: (u64, u64) = (60, 65);
    let returned = |left: i64, told: (u64, u64)| {
        let mut scene = expired();
        scene.view((300, 310), 3, 0);
        read(&mut scene, 0, OrderStatus::Paid, (90, 95));
        read(&mut scene, 2, OrderStatus::Held, told);
        scene.change_views(|at, sale| {
            if at == 4 {
                (sale.hold_us, sale.stock_left) = (Some(30_000), left);
                sale.orders = (3 - left) as u64;
                (sale.held, sale.paid) = (Some(sale.orders.saturating_sub(1)), Some(1));
            }
        });
        scene
    };
    assert!(!sold_out_is_true(returned(1, EARLY), (320, 330)));
    assert!(sold_out_is_true(returned(0, EARLY), (320, 330)), "no unit was left");
    assert!(
        sold_out_is_true(returned(1, EARLY), (205, 330)),
        "it was sent before the state was answered"
    );
    assert!(sold_out_is_true(returned(1, EARLY), (210, 330)), "it was sent in that moment");
    assert!(sold_out_is_true(returned(1, (299, 300)), (320, 330)), "it may be made since");
    let mut scene = returned(1, EARLY);
    let refused = scene.refuse(Refused::SoldOut, 320, 330);
    let id = scene.history.ids.request_id(refused);
    let words = format!("{id}: 1 left at 300 ms, and at most 0 orders made since");
    assert_eq!(scene.violations()[0].witnesses, [words]);
    // So it is with the reason of a loss, however late it is told.
    for (sent, is_true) in [(210, true), (211, false)] {
        let mut lost = returned(1, EARLY);
        let entry = lost.entry(5);
        (entry.answered, entry.sent_us) = (Answered::Lost(Loss::SoldOut), sent * 1_000);
        entry.answered_us = 900_000;
        let broken = lost.broken();
        assert_eq!(!broken.contains(&Invariant::SoldOutTrue), is_true, "{sent}: {broken:?}");
    }
    // An order whose buyer has not been told of it may have been made since.
    let mut late = returned(1, EARLY);
    late.entry(5).answered = Answered::Unknown;
    let given_back = late.row(2).order.clone();
    let row = late.row(5);
    (row.status, row.order) = (order(4), given_back);
    assert!(sold_out_is_true(late, (320, 330)));
}

#[test]
fn buyer_whose_order_came_back_is_below_the_limit_once_told() {
    let refusal_is_true = |told: Option<(PaymentAnswer, (u64, u64))>, sent: u64| {
        let mut scene = expired();
        if let Some((answered, window)) = told {
            pay(&mut scene, 2, answered, window);
        }
        let (attempt, answered) = (scene.entry(2).attempt, sent + 5);
        let request =
            RequestWindow { attempt, sent_us: sent * 1_000, answered_us: answered * 1_000 };
        scene.history.refusals.add(Refused::AlreadyBought, request);
        !scene.broken().contains(&Invariant::RefusalsTrue)
    };
    let expired = Some((PaymentAnswer::Expired, (80, 90)));
    assert!(!refusal_is_true(expired, 95));
    assert!(refusal_is_true(expired, 90), "the answer may have come later");
    assert!(refusal_is_true(expired, 85), "it was sent before the answer");
    assert!(refusal_is_true(Some((PaymentAnswer::Paid, (80, 90))), 95));
    assert!(refusal_is_true(None, 95), "nobody was told");
}

#[test]
fn buyer_whose_order_came_back_does_not_lose_for_it() {
    let words = |told_us: Option<u64>| {
        let mut scene = expired();
        // The attempt that is sent after 80 ms is of the buyer whose order expired.
        scene.row(2).uid = scene.row(5).uid.clone();
        if let Some(us) = told_us {
            pay(&mut scene, 2, PaymentAnswer::Expired, (60, us));
        }
        let lost = Status::Lost(Loss::AlreadyBought);
        scene.row(5).status = lost.clone();
        scene.read(5, Some(lost), (300, 305));
        let witness = format!("{}: lost as already bought before it was", scene.id(5));
        scene.violations().iter().any(|found| found.witnesses.contains(&witness))
    };
    assert_eq!([None, Some(80), Some(79)].map(words), [false, false, true]);
}

#[test]
fn result_shows_no_order_as_paid_before_anybody_has_paid() {
    let broken = |answered| {
        let mut scene = held();
        read(&mut scene, 0, OrderStatus::Paid, (15, answered));
        scene.broken().contains(&Invariant::OrdersEndOnce)
    };
    assert_eq!([0, 21, 22].map(broken), [false, true, false]);
}

#[test]
fn nobody_has_more_orders_than_a_state_showed_and_can_have_been_made_since() {
    let told = |orders: u64, view_ms: (u64, u64), sent_ms: u64, left: i64| {
        let mut scene = Scene::with_buyers(crate::settings::Buyers::Pool(1));
        let hold_us = Some(30_000);
        for sale in [Some(&mut scene.ledger.sale), scene.history.sale_before.as_mut()] {
            let sale = sale.unwrap();
            (sale.per_buyer, sale.hold_us) = (3, hold_us);
        }
        scene.view(view_ms, left, 0);
        scene.change_views(|at, sale| {
            (sale.per_buyer, sale.hold_us) = (Some(3), hold_us);
            if at == 4 {
                sale.orders = orders;
            }
        });
        // All three orders had been told before.
        (0..3).for_each(|number| scene.read(number, Some(order(number as u64 + 1)), (110, 115)));
        scene.refuse(Refused::AlreadyBought, sent_ms, 400);
        scene.broken().contains(&Invariant::RefusalsTrue)
    };
    assert!(told(2, (300, 310), 311, 1), "one has come back by then");
    assert!(!told(3, (300, 310), 311, 0));
    assert!(!told(2, (300, 310), 310, 1), "the state may be newer");
    assert!(!told(2, (115, 118), 119, 1), "they may have been made after the state");
    assert!(!told(2, (300, 310), 311, 2), "it does not add up");
}
