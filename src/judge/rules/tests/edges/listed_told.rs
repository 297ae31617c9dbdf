//! What each fact that a source leaves out takes from the rules about what buyers were told.

use crate::history::{Answered, AttemptNo, Ids, Loss, Refused, Status, Tells};
use crate::judge::facts::Facts;
use crate::judge::invariant::Invariant;
use crate::judge::rules::hours::CertainlyOpen;
use crate::judge::rules::losses::losses;
use crate::judge::rules::tests::scene::{Scene, order};
use crate::settings::Buyers;

use super::listed::{ALL, NO_ATTEMPTS, NO_IDS, NO_POSITIONS, NOT_ONCE, broken};

const LOST: Status = Status::Lost(Loss::SoldOut);

/// Whether this result of an attempt is called false.
fn is_false(tells: Tells, number: usize, status: Option<Status>, has_row: bool) -> bool {
    let found = broken(tells, |scene| {
        scene.read(number, status, (300, 310));
        if !has_row {
            scene.ledger.rows.remove(number);
        }
    });
    found.contains(&Invariant::ResultsTrue)
}

#[test]
fn result_without_a_row_is_false_where_each_attempt_has_its_row() {
    for status in [LOST, Status::Queued] {
        for (tells, expected) in [(NO_POSITIONS, true), (NO_ATTEMPTS, false), (NO_IDS, false)] {
            // One that was accepted is missing instead.
            assert!(!is_false(tells, 3, Some(status.clone()), false), "{tells:?}");
            assert_eq!(is_false(tells, 5, Some(status.clone()), false), expected, "{tells:?}");
        }
    }
}

#[test]
fn order_that_a_result_tells_of_may_be_newer_than_the_ledger() {
    for (tells, is_settled, expected) in [
        (NO_POSITIONS, false, true),
        (NO_ATTEMPTS, true, true),
        (NO_ATTEMPTS, false, false),
        (NO_IDS, true, true),
        (NO_IDS, false, false),
    ] {
        let found = broken(tells, |scene| {
            scene.settled = is_settled;
            scene.read(5, Some(order(4)), (300, 310));
            scene.ledger.rows.remove(5);
        });
        let found = found.contains(&Invariant::ResultsTrue);
        assert_eq!(found, expected, "{tells:?} {is_settled}");
    }
}

#[test]
fn result_beside_a_row_without_an_id_is_an_order_or_none() {
    for (number, status, expected) in [
        (3, None, false),
        (3, Some(Status::Queued), false),
        (3, Some(Status::Lost(Loss::AlreadyBought)), false),
        (3, Some(order(4)), true),
        (0, None, false),
        (0, Some(Status::Queued), false),
        (0, Some(LOST), true),
        (0, Some(order(1)), false),
        (0, Some(order(2)), true),
    ] {
        let is_right = number == 0 && status == Some(order(1));
        assert_eq!(is_false(NO_POSITIONS, number, status.clone(), true), !is_right, "{status:?}");
        assert_eq!(is_false(NO_IDS, number, status.clone(), true), expected, "{status:?}");
    }
}

#[test]
fn result_may_tell_of_the_order_of_another_request() {
    assert!(is_false(NO_POSITIONS, 0, Some(order(2)), true));
    assert!(!is_false(NOT_ONCE, 0, Some(order(2)), true));
    assert!(is_false(NOT_ONCE, 0, Some(order(9)), true));
}

#[test]
fn loss_has_the_reason_of_its_row_or_that_which_was_told() {
    let count = |tells: Tells, row: Option<Status>, reason: Loss| {
        let mut scene = Scene::new();
        scene.ledger.tells = tells;
        match row {
            Some(status) => scene.row(4).status = status,
            None => drop(scene.ledger.rows.remove(4)),
        }
        losses(&Facts::gather(&scene.history, &scene.ledger, true), reason).count()
    };
    let other = Some(Status::Lost(Loss::Undeliverable));
    assert_eq!(count(NO_POSITIONS, other.clone(), Loss::SoldOut), 0);
    assert_eq!(count(NO_IDS, other.clone(), Loss::SoldOut), 1);
    assert_eq!(count(NO_IDS, other, Loss::Undeliverable), 0);
    assert_eq!(count(NO_IDS, Some(order(4)), Loss::SoldOut), 0);
    assert_eq!(count(NO_POSITIONS, None, Loss::SoldOut), 0);
    assert_eq!(count(NO_ATTEMPTS, None, Loss::SoldOut), 1);
    assert_eq!(count(NO_ATTEMPTS, None, Loss::Undeliverable), 0);
}

