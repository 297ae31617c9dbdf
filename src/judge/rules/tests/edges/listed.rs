//! What each fact that a source leaves out takes from the rules, and what it leaves to them.

use crate::history::{Answered, Loss, Refused, Status, Tells};
use crate::ids::RequestId;
use crate::judge::invariant::Invariant;
use crate::judge::rules::tests::scene::{Scene, order, order_id};

pub(super) const ALL: Tells = Tells::EVERYTHING;
pub(super) const NO_ATTEMPTS: Tells = Tells { attempts: false, ..ALL };
pub(super) const NO_IDS: Tells = Tells { request_ids: false, ..ALL };
pub(super) const NO_BUYERS: Tells = Tells { buyers: false, ..ALL };
pub(super) const NO_NAMES: Tells = Tells { request_ids: false, ..NO_BUYERS };
pub(super) const NO_POSITIONS: Tells = Tells { positions: false, ..ALL };
pub(super) const NOT_ONCE: Tells = Tells { once: false, ..ALL };

/// What is broken in a run that was changed in this way, from a source that tells only this.
pub(super) fn broken(tells: Tells, change: impl FnOnce(&mut Scene)) -> Vec<Invariant> {
    let mut scene = Scene::new();
    scene.ledger.tells = tells;
    change(&mut scene);
    scene.broken()
}

pub(super) fn queue(scene: &mut Scene, number: usize) {
    (scene.row(number).status, scene.row(number).decided_us) = (Status::Queued, None);
}

#[test]
fn right_run_breaks_nothing_whatever_its_source_leaves_out() {
    for tells in [NO_ATTEMPTS, NO_IDS, NO_BUYERS, NO_NAMES, NO_POSITIONS, NOT_ONCE, Tells::COUNT] {
        assert_eq!(broken(tells, |_| {}), [], "{tells:?}");
    }
}

#[test]
fn loss_without_an_id_may_be_another_one_of_its_buyer() {
    let told_otherwise =
        |scene: &mut Scene| scene.entry(4).answered = Answered::Lost(Loss::Undeliverable);
    assert_eq!(broken(NO_POSITIONS, told_otherwise), [Invariant::AnswersTrue]);
    assert_eq!(broken(NO_IDS, told_otherwise), []);
    let still_queued = |scene: &mut Scene| queue(scene, 4);
    let expected = [Invariant::AcceptedDecided, Invariant::AnswersTrue];
    assert_eq!(broken(NO_POSITIONS, still_queued), expected);
    assert_eq!(broken(NO_IDS, still_queued), []);
}

#[test]
fn order_that_was_told_may_be_that_of_another_request() {
    let told = |number: u64| {
        move |scene: &mut Scene| {
            scene.entry(1).answered = Answered::Won(Box::new(order_id(number)));
        }
    };
    assert_eq!(broken(NO_POSITIONS, told(1)), [Invariant::AnswersTrue]);
    assert_eq!(broken(NOT_ONCE, told(1)), []);
    assert_eq!(broken(NOT_ONCE, told(9)), [Invariant::AnswersTrue]);
}

#[test]
fn buyer_of_a_row_is_compared_where_the_row_has_one() {
    for (tells, uid, expected) in [
        (NO_BUYERS, "ann", true),
        (NO_BUYERS, "", false),
        (NO_POSITIONS, "ann", true),
        (NO_POSITIONS, "", true),
    ] {
        let found = broken(tells, |scene| scene.row(3).uid = uid.into());
        assert_eq!(found.contains(&Invariant::AnswersTrue), expected, "{tells:?} {uid}: {found:?}");
    }
}

#[test]
fn attempts_are_all_decided_where_all_are_listed_with_their_ids() {
    for (tells, expected) in
        [(ALL, true), (NO_POSITIONS, true), (NO_ATTEMPTS, false), (NO_IDS, false)]
    {
        let found = broken(tells, |scene| queue(scene, 3));
        assert_eq!(found.contains(&Invariant::AcceptedDecided), expected, "{tells:?}: {found:?}");
    }
}

