//! Held orders end once and by their deadlines, and a right server that takes units back is not
//! accused.

use crate::history::{
    Answered, History, Loss, OrderState, OrderStatus, Payment, PaymentAnswer, Refused, Status,
};
use crate::ids::OrderId;
use crate::judge::evidence::{Gaps, audit};
use crate::judge::explain::explain;
use crate::judge::facts::Facts;
use crate::judge::invariant::Invariant;
use crate::judge::reconcile::reconcile;
use crate::judge::rules::tests::scene::{Scene, order, server_us};
use crate::judge::verdict::Verdict;

const HOLD_US: u64 = 30_000;

/// The scene's run at a sale that holds its orders. The first order is paid for; the others are
/// held at the end.
pub(super) fn held() -> Scene {
    let mut scene = Scene::new();
    for sale in [Some(&mut scene.ledger.sale), scene.history.sale_before.as_mut()] {
        sale.unwrap().hold_us = Some(HOLD_US);
    }
    scene.change_views(|at, sale| {
        sale.hold_us = Some(HOLD_US);
        let paid = u64::from(at >= 1);
        (sale.held, sale.paid) = (Some(sale.orders - paid), Some(paid));
    });
    for number in 0..3 {
        let row = scene.row(number);
        let held_until_us = row.decided_us.unwrap() + HOLD_US;
        let state = OrderState { status: OrderStatus::Held, held_until_us, ended_us: None };
        row.order = Some(Box::new(state));
    }
    end(&mut scene, 0, OrderStatus::Paid, 14);
    pay(&mut scene, 0, PaymentAnswer::Paid, (22, 28));
    scene
}

/// Ends an order `after` milliseconds after its decision.
pub(super) fn end(scene: &mut Scene, number: usize, status: OrderStatus, after: u64) {
    let row = scene.row(number);
    let ended_us = row.decided_us.unwrap() + after * 1_000;
    let order = row.order.as_mut().unwrap();
    (order.status, order.ended_us) = (status, Some(ended_us));
}

pub(super) fn pay(scene: &mut Scene, number: usize, answered: PaymentAnswer, window: (u64, u64)) {
    let (sent_us, answered_us) = (window.0 * 1_000, window.1 * 1_000);
    let request_id = scene.id(number);
    scene.history.payments.push(Payment { request_id, answered, told: None, sent_us, answered_us });
}

/// Has the last order expire, so that its unit is left at the end.
pub(super) fn expired() -> Scene {
    let mut scene = held();
    end(&mut scene, 2, OrderStatus::Expired, 31);
    scene.ledger.sale.stock_left = 1;
    scene.change_views(|at, sale| {
        if at == 3 {
            (sale.stock_left, sale.orders, sale.held) = (1, 2, Some(1));
        }
    });
    scene
}

pub(super) fn read(scene: &mut Scene, number: usize, status: OrderStatus, window: (u64, u64)) {
    scene.read(number, Some(order(number as u64 + 1)), window);
    scene.history.results.last_mut().unwrap().order = Some(status);
}

#[test]
fn right_runs_with_held_orders_pass() {
    assert_eq!(held().broken(), []);
    assert_eq!(expired().broken(), [], "those who lost before the unit came back lost rightly");
    let mut scene = expired();
    pay(&mut scene, 2, PaymentAnswer::Expired, (80, 90));
    pay(&mut scene, 1, PaymentAnswer::Unknown, (80, 90));
    pay(&mut scene, 1, PaymentAnswer::Refused, (80, 90));
    read(&mut scene, 2, OrderStatus::Held, (60, 65));
    read(&mut scene, 2, OrderStatus::Expired, (300, 305));
    // It expires after the ledger was read.
    read(&mut scene, 1, OrderStatus::Expired, (400, 405));
    assert_eq!(scene.broken(), []);
}

