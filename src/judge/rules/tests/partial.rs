//! Sources of orders alone: what they leave open, and what they prove all the same.

use crate::history::{Found, Row, Status, attribute, buyer_by_uuid};
use crate::ids::OrderId;
use crate::judge::invariant::Invariant;
use crate::judge::verdict::Verdict;

use super::sources::{BUYERS, ORDER_IDS, SQL, broken, judge, right};

#[test]
fn results_that_still_say_queued_prove_nothing() {
    for tells in [BUYERS, ORDER_IDS, SQL] {
        let mut scene = right();
        scene.history.results.clear();
        scene.read(3, Some(Status::Queued), (300, 301));
        let audit = judge(scene, tells);
        assert_eq!((audit.verdict, audit.violations), (Verdict::Unknown, vec![]), "{tells:?}");
        let because = audit.because.unwrap();
        assert!(because.contains("1 attempts still say that they are queued"), "{because}");
    }
}

#[test]
fn nameless_orders_are_not_more_than_the_attempts_that_can_have_made_them() {
    let scene = || {
        let mut scene = right();
        scene.history.entries.truncate(2);
        scene.history.results.clear();
        scene
    };
    assert_eq!(broken(scene, false, true)[0], [Invariant::OrdersWereSent]);
}

#[test]
fn order_of_before_the_run_keeps_its_buyer() {
    let with = |buyer: &str| {
        let mut scene = right();
        let found =
            Found { buyer: Some("ann".into()), order_id: Some("E1".into()), ..Found::default() };
        let mut empty = scene.history.clone();
        (empty.sent, empty.entries) = (Vec::new(), Vec::new());
        let sale = scene.ledger.sale.clone();
        let before = attribute(vec![found], sale, SQL, &empty, &buyer_by_uuid);
        scene.history.begin_with(before);
        let order = Status::Won(OrderId::from_text("E1"));
        let row = Row { uid: buyer.into(), status: order, ..scene.ledger.rows[0].clone() };
        scene.ledger.rows.push(row);
        scene.history.expected_stock = Some(4);
        judge(scene, SQL).violations.iter().map(|of| of.invariant).collect::<Vec<_>>()
    };
    assert_eq!(with("ann"), []);
    assert_eq!(with("bob"), [Invariant::EarlierKept]);
}
