//! Orders of which buyers were told, and that the ledger does not have for them.

use crate::history::{Answered, Tells};
use crate::ids::{OrderId, RequestId};
use crate::judge::facts::Facts;
use crate::judge::invariant::Invariant;
use crate::judge::reconcile;
use crate::judge::rules::tests::scene::{Scene, order, order_id};
use crate::settings::Buyers;

/// A source that lists orders by their ids.
const ORDERS: Tells = Tells { order_ids: true, ..Tells::COUNT };

/// A source that lists orders by their buyers.
const BUYERS: Tells = Tells { buyers: true, ..Tells::COUNT };

/// A run in which the losers were told of these orders; the ledger has rows of the winners only.
fn told(tells: Tells, orders: [OrderId; 2]) -> Scene {
    let mut scene = Scene::with_buyers(Buyers::Thread);
    scene.ledger.tells = tells;
    scene.ledger.rows.truncate(3);
    for (number, order) in (3..).zip(orders) {
        scene.entry(number).answered = Answered::Won(Box::new(order));
    }
    scene.history.entries.truncate(5);
    scene
}

/// The orders and the attempts that are missing: these by their numbers in the scene.
fn missing(scene: &Scene) -> (usize, Vec<usize>) {
    let facts = Facts::gather(&scene.history, &scene.ledger, true);
    let attempts = scene.history.entries.iter().map(|entry| entry.attempt);
    let ids = attempts.map(|attempt| scene.history.ids.request_id(attempt));
    let numbered = ids.enumerate().filter(|(_, id)| facts.missing.contains(id));
    let numbers: Vec<usize> = numbered.map(|(number, _)| number).collect();
    assert_eq!(facts.missing.len(), numbers.len(), "{:?}", facts.missing);
    (facts.only_told.len(), numbers)
}

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

#[test]
fn order_with_an_id_is_one_of_all_attempts_and_without_an_id_one_of_each() {
    for tells in [Tells::EVERYTHING, ORDERS] {
        for (order, expected) in [(order_id(9), 1), (OrderId::untold(), 2)] {
            let scene = told(tells, [order.clone(), order.clone()]);
            let orders = Facts::gather(&scene.history, &scene.ledger, true).only_told;
            assert_eq!(orders.len(), expected, "{order} {tells:?}");
        }
    }
}

#[test]
fn order_of_another_attempt_is_missing_for_those_of_this_run() {
    let mut scene = told(ORDERS, [order_id(1), order_id(4)]);
    scene.row(2).status = order(4);
    scene.history.entries.truncate(4);
    assert_eq!(missing(&scene), (0, vec![3]));
    // The attempt of an earlier run may have got another id since.
    let mut scene = told(ORDERS, [order_id(1), order_id(2)]);
    scene.history.entries.truncate(3);
    let mut row = scene.row(0).clone();
    row.request_id = RequestId::random();
    scene.history.before.insert(row.request_id, row);
    assert_eq!(missing(&scene), (0, vec![]));
}

#[test]
fn order_is_missing_of_a_buyer_who_has_none_though_others_have_more() {
    let mut scene = told(BUYERS, [OrderId::untold(), OrderId::untold()]);
    scene.history.entries.truncate(4);
    let mut row = scene.row(0).clone();
    (row.request_id, row.uid) = (RequestId::random(), "ann".into());
    scene.ledger.rows.push(row);
    assert_eq!(missing(&scene), (1, vec![3]));
    scene.ledger.tells.buyers = false;
    assert_eq!(missing(&scene), (0, vec![]));
}

#[test]
fn order_before_the_run_may_be_that_of_another_attempt_of_its_buyer() {
    let mut scene = told(BUYERS, [OrderId::untold(), OrderId::untold()]);
    let mut row = scene.row(0).clone();
    row.request_id = RequestId::random();
    let attempt = scene.entry(3).attempt;
    row.uid = scene.history.ids.buyer(attempt).to_string().into();
    scene.history.before.insert(row.request_id, row.clone());
    scene.ledger.rows.push(row);
    assert_eq!(missing(&scene), (1, vec![4]));
}
