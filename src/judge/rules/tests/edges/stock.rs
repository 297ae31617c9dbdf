//! Orders that buyers were told of and that the ledger does not have.

use crate::judge::invariant::Invariant;
use crate::judge::reconcile;
use crate::judge::rules::tests::scene::{Scene, order};

#[test]
fn order_is_counted_once_however_often_it_was_told() {
    // Three orders are as many as there are units, and the first of them is in the ledger.
    for (told, above) in [([1, 1], 0), ([9, 9], 1), ([8, 9], 2)] {
        let mut scene = Scene::new();
        for number in told {
            scene.read(3, Some(order(number)), (300, 301));
        }
        let audit = reconcile(&scene.history, &scene.ledger, true);
        assert_eq!((audit.orders, audit.oversold), (Some(3 + above), above), "{told:?}");
        let mut found = audit.violations.iter();
        let oversold = found.find(|found| found.invariant == Invariant::NeverOversold);
        assert_eq!(oversold.map_or(0, |found| found.count), above, "{told:?}");
    }
}