#[test]
fn order_of_another_attempt_is_known_as_such_by_the_ids_of_rows() {
    let told = |scene: &mut Scene| {
        scene.settled = false;
        queue(scene, 3);
        scene.read(3, Some(order(1)), (300, 310));
    };
    assert_eq!(broken(NO_POSITIONS, told), [Invariant::OrderIdsUnique]);
    assert_eq!(broken(NO_IDS, told), []);
}

#[test]
fn order_of_nobody_is_known_by_a_name() {
    let foreign = |tells: Tells, of: &dyn Fn(&mut Scene) -> Box<str>| {
        let found = broken(tells, |scene| {
            let uid = of(scene);
            let mut row = scene.row(2).clone();
            (row.request_id, row.seq, row.status) = (RequestId::random(), 60, order(4));
            row.uid = uid;
            scene.ledger.rows.push(row);
        });
        found.contains(&Invariant::OrdersWereSent)
    };
    let ann = |_: &mut Scene| "ann".into();
    let nobody = |_: &mut Scene| "".into();
    let ours = |scene: &mut Scene| scene.row(3).uid.clone();
    assert!(foreign(NO_POSITIONS, &ann) && foreign(NO_IDS, &ann) && foreign(NO_BUYERS, &nobody));
    assert!(foreign(NO_NAMES, &ann) && !foreign(NO_NAMES, &nobody));
    assert!(foreign(NOT_ONCE, &ann) && !foreign(NOT_ONCE, &ours) && foreign(ALL, &ours));
}

#[test]
fn orders_without_names_are_as_many_as_attempts_at_most() {
    for (attempts, tells, expected) in
        [(3, NO_NAMES, false), (2, NO_NAMES, true), (2, Tells { once: false, ..NO_NAMES }, false)]
    {
        let found = broken(tells, |scene| {
            scene.ledger.rows.truncate(3);
            scene.ledger.rows.iter_mut().for_each(|row| row.uid = "".into());
            scene.history.entries.truncate(attempts);
        });
        assert_eq!(found.contains(&Invariant::OrdersWereSent), expected, "{tells:?}: {found:?}");
    }
}

#[test]
fn accepted_attempt_is_missing_where_all_attempts_are_listed() {
    let without = |scene: &mut Scene| drop(scene.ledger.rows.remove(3));
    assert_eq!(broken(NO_POSITIONS, without), [Invariant::AcceptedKept]);
    assert_eq!(broken(NO_IDS, without), [Invariant::AcceptedKept]);
    assert_eq!(broken(NO_BUYERS, without), [Invariant::AcceptedKept]);
    assert_eq!(broken(NO_NAMES, without), []);
    assert_eq!(broken(NO_ATTEMPTS, without), []);
    // It may have been answered with what its buyer had before the run.
    let earlier_of = |number: usize| {
        move |scene: &mut Scene| {
            let mut row = scene.row(number).clone();
            (row.request_id, row.seq) = (RequestId::random(), 60);
            scene.history.before.insert(row.request_id, row.clone());
            scene.ledger.rows.remove(3);
            scene.ledger.rows.push(row);
        }
    };
    let kept = Invariant::AcceptedKept;
    assert!(!broken(NO_IDS, earlier_of(3)).contains(&kept));
    assert!(broken(NO_IDS, earlier_of(4)).contains(&kept));
    assert!(broken(NO_POSITIONS, earlier_of(3)).contains(&kept));
}

#[test]
fn accepted_attempt_may_be_of_the_sale_that_was_opened_during_the_run() {
    let found = broken(NO_POSITIONS, |scene| {
        scene.change_views(|at, sale| sale.epoch = if at == 3 { 2 } else { 1 });
        scene.ledger.rows.remove(3);
    });
    assert!(!found.contains(&Invariant::AcceptedKept), "{found:?}");
}

