//! Attempts that the ledger of a replaced sale does not have, and the stock that was expected.

use crate::judge::invariant::Invariant;
use crate::judge::rules::tests::scene::Scene;

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