#[test]
fn unit_that_came_back_may_be_sold_after_somebody_was_told_sold_out() {
    let mut scene = expired();
    // The fourth attempt was sent before, and is decided when the unit has come back.
    scene.refuse(Refused::SoldOut, 60, 62);
    let row = scene.row(5);
    row.status = order(4);
    row.decided_us = Some(server_us(85));
    let held_until_us = server_us(85) + HOLD_US;
    let state = OrderState { status: OrderStatus::Held, held_until_us, ended_us: None };
    row.order = Some(Box::new(state));
    scene.ledger.sale.stock_left = 0;
    scene.change_views(|at, sale| {
        if at == 3 {
            (sale.stock_left, sale.orders, sale.held) = (0, 3, Some(2));
        }
    });
    assert_eq!(scene.broken(), []);
    // Without a unit that came back, there was none to be sold.
    let order = scene.row(2).order.as_mut().unwrap();
    (order.status, order.ended_us) = (OrderStatus::Held, None);
    let broken = scene.broken();
    assert!(broken.contains(&Invariant::NeverOversold), "{broken:?}");
    assert!(broken.contains(&Invariant::SoldOutTrue), "{broken:?}");
}

#[test]
fn units_left_held_and_paid_make_up_the_stock() {
    let mut scene = expired();
    scene.ledger.sale.stock_left = 2;
    assert_eq!(scene.broken(), [Invariant::StockConserved, Invariant::NoUnsoldStock]);
    let mut scene = expired();
    scene.ledger.sale.stock_left = 0;
    assert_eq!(scene.broken(), [Invariant::StockConserved]);
    let mut scene = held();
    scene.change_views(|at, sale| sale.held = sale.held.map(|held| held + u64::from(at == 2)));
    assert_eq!(scene.broken(), [Invariant::StockConserved]);
    assert_eq!(scene.violations()[0].witnesses, ["held 3, paid 1, orders 3 at 75 ms"]);
}

#[test]
fn paid_unit_that_was_sold_again_is_oversold() {
    let mut scene = held();
    let row = scene.row(5);
    row.status = order(4);
    let held_until_us = row.decided_us.unwrap() + HOLD_US;
    let state = OrderState { status: OrderStatus::Held, held_until_us, ended_us: None };
    row.order = Some(Box::new(state));
    let broken = scene.broken();
    assert!(broken.contains(&Invariant::NeverOversold), "{broken:?}");
}

#[test]
fn orders_above_the_stock_at_one_time_are_oversold_though_they_were_given_back() {
    let sold = |scene: &mut Scene, left: i64, orders: u64| {
        scene.change_views(|at, sale| {
            if at == 2 {
                (sale.stock_left, sale.orders, sale.held) = (left, orders, Some(orders));
            }
        });
    };
    let over = |scene: &Scene| {
        let found = scene.broken();
        found.contains(&Invariant::NeverOversold) && found.contains(&Invariant::StockNeverNegative)
    };
    let mut scene = expired();
    sold(&mut scene, -2, 5);
    assert!(over(&scene), "{:?}", scene.broken());
    let [oversold, negative, ..] = &scene.violations()[..] else { panic!("both are broken") };
    assert_eq!(oversold.witnesses, ["stock 3, orders 5 at 75 ms"]);
    assert_eq!(negative.witnesses, ["stock_left -2 at 75 ms"]);
    let audit = reconcile(&scene.history, &scene.ledger, scene.settled);
    assert_eq!((audit.orders, audit.oversold, audit.was_more_oversold()), (Some(2), 2, true));
    // No unit is left, or the figures of the state do not fit together.
    for (left, orders) in [(0, 3), (-1, 5)] {
        let mut scene = expired();
        sold(&mut scene, left, orders);
        assert!(!over(&scene), "{:?}", scene.broken());
    }
    // Where no order is given back, the ledger has them all, or breaks another invariant.
    let scene = Scene::with_view(2, |sale| (sale.stock_left, sale.orders) = (-2, 5));
    assert!(!over(&scene), "{:?}", scene.broken());
}

