//! Sources that tell only some things, where one fact more or less matters.

use crate::history::{Loss, Status, Tells};
use crate::judge::facts::Facts;
use crate::judge::invariant::Invariant;
use crate::judge::rules::tests::scene::Scene;

#[test]
fn buyer_without_an_order_is_below_a_limit_that_is_not_told() {
    for has_order in [false, true] {
        let mut scene = Scene::new();
        scene.set_stock(4);
        scene.ledger.tells.limit = false;
        if has_order {
            scene.row(3).uid = scene.row(0).uid.clone();
        }
        scene.row(3).status = Status::Lost(Loss::SoldOut);
        let loser = scene.id(3).to_string();
        let mut found = scene.violations().into_iter();
        let unsold = found.find(|found| found.invariant == Invariant::NoUnsoldStock);
        let is_named = unsold.is_some_and(|unsold| unsold.witnesses.contains(&loser));
        assert_eq!(is_named, !has_order);
    }
}

#[test]
fn clock_is_known_where_each_attempt_has_its_own_time() {
    let mut scene = Scene::new();
    for (times, request_ids) in [(true, true), (true, false), (false, true), (false, false)] {
        let tells = Tells { times, request_ids, ..Tells::EVERYTHING };
        scene.ledger.tells = tells;
        let facts = Facts::gather(&scene.history, &scene.ledger, true);
        assert_eq!(facts.clock.is_some(), times && request_ids, "{tells:?}");
    }
}

#[test]
fn orders_are_counted_by_buyer_where_their_buyers_are_known() {
    let mut scene = Scene::new();
    scene.row(1).uid = "".into();
    scene.row(2).uid = "".into();
    let first = scene.row(0).uid.clone();
    for (buyers, expected) in [(true, Some(2)), (false, None)] {
        scene.ledger.tells.buyers = buyers;
        let facts = Facts::gather(&scene.history, &scene.ledger, true);
        assert_eq!(facts.orders_of.get(&*first), Some(&1));
        assert_eq!(facts.orders_of.get("").copied(), expected, "{buyers}");
    }
}
