//! Units and orders add up.

use crate::history::Answered;
use crate::judge::invariant::Invariant;
use crate::judge::rules::tests::scene::{Scene, order_id};

#[test]
fn units_and_orders_add_up_before_the_run() {
    let mut scene = Scene::new();
    scene.make_earlier();
    assert_eq!(scene.broken(), []);
    let before = scene.history.sale_before.as_mut().unwrap();
    before.stock_left = 1;
    assert_eq!(scene.broken(), [Invariant::StockConserved]);
    let witnesses = &scene.violations()[0].witnesses;
    assert_eq!(witnesses, &["stock 3, left 1, orders 3 before the run"]);
}

#[test]
fn units_and_orders_of_each_state_add_up() {
    let scene = Scene::with_view(1, |sale| sale.stock_left += 1);
    assert_eq!(scene.broken(), [Invariant::StockConserved]);
    assert_eq!(scene.violations()[0].witnesses, ["stock 3, left 2, orders 2 at 32 ms"]);
}

#[test]
fn orders_that_buyers_were_told_of_count_without_a_row() {
    let mut scene = Scene::new();
    let told = Answered::Won(Box::new(order_id(4)));
    scene.entry(5).answered = told.clone();
    scene.ledger.rows.remove(5);
    assert_eq!(scene.broken(), [Invariant::NeverOversold, Invariant::AcceptedKept]);
    assert_eq!(scene.violations()[0].witnesses, [format!("told of order {}", order_id(4))]);
    // One that the ledger has as another attempt's is no order more.
    scene.entry(5).answered = Answered::Won(Box::new(order_id(1)));
    assert_eq!(scene.broken(), [Invariant::AcceptedKept]);
    // In another sale of the item there are other units.
    scene.entry(5).answered = told;
    scene.change_views(|at, sale| sale.epoch = if at == 3 { 2 } else { 1 });
    assert!(!scene.broken().contains(&Invariant::NeverOversold));
}