#[test]
fn order_ends_as_its_buyer_was_told() {
    let broken = |change: &dyn Fn(&mut Scene)| {
        let mut scene = expired();
        change(&mut scene);
        let broken = scene.broken();
        assert_eq!(broken, [Invariant::OrdersEndOnce], "{:?}", scene.violations());
        scene.violations()[0].witnesses[0].split_once(": ").unwrap().1.to_owned()
    };
    let told = broken(&|scene| pay(scene, 2, PaymentAnswer::Paid, (50, 60)));
    assert_eq!(told, "told paid, and expired in the ledger");
    let told = broken(&|scene| pay(scene, 1, PaymentAnswer::Paid, (50, 60)));
    assert_eq!(told, "told paid, and held in the ledger");
    let told = broken(&|scene| pay(scene, 0, PaymentAnswer::Expired, (80, 90)));
    assert_eq!(told, "told paid, and told expired");
    let told = broken(&|scene| pay(scene, 0, PaymentAnswer::UnknownOrder, (80, 90)));
    assert_eq!(told, "won, and its order was called unknown");
    let told = broken(&|scene| read(scene, 2, OrderStatus::Cancelled, (90, 95)));
    assert_eq!(told, "told cancelled, and expired in the ledger");
    let told = broken(&|scene| read(scene, 0, OrderStatus::Held, (40, 45)));
    assert_eq!(told, "paid, and then held");
    let told = broken(&|scene| read(scene, 2, OrderStatus::Held, (200_000, 200_005)));
    assert_eq!(told, "expired, and then held");
    let told = broken(&|scene| pay(scene, 3, PaymentAnswer::Paid, (60, 65)));
    assert_eq!(told, "told paid, and no order in the ledger");
}

#[test]
fn payment_names_the_order_that_was_paid_for() {
    for (told, words) in [
        (OrderId::from_text("tea-1-2"), "told that the order tea-1-2 is paid for"),
        (OrderId::from_text("a\n\u{1b}"), "told that the order a\\n\\u{1b} is paid for"),
        (OrderId::untold(), "told paid, without an order"),
    ] {
        let mut scene = held();
        scene.history.payments[0].told = Some(Box::new(told));
        let [violation] = &scene.violations()[..] else { panic!("{:?}", scene.violations()) };
        assert_eq!(violation.invariant, Invariant::OrdersEndOnce);
        assert_eq!(violation.witnesses, [format!("{}: {words}", scene.id(0))]);
    }
}

#[test]
fn order_that_had_ended_before_the_run_stays_as_it_was() {
    let mut scene = expired();
    scene.make_earlier();
    scene.change_views(|_, sale| {
        (sale.stock_left, sale.orders) = (1, 2);
        (sale.held, sale.paid) = (Some(1), Some(1));
    });
    assert_eq!(scene.broken(), []);
    end(&mut scene, 0, OrderStatus::Cancelled, 14);
    let broken = scene.broken();
    assert!(broken.contains(&Invariant::OrdersEndOnce), "{broken:?}");
}

#[test]
fn timeline_tells_of_payments_and_of_the_end() {
    let mut scene = expired();
    pay(&mut scene, 2, PaymentAnswer::Paid, (80, 90));
    read(&mut scene, 2, OrderStatus::Held, (60, 65));
    let facts = Facts::gather(&scene.history, &scene.ledger, scene.settled);
    let mut found = scene.violations();
    explain(&facts, &mut found);
    let timeline = &found[0].timelines[0];
    let end = "+65.000 ms result read: won tea-1-3, held; +80.000 ms pays; +90.000 ms payment \
               answered: paid; ";
    assert!(timeline.contains(end), "{timeline}");
    assert!(timeline.ends_with("; +90076.000 ms order expired"), "{timeline}");
}

