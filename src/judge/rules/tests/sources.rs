//! Sources that tell only some things: a right run passes, and what they tell proves what is wrong.

use crate::history::{
    Answered, Found, FoundStatus, Refused, Row, Status, Tells, attribute, buyer_by_uuid,
};
use crate::ids::OrderId;
use crate::judge::invariant::Invariant;
use crate::judge::reconcile::reconcile;
use crate::judge::verdict::{Audit, Verdict};

use super::scene::{Scene, order};

const COUNT: Tells = Tells::COUNT;
pub(super) const BUYERS: Tells = Tells { buyers: true, ..COUNT };
pub(super) const ORDER_IDS: Tells = Tells { order_ids: true, ..COUNT };
pub(super) const SQL: Tells = Tells { buyers: true, order_ids: true, ..COUNT };
const SOURCES: [Tells; 4] = [COUNT, BUYERS, ORDER_IDS, SQL];

/// Judges a scene from a source of orders that tells only this.
pub(super) fn judge(mut scene: Scene, tells: Tells) -> Audit {
    let is_listed = |status: &Status| tells.attempts || status.order_id().is_some();
    let rows = scene.ledger.rows.iter().filter(|row| is_listed(&row.status));
    let found = rows.map(|row| Found {
        buyer: tells.buyers.then(|| row.uid.clone()),
        order_id: row.status.order_id().filter(|_| tells.order_ids).map(|id| id.as_str().into()),
        status: match &row.status {
            Status::Won(_) => FoundStatus::Won,
            Status::Lost(loss) => FoundStatus::Lost(*loss),
            Status::Queued => FoundStatus::Queued,
        },
        ..Found::default()
    });
    let mut sale = scene.ledger.sale.clone();
    if !tells.stock {
        (sale.stock, sale.stock_left) = (0, -9);
    }
    if !tells.limit {
        sale.per_buyer = u32::MAX;
    }
    scene.history.tells_before = tells;
    let ledger = attribute(found.collect(), sale, tells, &scene.history, &buyer_by_uuid);
    reconcile(&scene.history, &ledger, scene.settled)
}

/// What is broken, from each of the sources, with the units left and the limit told or not.
pub(super) fn broken(scene: impl Fn() -> Scene, stock: bool, limit: bool) -> [Vec<Invariant>; 4] {
    SOURCES.map(|tells| {
        let audit = judge(scene(), Tells { stock, limit, ..tells });
        audit.violations.iter().map(|violation| violation.invariant).collect()
    })
}

/// The usual run; its stock was told by whoever asked for the run.
pub(super) fn right() -> Scene {
    let mut scene = Scene::new();
    scene.history.expected_stock = Some(3);
    scene
}

#[test]
fn right_run_passes_from_every_source() {
    for (stock, limit) in [(false, false), (false, true), (true, false), (true, true)] {
        for tells in SOURCES {
            let audit = judge(right(), Tells { stock, limit, ..tells });
            assert_eq!((audit.verdict, audit.violations), (Verdict::Pass, vec![]), "{tells:?}");
            assert_eq!(audit.stock_left, stock.then_some(0));
            let all = audit.checked.len() + audit.not_checked.len();
            assert_eq!(all, Invariant::ALL.len());
            assert!(
                (2..Invariant::ALL.len()).contains(&audit.checked.len()),
                "{:?}",
                audit.checked
            );
        }
    }
}

#[test]
fn nothing_is_concluded_about_an_oversell_without_any_stock() {
    for tells in SOURCES {
        let audit = judge(Scene::new(), tells);
        assert_eq!((audit.verdict, audit.stock), (Verdict::Unknown, None));
        let because = audit.because.unwrap_or_default();
        assert!(because.contains("the stock is not known"), "{because}");
        let never = audit.not_checked.iter().find(|of| of.invariant == Invariant::NeverOversold);
        assert!(never.is_some_and(|of| of.because.contains("neither the stock")), "{never:?}");
    }
}

#[test]
fn orders_above_the_stock_are_found_from_every_source() {
    let oversold = || {
        let mut scene = right();
        scene.row(3).status = order(4);
        scene
    };
    for stock in [false, true] {
        for broken in broken(oversold, stock, true) {
            assert!(broken.contains(&Invariant::NeverOversold), "{broken:?}");
        }
    }
}

