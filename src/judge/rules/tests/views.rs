//! States of the sale agree with the ledger and with what can have been sold.

use crate::history::{Answered, Loss, Refused, SaleView, Stage, Status};
use crate::judge::invariant::Invariant;
use crate::judge::rules::tests::scene::{Scene, order, server_us};

/// A run in which nobody is told that it is sold out.
fn untold(change: impl Fn(usize, &mut SaleView)) -> Scene {
    let mut scene = Scene::new();
    scene.entry(4).answered = Answered::Accepted;
    scene.change_views(change);
    scene
}

fn show_sold(sale: &mut SaleView, sold: u64) {
    (sale.orders, sale.stock_left) = (sold, 3 - sold as i64);
}

#[test]
fn terms_are_the_same_everywhere() {
    let changes: [fn(&mut SaleView); 3] = [
        |sale| sale.item = "coffee".into(),
        |sale| (sale.stock, sale.stock_left) = (20, sale.stock_left + 17),
        |sale| sale.per_buyer = Some(2),
    ];
    for (change, at) in changes.into_iter().flat_map(|change| [(change, 1), (change, 3)]) {
        let found = Scene::with_view(at, change).broken();
        assert_eq!(found[0], Invariant::ViewsAgree, "{found:?}");
    }
}

#[test]
fn ledgers_show_the_hold_that_anything_else_shows() {
    let broken = |before: Option<u64>, after: Option<u64>, states: Option<u64>| {
        let mut scene = Scene::new();
        scene.history.sale_before.as_mut().unwrap().hold_us = before;
        scene.ledger.sale.hold_us = after;
        scene.change_views(|_, sale| sale.hold_us = states);
        scene.broken().contains(&Invariant::ViewsAgree)
    };
    let hold = Some(30_000);
    assert!(broken(hold, None, hold) && broken(None, hold, hold));
    assert!(broken(None, None, hold) && broken(hold, None, None));
    assert!(!broken(hold, hold, None), "states may leave it out");
    assert!(!broken(None, None, None));
}

#[test]
fn sale_is_the_one_that_was_asked_for() {
    let mut scene = Scene::new();
    scene.change_views(|_, sale| sale.item = "coffee".into());
    scene.ledger.sale.item = "coffee".into();
    scene.history.sale_before = None;
    assert_eq!(scene.broken(), [Invariant::ViewsAgree]);
}

#[test]
fn hours_that_two_views_show_are_the_same() {
    let mut scene = Scene::with_view(1, |sale| sale.hours.closes_us = Some(u64::MAX));
    assert_eq!(scene.broken(), []);
    scene.ledger.sale.hours.closes_us = Some(u64::MAX - 1);
    assert_eq!(scene.broken(), [Invariant::ViewsAgree]);
}

#[test]
fn what_is_not_shown_is_not_compared() {
    let mut scene = Scene::new();
    scene.change_views(|_, sale| (sale.per_buyer, sale.epoch) = (None, 0));
    assert_eq!(scene.broken(), []);
}

#[test]
fn last_state_agrees_with_the_ledger() {
    let mut scene = untold(|at, sale| {
        show_sold(sale, if at >= 2 { 2 } else { at as u64 });
        sale.queued = u64::from(at == 1 || at == 2);
    });
    assert_eq!(scene.broken(), [Invariant::ViewsAgree]);
    scene.settled = false;
    scene.change_views(|_, sale| sale.queued = 1);
    assert_eq!(scene.broken(), []);
    assert_eq!(Scene::with_view(3, |sale| sale.queued = 2).broken(), [Invariant::ViewsAgree]);
}

#[test]
fn effects_of_timed_out_requests_may_come_between_ledger_and_state() {
    let mut scene = Scene::with_view(3, |sale| sale.queued = 1);
    scene.ledger.rows.remove(5);
    assert_eq!(scene.broken(), []);
    // The third order was made after the last state was read.
    let mut scene = untold(|at, sale| show_sold(sale, if at >= 2 { 2 } else { at as u64 }));
    scene.entry(2).answered = Answered::Unknown;
    assert_eq!(scene.broken(), []);
}

#[test]
fn states_show_what_can_have_been_sold() {
    let fewer = Scene::with_view(1, |sale| show_sold(sale, 0));
    assert_eq!(fewer.broken(), [Invariant::StockReadsBounded]);
    let more = Scene::with_view(1, |sale| show_sold(sale, 3));
    assert_eq!(more.broken(), [Invariant::StockReadsBounded]);
    let left_only = Scene::with_view(1, |sale| sale.stock_left = 0);
    assert_eq!(left_only.broken(), [Invariant::StockConserved]);
    let orders_only = Scene::with_view(3, |sale| sale.orders = 2);
    assert_eq!(orders_only.broken(), [Invariant::StockConserved]);
}

