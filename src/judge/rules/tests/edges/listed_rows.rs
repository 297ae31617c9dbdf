//! What each fact that a source leaves out takes from the rules about single rows.

use crate::history::{Loss, Row, Status, Tells};
use crate::ids::RequestId;
use crate::judge::facts::Facts;
use crate::judge::invariant::Invariant;
use crate::judge::rules::orders::orders;
use crate::judge::rules::tests::scene::{Scene, order, server_us};

use super::listed::{ALL, NO_BUYERS, NO_IDS, NO_POSITIONS, broken, queue};

const NO_ITEMS: Tells = Tells { items: false, ..ALL };
const NO_TIMES: Tells = Tells { times: false, ..ALL };
const NO_STOCK: Tells = Tells { stock: false, ..ALL };
const NO_LIMIT: Tells = Tells { limit: false, ..ALL };

/// Changes a row.
type Change = dyn Fn(&mut Row);

/// Whether this invariant is broken in a run that was changed in this way.
fn breaks(invariant: Invariant, tells: Tells, change: impl Fn(&mut Scene)) -> bool {
    broken(tells, change).contains(&invariant)
}

/// Whether a row cannot be right that is different from what it was before the run.
fn is_changed(tells: Tells, change: impl Fn(&mut Row)) -> bool {
    breaks(Invariant::RowsSane, tells, |scene| {
        scene.make_earlier();
        change(scene.row(0));
    })
}

#[test]
fn described_shop_may_list_what_nobody_made() {
    let foreign = |scene: &mut Scene| {
        let mut row = scene.row(5).clone();
        (row.request_id, row.seq) = (RequestId::random(), 60);
        scene.ledger.rows.push(row);
    };
    assert!(breaks(Invariant::RowsSane, ALL, foreign));
    assert!(!breaks(Invariant::RowsSane, NO_ITEMS, foreign));
}

#[test]
fn rows_are_compared_with_those_before_the_run_as_far_as_they_are_told() {
    let changes: [(&Change, Tells); 4] = [
        (&|row| row.uid = "somebody".into(), NO_BUYERS),
        (&|row| row.seq += 1, NO_POSITIONS),
        (&|row| row.accepted_us += 1, NO_TIMES),
        (&|row| row.decided_us = Some(server_us(99)), NO_TIMES),
    ];
    for (change, untold) in changes {
        assert!(is_changed(ALL, change) && is_changed(NO_ITEMS, change), "{untold:?}");
        assert!(!is_changed(untold, change) && !is_changed(NO_IDS, change), "{untold:?}");
    }
    let coffee = |row: &mut Row| row.item = "coffee".into();
    assert!(is_changed(NO_ITEMS, coffee) && !is_changed(NO_IDS, coffee));
}

#[test]
fn rows_are_of_the_sale_where_their_items_are_told() {
    for (tells, expected) in [(ALL, true), (NO_TIMES, true), (NO_ITEMS, false)] {
        let found = breaks(Invariant::RowsSane, tells, |scene| {
            scene.row(0).item = "coffee".into();
            scene.make_earlier();
        });
        assert_eq!(found, expected, "{tells:?}");
    }
}

#[test]
fn positions_rise_where_they_are_told() {
    let swap = |scene: &mut Scene| scene.row(2).seq = 5;
    assert!(breaks(Invariant::RowsSane, NO_ITEMS, swap));
    assert!(!breaks(Invariant::RowsSane, NO_POSITIONS, swap));
}

#[test]
fn reason_of_a_loss_is_compared_where_stock_limit_and_buyers_are_told() {
    for (tells, expected) in
        [(NO_POSITIONS, true), (NO_STOCK, false), (NO_LIMIT, false), (NO_BUYERS, false)]
    {
        let found = breaks(Invariant::RowsSane, tells, |scene| {
            scene.row(5).status = Status::Lost(Loss::AlreadyBought);
        });
        assert_eq!(found, expected, "{tells:?}");
    }
}

