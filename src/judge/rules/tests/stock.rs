//! Units and orders add up.

use crate::judge::invariant::Invariant;
use crate::judge::rules::tests::scene::Scene;

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