#[test]
fn order_of_a_result_may_be_newer_than_the_ledger() {
    for (is_settled, is_answer, expected) in
        [(true, false, true), (false, false, false), (false, true, true)]
    {
        let found = broken(NO_ATTEMPTS, |scene| {
            scene.settled = is_settled;
            scene.read(3, Some(order(4)), (300, 310));
            if is_answer {
                scene.entry(3).answered = Answered::Won(Box::new(order_id(4)));
            }
            scene.ledger.rows.remove(3);
        });
        assert_eq!(found.contains(&Invariant::AcceptedKept), expected, "{is_settled}: {found:?}");
    }
}

#[test]
fn lost_attempt_of_a_described_shop_may_be_refused_when_it_is_sent_again() {
    let again = |number: usize| move |scene: &mut Scene| scene.refuse_made(number, true, (95, 97));
    let once = Invariant::IdsAnsweredOnce;
    assert_eq!(broken(ALL, again(3)), [once]);
    assert_eq!(broken(NO_POSITIONS, again(3)), []);
    assert_eq!(broken(NO_POSITIONS, again(2)), [once]);
    assert_eq!(broken(NOT_ONCE, again(2)), []);
}

#[test]
fn described_shop_may_note_attempts_that_it_refused() {
    let refused =
        |number: usize| move |scene: &mut Scene| drop(scene.history.entries.remove(number));
    let holds = Invariant::RefusalsHold;
    assert!(broken(ALL, refused(5)).contains(&holds));
    assert!(!broken(NO_POSITIONS, refused(5)).contains(&holds));
    assert!(broken(NO_POSITIONS, refused(2)).contains(&holds));
    assert!(broken(NOT_ONCE, refused(2)).contains(&holds));
    assert!(broken(NO_IDS, refused(2)).contains(&holds));
    assert!(!broken(Tells { once: false, ..NO_IDS }, refused(2)).contains(&holds));
}

#[test]
fn limit_is_compared_with_refusals_where_all_orders_have_attempts_and_buyers() {
    let no_limit = Tells { limit: false, ..ALL };
    for (tells, expected) in [
        (ALL, true),
        (NO_POSITIONS, true),
        (NO_ATTEMPTS, false),
        (NO_IDS, false),
        (NO_BUYERS, false),
        (no_limit, false),
    ] {
        let found = broken(tells, |scene| {
            scene.refuse(Refused::AlreadyBought, 10, 20);
        });
        assert_eq!(found.contains(&Invariant::RefusalsTrue), expected, "{tells:?}: {found:?}");
    }
}

#[test]
fn units_and_orders_of_one_moment_add_up() {
    let no_states = Tells { states: false, ..ALL };
    for (tells, is_settled, expected) in [
        (NO_POSITIONS, false, true),
        (no_states, true, true),
        (no_states, false, false),
        (Tells { stock: false, ..ALL }, true, false),
    ] {
        let found = broken(tells, |scene| {
            scene.settled = is_settled;
            scene.ledger.sale.stock_left = 1;
            scene.history.sale_before = None;
        });
        let found = found.contains(&Invariant::StockConserved);
        assert_eq!(found, expected, "{tells:?} {is_settled}");
    }
}

#[test]
fn terms_are_compared_where_they_are_told() {
    let change = |scene: &mut Scene| {
        let before = scene.history.sale_before.as_mut().unwrap();
        (before.per_buyer, before.stock, before.stock_left) = (1, 4, 4);
    };
    let limit = |scene: &mut Scene| scene.history.sale_before.as_mut().unwrap().per_buyer = 2;
    let (no_stock, no_limit) = (Tells { stock: false, ..ALL }, Tells { limit: false, ..ALL });
    let kept = Invariant::TermsKept;
    assert!(
        broken(NO_POSITIONS, change).contains(&kept) && broken(no_limit, change).contains(&kept)
    );
    assert!(!broken(no_stock, change).contains(&kept));
    assert!(broken(NO_POSITIONS, limit).contains(&kept) && broken(no_stock, limit).contains(&kept));
    assert!(!broken(no_limit, limit).contains(&kept));
}
