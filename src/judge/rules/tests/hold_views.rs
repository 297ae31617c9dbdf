//! The last state of a sale that holds its orders, beside the ledger that was read before it.

use crate::judge::invariant::Invariant;
use crate::judge::rules::tests::scene::Scene;

use super::holds::held;

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