#[test]
fn order_that_was_told_and_is_not_there_is_found_from_every_source() {
    // The second buyer was told of order 2. The others were accepted, and may have lost.
    let without = || {
        let mut scene = right();
        scene.ledger.rows.remove(1);
        scene
    };
    let lone = || {
        let mut scene = without();
        scene.ledger.rows.clear();
        scene
    };
    let expected = [Invariant::AcceptedKept];
    let [count, buyers, order_ids, sql] = broken(without, false, true);
    assert_eq!((buyers, order_ids, sql), (expected.into(), expected.into(), expected.into()));
    assert_eq!(count, [], "the other two orders may be the one that was told");
    assert_eq!(broken(lone, false, true)[0], expected);
}

#[test]
fn order_of_a_refused_or_lost_attempt_is_found_where_its_buyer_is_told() {
    let refused = || {
        let mut scene = right();
        let attempt = scene.refuse(Refused::Other, 62, 64);
        let mut row = scene.row(2).clone();
        row.request_id = scene.history.ids.request_id(attempt);
        row.uid = scene.history.ids.buyer(attempt).to_string().into();
        *scene.row(2) = row;
        scene
    };
    let expected = vec![Invariant::RefusalsHold];
    assert_eq!(broken(refused, true, true), [vec![], expected.clone(), vec![], expected]);
    let lost = || {
        let mut scene = right();
        let status = scene.row(2).status.clone();
        (scene.row(2).status, scene.row(4).status) = (scene.row(4).status.clone(), status);
        scene
    };
    let expected = vec![Invariant::AnswersTrue];
    assert_eq!(broken(lost, true, true), [vec![], expected.clone(), vec![], expected]);
}

#[test]
fn buyer_above_the_limit_is_found_where_both_are_told() {
    let twice = || {
        let mut scene = right();
        scene.row(2).uid = scene.row(0).uid.clone();
        scene
    };
    for tells in [BUYERS, SQL] {
        for limit in [true, false] {
            let audit = judge(twice(), Tells { limit, ..tells });
            let broken: Vec<_> = audit.violations.iter().map(|of| of.invariant).collect();
            assert_eq!(broken.contains(&Invariant::BuyerLimit), limit);
            // The buyer made one attempt only.
            assert!(broken.contains(&Invariant::OrdersWereSent), "{broken:?}");
        }
    }
}

#[test]
fn lost_units_are_found_where_the_units_left_are_told() {
    let lost = || {
        let mut scene = right();
        scene.ledger.rows.truncate(2);
        scene.ledger.rows.swap(0, 1);
        scene
    };
    for broken in broken(lost, true, true) {
        assert_eq!(broken, [Invariant::StockConserved]);
    }
    for broken in broken(lost, false, true) {
        assert_eq!(broken, []);
    }
}

#[test]
fn buyer_who_was_told_sold_out_while_units_are_left_is_found() {
    let left = || {
        let mut scene = right();
        scene.set_stock(4);
        scene.history.expected_stock = Some(4);
        scene.entry(5).answered = Answered::Accepted;
        scene
    };
    let unsold = vec![Invariant::NoUnsoldStock];
    assert_eq!(broken(left, true, true), [vec![], unsold.clone(), vec![], unsold]);
    let refused = || {
        let mut scene = left();
        scene.entry(4).answered = Answered::Accepted;
        scene.refuse(Refused::SoldOut, 100, 110);
        scene
    };
    for broken in broken(refused, true, true) {
        assert_eq!(broken, [Invariant::SoldOutTrue]);
    }
    // A reason of the shop's own says nothing about the units.
    let other = || {
        let mut scene = left();
        scene.entry(4).answered = Answered::Accepted;
        scene.refuse(Refused::Other, 100, 110);
        scene
    };
    for broken in broken(other, true, true) {
        assert_eq!(broken, []);
    }
}

#[test]
fn results_are_contradicted_by_orders_and_not_by_missing_rows() {
    let told = |status: Status| {
        let mut scene = right();
        scene.read(0, Some(status), (300, 310));
        scene
    };
    let lost = || told(Status::Lost(crate::history::Loss::Unstated));
    let expected = vec![Invariant::ResultsTrue];
    assert_eq!(broken(lost, true, true), [vec![], expected.clone(), vec![], expected]);
    let lost = Some(Status::Lost(crate::history::Loss::SoldOut));
    for (number, status) in [
        (3, Some(Status::Queued)),
        (3, lost.clone()),
        // It got no answer.
        (5, lost),
        // What is shown as its row may be another attempt's.
        (0, Some(Status::Queued)),
        (0, None),
    ] {
        let without = || {
            let mut scene = right();
            scene.read(number, status.clone(), (300, 310));
            scene
        };
        assert_eq!(broken(without, true, true), [const { Vec::new() }; 4], "{number} {status:?}");
    }
}