#[test]
fn sold_units_stay_sold() {
    let scene = untold(|at, sale| show_sold(sale, [0, 2, 1, 3][at]));
    assert_eq!(scene.broken(), [Invariant::StockReadsBounded]);
    let found = scene.violations();
    assert_eq!(found[0].count, 1);
}

#[test]
fn no_unit_is_left_after_somebody_was_told_so() {
    let scene = Scene::with_view(2, |sale| show_sold(sale, 2));
    assert_eq!(scene.broken(), [Invariant::StockReadsBounded]);
    assert_eq!(scene.violations()[0].count, 1);
    // It was told too early, which is another violation.
    let mut scene = untold(|_, _| ());
    scene.refuse(Refused::SoldOut, 30, 31);
    assert_eq!(scene.broken(), [Invariant::SoldOutTrue]);
}

#[test]
fn epochs_rise() {
    let scene = Scene::with_view(2, |sale| sale.epoch = 2);
    assert_eq!(scene.broken(), [Invariant::ViewsAgree]);
    assert_eq!(Scene::with_view(3, |sale| sale.epoch = 2).broken(), []);
    assert_eq!(Scene::with_view(2, |sale| sale.epoch = 0).broken(), []);
}

#[test]
fn words_of_a_state_agree_with_its_figures() {
    for (at, stage, finished) in [
        (0, Some(Stage::SoldOut), None),
        (3, Some(Stage::Open), None),
        (0, None, Some(true)),
        (3, None, Some(false)),
    ] {
        let scene = untold(|number, sale| {
            if number == at {
                (sale.stage, sale.finished) = (stage, finished);
            }
        });
        assert_eq!(scene.broken(), [Invariant::ViewsAgree], "{stage:?} {finished:?}");
    }
    let right = untold(|_, sale| {
        sale.stage = Some(if sale.stock_left > 0 { Stage::Open } else { Stage::SoldOut });
        sale.finished = Some(sale.stock_left == 0 && sale.queued == 0);
    });
    assert_eq!(right.broken(), []);
}

#[test]
fn sale_that_is_sold_out_is_closed_after_its_closing() {
    let of = |closes| {
        let mut scene = untold(|number, sale| {
            sale.stage = (number == 3).then_some(Stage::SoldOut);
        });
        scene.set_hours(None, Some(closes));
        // The state is read long after the closing, beyond what clocks may differ.
        scene.view((5_000, 5_010), 0, 0);
        scene.change_views(|number, sale| {
            if number == 4 {
                sale.stage = Some(Stage::SoldOut);
                sale.hours.closes_us = Some(super::scene::server_us(closes));
            }
        });
        scene.broken()
    };
    assert_eq!(of(6_000), []);
    assert_eq!(of(1_000), [Invariant::ViewsAgree]);
}

#[test]
fn nobody_is_told_closed_before_a_state_says_open() {
    let told_at = |sent, answered| {
        let mut scene = Scene::with_view(1, |sale| sale.stage = Some(Stage::Open));
        scene.view((5_000, 5_010), 0, 0);
        scene.change_views(|at, sale| {
            // It takes the place of the one that shows the same.
            if at == 3 {
                sale.stage = Some(Stage::SoldOut);
            }
        });
        scene.refuse(Refused::Closed, sent, answered);
        scene.broken()
    };
    assert_eq!(told_at(4_500, 4_600), [], "clocks may be a second apart");
    assert_eq!(told_at(3_500, 3_600), [Invariant::RefusalsTrue]);
}

#[test]
fn wins_that_were_read_as_results_are_sold() {
    let mut scene = untold(|at, sale| {
        show_sold(sale, [0, 2, 2, 3][at]);
        sale.queued = u64::from(at == 2);
    });
    assert_eq!(scene.broken(), []);
    scene.read(0, Some(order(1)), (22, 24));
    scene.read(2, Some(order(3)), (60, 70));
    assert_eq!(scene.broken(), [Invariant::StockReadsBounded]);
    scene.history.results[1].status = Some(Status::Queued);
    scene.history.results[1].sent_us = 51_000;
    assert_eq!(scene.broken(), []);
}