#[test]
fn deadline_decides_between_payment_and_expiry() {
    let broken = |change: &dyn Fn(&mut Scene)| {
        let mut scene = expired();
        change(&mut scene);
        let mut violations = scene.violations();
        // No buyer cancels, so an order that is cancelled breaks this one, too.
        let is_cancelled = |words: &String| words.ends_with("no buyer has cancelled it");
        violations.retain(|violation| !violation.witnesses.iter().all(is_cancelled));
        let [violation] = &violations[..] else { panic!("{violations:?}") };
        assert_eq!(violation.invariant, Invariant::DeadlinesHold);
        violation.witnesses[0].split_once(": ").unwrap().1.to_owned()
    };
    let early = broken(&|scene| end(scene, 2, OrderStatus::Expired, 29));
    assert_eq!(early, "expired before its deadline");
    let late = broken(&|scene| end(scene, 0, OrderStatus::Paid, 30));
    assert_eq!(late, "paid after its deadline");
    let late = broken(&|scene| end(scene, 2, OrderStatus::Cancelled, 30));
    assert_eq!(late, "cancelled after its deadline");
    let future = broken(&|scene| end(scene, 2, OrderStatus::Expired, 3_700_000));
    assert_eq!(future, "ended in the future");
    let other = broken(&|scene| {
        scene.row(1).order.as_mut().unwrap().held_until_us += 1;
    });
    assert_eq!(other, "held until another time than its decision and the hold");
}

#[test]
fn deadlines_that_buyers_see_need_more_than_clocks_differ() {
    let minutes = 60_000;
    let mut scene = held();
    pay(&mut scene, 1, PaymentAnswer::Paid, (2 * minutes, 2 * minutes + 1));
    end(&mut scene, 1, OrderStatus::Paid, 29);
    assert_eq!(scene.broken()[..1], [Invariant::DeadlinesHold]);
    // The unit comes back four minutes later than it may.
    let mut scene = held();
    scene.view((4 * minutes, 4 * minutes + 10), 0, 0);
    scene.change_views(|at, sale| {
        if at == 4 {
            (sale.hold_us, sale.held, sale.paid) = (Some(HOLD_US), Some(2), Some(1));
        }
    });
    scene.history.views = {
        // The state that shows that everything is decided was read late.
        let views: Vec<_> = scene.history.views.iter().cloned().collect();
        let mut kept = crate::history::Views::default();
        views.into_iter().enumerate().filter(|(at, _)| *at != 3).for_each(|(_, v)| kept.keep(v));
        kept
    };
    assert_eq!(scene.broken(), [Invariant::DeadlinesHold]);
}

#[test]
fn orders_of_each_buyer_that_take_a_unit_are_within_the_limit() {
    let mut scene = expired();
    // The buyer of the first order had the one that expired before.
    scene.row(2).uid = scene.row(0).uid.clone();
    let broken = scene.broken();
    assert!(!broken.contains(&Invariant::BuyerLimit), "{broken:?}");
    scene.row(1).uid = scene.row(0).uid.clone();
    assert!(scene.broken().contains(&Invariant::BuyerLimit));
}

#[test]
fn told_orders_are_no_oversell_without_a_ledger_unless_they_are_paid() {
    let gaps = Gaps { ledger: Some("status 500".to_owned()), ..Gaps::default() };
    let of = |history: &History| audit(history, None, &gaps).verdict;
    let mut scene = held();
    for number in 0..6 {
        scene.entry(number).answered = Answered::Accepted;
        scene.read(number, Some(order(number as u64 + 1)), (300, 310));
    }
    assert_eq!(of(&scene.history), Verdict::Unknown);
    (0..4).for_each(|number| pay(&mut scene, number, PaymentAnswer::Paid, (320, 330)));
    assert_eq!(of(&scene.history), Verdict::Fail);
}

#[test]
fn loser_below_the_limit_is_entitled_only_if_a_unit_was_always_left() {
    let mut scene = expired();
    assert!(matches!(scene.row(3).status, Status::Lost(Loss::SoldOut)));
    scene.set_stock(4);
    // One more unit than came back was left all the time.
    let broken = scene.broken();
    assert!(broken.contains(&Invariant::NoUnsoldStock), "{broken:?}");
}