#[test]
fn row_without_an_id_may_be_of_an_attempt_that_was_queued_before_the_run() {
    let tells = Tells { attempts: true, ..BUYERS };
    let contradicts = |before: FoundStatus| {
        let mut scene = right();
        let buyer = scene.row(0).uid.clone();
        let (sale, mut empty) = (scene.ledger.sale.clone(), scene.history.clone());
        (empty.sent, empty.entries) = (Vec::new(), Vec::new());
        let found = Found { buyer: Some(buyer), status: before, ..Found::default() };
        let earlier = attribute(vec![found], sale, tells, &empty, &buyer_by_uuid);
        scene.history.begin_with(earlier);
        let queued = Row { status: Status::Queued, ..scene.row(0).clone() };
        scene.ledger.rows.push(queued);
        scene.read(0, Some(Status::Lost(crate::history::Loss::SoldOut)), (300, 310));
        let audit = judge(scene, tells);
        audit.violations.iter().any(|of| of.invariant == Invariant::ResultsTrue)
    };
    assert!(!contradicts(FoundStatus::Queued));
    assert!(contradicts(FoundStatus::Lost(crate::history::Loss::SoldOut)));
}

#[test]
fn order_before_the_run_that_is_gone_is_found() {
    for tells in [COUNT, BUYERS, ORDER_IDS] {
        let mut scene = right();
        let audit = judge(scene_before(&mut scene, tells), tells);
        let broken: Vec<_> = audit.violations.iter().map(|of| of.invariant).collect();
        assert!(broken.contains(&Invariant::EarlierKept), "{tells:?}: {broken:?}");
    }
}

/// The scene after a reading of all of its orders, of which one is gone.
fn scene_before(scene: &mut Scene, tells: Tells) -> Scene {
    let mut earlier = Scene::new();
    earlier.history.sent.clear();
    earlier.history.entries.clear();
    let rows = scene.ledger.rows.iter().filter(|row| row.status.order_id().is_some());
    let found = rows.map(|row| Found {
        buyer: tells.buyers.then(|| row.uid.clone()),
        order_id: row.status.order_id().filter(|_| tells.order_ids).map(|id| id.as_str().into()),
        ..Found::default()
    });
    let sale = scene.ledger.sale.clone();
    let before = attribute(found.collect(), sale, tells, &earlier.history, &buyer_by_uuid);
    let mut after = right();
    after.history.begin_with(before);
    after.history.entries.clear();
    after.ledger.rows.remove(0);
    after
}

#[test]
fn accepted_buyers_without_an_order_while_units_are_left_prove_nothing() {
    let mut scene = right();
    // One of the orders is not made, and its unit is left.
    let won = scene.ledger.rows.iter().position(|row| row.status.order_id().is_some()).unwrap();
    let row = scene.ledger.rows.remove(won);
    let attempt = scene.history.ids.attempt(&row.request_id).unwrap();
    let entry = scene.history.entries.iter_mut().find(|entry| entry.attempt == attempt).unwrap();
    entry.answered = Answered::Accepted;
    scene.history.entries.retain(|entry| !matches!(entry.answered, Answered::Lost(_)));
    scene.history.results.clear();
    scene.history.refusals = Default::default();
    scene.ledger.sale.stock_left += 1;
    let audit = judge(scene, Tells { stock: true, ..BUYERS });
    assert_eq!((audit.verdict, &audit.violations[..]), (Verdict::Unknown, &[][..]), "{audit:?}");
    let because = audit.because.unwrap();
    assert!(because.contains("have no order although 1 units are left"), "{because}");
}

#[test]
fn each_request_of_an_attempt_may_have_an_order_where_nobody_promises_otherwise() {
    let scene = || {
        let mut scene = right();
        bought_twice(&mut scene);
        scene
    };
    let judge = |once| judge(scene(), Tells { once, ..SQL });
    assert_eq!((judge(false).verdict, judge(false).violations), (Verdict::Pass, vec![]));
    assert_eq!(judge(true).verdict, Verdict::Fail);
}

fn bought_twice(scene: &mut Scene) {
    // Both requests of a double click have an order, and both were told.
    let won = scene.ledger.rows.iter().position(|row| row.status.order_id().is_some()).unwrap();
    let first = scene.ledger.rows[won].clone();
    let attempt = scene.history.ids.attempt(&first.request_id).unwrap();
    let entry = scene.history.entries.iter().find(|entry| entry.attempt == attempt).unwrap();
    let mut twin = entry.clone();
    twin.answered = Answered::Won(Box::new(OrderId::from_text("twin")));
    scene.history.entries.push(twin);
    scene.ledger.rows.push(Row { status: Status::Won(OrderId::from_text("twin")), ..first });
    scene.history.expected_stock = Some(4);
    scene.history.results.clear();
}