#[test]
fn acceptance_shows_that_the_sale_is_open_where_earlier_attempts_are_known() {
    for (tells, expected) in [
        (ALL, true),
        (NO_POSITIONS, true),
        (NO_ATTEMPTS, false),
        (NO_IDS, false),
        (Tells { attempts: false, ..NO_IDS }, false),
    ] {
        let mut scene = Scene::new();
        scene.history.views = Default::default();
        scene.ledger.tells = tells;
        let open = CertainlyOpen::of(&Facts::gather(&scene.history, &scene.ledger, true));
        assert_eq!(open.had_opened(10_000_000), expected, "{tells:?}");
        assert_eq!(open.had_not_closed(0), expected, "{tells:?}");
    }
}

#[test]
fn units_before_the_run_are_known_with_the_queued_attempts() {
    // The third winner was sent later, and two attempts cannot have taken three units.
    for (tells, expected) in
        [(NO_POSITIONS, 2), (NO_ATTEMPTS, 1), (Tells { stock: false, ..ALL }, 1)]
    {
        let mut scene = Scene::new();
        scene.history.views = Default::default();
        scene.ledger.tells = tells;
        scene.refuse(Refused::SoldOut, 22, 28);
        let mut found = scene.violations().into_iter();
        let told = found.find(|found| found.invariant == Invariant::SoldOutTrue);
        assert_eq!(told.map(|told| told.count), Some(expected), "{tells:?}");
    }
}

#[test]
fn loss_before_the_run_says_nothing_of_a_described_shop_or_of_units_that_come_back() {
    for (tells, hold_us, expected) in
        [(ALL, None, true), (NO_POSITIONS, None, false), (ALL, Some(1), false)]
    {
        let found = broken(tells, |scene| {
            let mut row = scene.row(5).clone();
            let ids = Ids::new(9, Buyers::New).unmarked();
            row.request_id = ids.request_id(AttemptNo { thread: 0, index: 0 });
            row.seq = 60;
            scene.history.before.insert(row.request_id, row.clone());
            scene.ledger.rows.push(row);
            scene.ledger.sale.hold_us = hold_us;
        });
        let found = found.contains(&Invariant::SoldOutTrue);
        assert_eq!(found, expected, "{tells:?} {hold_us:?}");
    }
}

#[test]
fn attempt_that_lost_before_the_run_may_be_refused_by_a_described_shop() {
    let refuses = |tells: Tells, status: Status| {
        let mut scene = Scene::new();
        let entry = scene.entry(4);
        assert_eq!(entry.answered, Answered::Lost(Loss::SoldOut));
        let attempt = entry.attempt;
        scene.row(4).status = status;
        scene.make_earlier();
        scene.history.ids = Ids::new(7, Buyers::New).unmarked();
        scene.ledger.tells = tells;
        scene.refuse_again(Refused::SoldOut, attempt, (1, 2));
        scene.broken().contains(&Invariant::IdsAnsweredOnce)
    };
    assert!(refuses(ALL, LOST) && !refuses(NO_POSITIONS, LOST));
    assert!(refuses(NO_POSITIONS, order(4)) && !refuses(NOT_ONCE, order(4)));
}

#[test]
fn buyer_who_was_told_sold_out_and_has_an_order_wants_no_unit_that_is_left() {
    let told = |has_order: bool| {
        move |scene: &mut Scene| {
            scene.set_stock(4);
            let uid = scene.row(4).uid.clone();
            scene.ledger.rows.truncate(3);
            if has_order {
                scene.row(0).uid = uid;
            }
        }
    };
    let unsold = |has_order| broken(NO_ATTEMPTS, told(has_order));
    assert!(unsold(false).contains(&Invariant::NoUnsoldStock));
    assert!(!unsold(true).contains(&Invariant::NoUnsoldStock));
}