#[test]
fn attempts_that_were_queued_before_the_run_may_be_sold_at_any_time() {
    let mut scene = Scene::new();
    scene.make_earlier();
    for at in 0..3 {
        let id = scene.id(at);
        let before = scene.history.before.get_mut(&id).unwrap();
        (before.status, before.decided_us) = (Status::Queued, None);
    }
    for at in 3..6 {
        let lost = Status::Lost(Loss::Undeliverable);
        scene.row(at).status = lost.clone();
        let id = scene.id(at);
        scene.history.before.get_mut(&id).unwrap().status = lost;
    }
    scene.history.sale_before.as_mut().unwrap().stock_left = 3;
    scene.history.views = Default::default();
    for at in 0..4 {
        scene.view((10 * at, 10 * at + 5), 3 - at as i64, 3 - at);
    }
    assert_eq!(scene.broken(), []);
}

#[test]
fn as_many_are_queued_as_results_say() {
    // The third attempt was accepted at 50 ms.
    let shown = |queued: u64, sent_ms: u64| {
        let mut scene = untold(|_, _| ());
        scene.view((sent_ms, 58), 1, queued);
        scene.read(2, Some(Status::Queued), (60, 61));
        scene
    };
    let scene = shown(0, 51);
    assert_eq!(scene.broken(), [Invariant::ViewsAgree]);
    assert_eq!(scene.violations()[0].witnesses, ["0 queued at 51 ms, and results say 1"]);
    assert_eq!(shown(1, 51).broken(), []);
    // The state may have been read before the acceptance.
    assert_eq!(shown(0, 50).broken(), []);
    // The attempt may have been decided meanwhile.
    let mut scene = shown(0, 51);
    scene.history.results[0].sent_us = 58_000;
    assert_eq!(scene.broken(), []);
    // A result that was requested at the very moment of an acceptance says nothing.
    let mut scene = shown(0, 51);
    scene.read(3, Some(Status::Queued), (55, 56));
    assert_eq!(scene.broken(), [Invariant::ViewsAgree]);
}

#[test]
fn fresh_sale_has_no_rows_that_are_older() {
    let accepted = |seconds_before: u64, opened: bool| {
        let mut scene = Scene::new();
        let mut row = scene.row(3).clone();
        row.request_id = crate::ids::RequestId::random();
        (row.seq, row.decided_us) = (0, None);
        row.accepted_us = server_us(2) - seconds_before * 1_000_000;
        scene.history.before.insert(row.request_id, row.clone());
        scene.ledger.rows.insert(0, row);
        (1..7).for_each(|at| scene.row(at).seq += 1);
        scene.change_views(|at, sale| sale.opened = at == 0 && opened);
        scene.violations()
    };
    let is_found = |seconds_before, opened| {
        accepted(seconds_before, opened).iter().any(|of| {
            let words = of.witnesses.iter().any(|words| words.contains("before the fresh sale"));
            of.invariant == Invariant::ViewsAgree && words
        })
    };
    assert!(is_found(61, true));
    assert!(!is_found(59, true), "clocks may differ by as much");
    assert!(!is_found(61, false), "it was not opened for the run");
}

#[test]
fn state_after_the_ledger_shows_no_more_queued_than_there() {
    let answered = |queued: u64, ledger_us: u64| {
        let mut scene = Scene::new();
        scene.history.entries.truncate(5);
        scene.ledger.rows.truncate(5);
        (scene.settled, scene.history.ledger_us) = (false, ledger_us);
        scene.view((300, 310), 0, queued);
        scene
    };
    assert_eq!(answered(1, 250_000).broken(), [Invariant::ViewsAgree]);
    assert_eq!(answered(0, 250_000).broken(), []);
    assert_eq!(answered(1, 300_000).broken(), [], "the state may be older");
    assert_eq!(answered(1, 0).broken(), [], "it is not known when the ledger was read");
    let mut scene = answered(1, 250_000);
    scene.change_views(|at, sale| sale.queued = u64::from(at == 0 || at == 4));
    assert_eq!(scene.broken(), [], "it may be of the sale before");
    let mut scene = answered(1, 250_000);
    scene.history.sent_again = crate::history::Asked { wanted: 1, answered: 0 };
    assert_eq!(scene.broken(), [], "what was sent again may be in flight");
    let mut scene = answered(1, 250_000);
    scene.history.entries.push(Scene::new().entry(5).clone());
    assert_eq!(scene.broken(), [], "so may be a request without an answer");
}
