//! Attempts that the ledger of a replaced sale does not have, the stock that was expected, and
//! orders that were told of other attempts than theirs.

use crate::history::Status;
use crate::judge::invariant::{Invariant, Violation};
use crate::judge::rules::tests::scene::{Scene, order};

/// A run during which another sale was opened, and an attempt that has no row. It was answered at
/// 55 ms, and its result was not known to a request that was sent at this moment.
fn replaced(sent_ms: u64) -> Scene {
    let mut scene = Scene::new();
    scene.change_views(|at, sale| sale.epoch = if at == 3 { 2 } else { 1 });
    scene.read(3, None, (sent_ms, 400));
    scene.ledger.rows.remove(3);
    scene
}

#[test]
fn attempt_at_a_replaced_sale_is_lost_if_its_result_is_not_known_afterwards() {
    assert_eq!(replaced(54).broken(), []);
    assert_eq!(replaced(55).broken(), []);
    assert_eq!(replaced(56).broken(), [Invariant::AcceptedKept]);
}

#[test]
fn sale_has_the_stock_that_was_expected() {
    let mut scene = Scene::new();
    scene.history.expected_stock = Some(3);
    assert_eq!(scene.broken(), []);
    scene.history.expected_stock = Some(4);
    assert_eq!(scene.broken(), [Invariant::StockExpected]);
}

/// A run that is not settled, in which this order was told of the attempt that is still queued.
fn told(number: u64) -> Scene {
    let mut scene = Scene::new();
    scene.settled = false;
    scene.row(3).status = Status::Queued;
    scene.row(3).decided_us = None;
    scene.read(3, Some(order(number)), (300, 310));
    scene
}

#[test]
fn order_of_another_attempt_is_not_told() {
    assert!(told(1).broken().contains(&Invariant::OrderIdsUnique));
    assert!(!told(9).broken().contains(&Invariant::OrderIdsUnique));
}

#[test]
fn order_of_an_attempt_with_two_rows_is_its_own() {
    let mut scene = told(9);
    let mut won = scene.row(3).clone();
    won.status = order(9);
    scene.ledger.rows.insert(0, won);
    assert!(!scene.broken().contains(&Invariant::OrderIdsUnique));
}

#[test]
fn order_of_two_attempts_counts_once_though_it_was_told_as_well() {
    let mut scene = Scene::new();
    scene.row(1).status = order(1);
    scene.read(0, Some(order(1)), (300, 310));
    let found = scene.violations();
    let of_orders = |one: &&Violation| one.invariant == Invariant::OrderIdsUnique;
    assert_eq!(found.iter().find(of_orders).map(|one| one.count), Some(1), "{found:?}");
}