#[test]
fn times_of_rows_are_possible_where_they_are_told() {
    let hour_us = 3_600_000_000;
    let decided = |scene: &mut Scene| scene.row(3).decided_us = Some(server_us(50) - hour_us);
    assert!(breaks(Invariant::RowsSane, NO_POSITIONS, decided));
    assert!(!breaks(Invariant::RowsSane, NO_TIMES, decided));
    let accepted = |scene: &mut Scene| {
        (scene.row(3).accepted_us, scene.row(3).decided_us) = (server_us(50) + hour_us, None);
    };
    assert!(breaks(Invariant::RowsSane, NO_POSITIONS, accepted));
    assert!(!breaks(Invariant::RowsSane, NO_TIMES, accepted));
    assert!(!breaks(Invariant::RowsSane, NO_IDS, accepted));
}

#[test]
fn buyer_before_the_run_is_compared_once() {
    let kept = |tells: Tells| {
        breaks(Invariant::EarlierKept, tells, |scene| {
            scene.make_earlier();
            scene.row(3).uid = "somebody".into();
        })
    };
    assert!(!kept(ALL), "that is a row that cannot be right");
    assert!(kept(NO_POSITIONS) && !kept(NO_BUYERS));
}

#[test]
fn rows_before_the_run_without_ids_are_those_of_the_same_decision() {
    let kept = |tells: Tells, change: &dyn Fn(&mut Scene)| {
        breaks(Invariant::EarlierKept, tells, |scene| {
            scene.make_earlier();
            change(scene);
        })
    };
    let is_gone = |scene: &mut Scene| drop(scene.ledger.rows.remove(3));
    let lost = |loss: Loss| move |scene: &mut Scene| scene.row(3).status = Status::Lost(loss);
    assert!(kept(ALL, &is_gone) && kept(NO_IDS, &is_gone));
    assert!(kept(ALL, &lost(Loss::Undeliverable)) && !kept(NO_IDS, &lost(Loss::Undeliverable)));
    assert!(kept(NO_IDS, &|scene| scene.row(3).status = order(4)));
    let was_queued = |scene: &mut Scene| {
        let id = scene.id(3);
        scene.history.before.get_mut(&id).unwrap().status = Status::Queued;
        scene.ledger.rows.remove(3);
    };
    assert!(kept(ALL, &was_queued) && !kept(NO_IDS, &was_queued));
}

#[test]
fn orders_without_ids_have_no_times() {
    let mut scene = Scene::new();
    scene.ledger.tells = NO_IDS;
    queue(&mut scene, 3);
    let id = scene.id(0);
    let row = scene.row(0).clone();
    scene.history.before.insert(id, row);
    let facts = Facts::gather(&scene.history, &scene.ledger, true);
    let mut found: Vec<_> = orders(&facts).iter().collect();
    found.sort_unstable_by_key(|order| order.row.seq);
    assert_eq!(found.iter().map(|order| order.row.seq).collect::<Vec<_>>(), [10, 20]);
    assert!(found.iter().all(|order| (order.from_us, order.by_us) == (0, u64::MAX)));
}

#[test]
fn loser_is_entitled_to_a_unit_that_is_left_if_the_loser_is_known() {
    for (tells, uid, expected) in
        [(NO_BUYERS, Some(""), false), (NO_BUYERS, None, true), (NO_POSITIONS, Some(""), true)]
    {
        let mut scene = Scene::new();
        scene.ledger.tells = tells;
        scene.set_stock(4);
        let id = scene.id(3).to_string();
        if let Some(uid) = uid {
            scene.row(3).uid = uid.into();
        }
        let unsold = scene.violations().into_iter().filter(|found| {
            found.invariant == Invariant::NoUnsoldStock && found.witnesses.contains(&id)
        });
        assert_eq!(unsold.count() == 1, expected, "{tells:?} {uid:?}");
    }
}
