//! Each invariant is found when it is broken, and only then.

use seckill::history::{Answered, Asked, AttemptNo, Ids, Loss, Refused, Status, Views};
use seckill::judge::{
    Audit, Bounds, DeadLetters, Fairness, Invariant, Verdict, Violation, reconcile,
};
use seckill::settings::Buyers;

use super::breaks::{Break, breaks};
use super::reference::COVERED;
use super::scene::{LOST, LOST_IN_ANSWER, Scene, request};
use super::{before_the_run, broken, history, ledger, order, row};

#[test]
fn run_without_violations_passes() {
    let Scene { history, ledger } = Scene::new();
    let expected = Audit {
        verdict: Verdict::Pass,
        because: None,
        stock: Some(3),
        stock_left: Some(0),
        orders: Some(3),
        bounds: Some(Bounds { orders_min: 3, orders_max: 3 }),
        oversold: 0,
        accepted: 5,
        unresolved: 0,
        unknown_outcomes: 2,
        results: Asked::default(),
        sent_again: Asked::default(),
        // Three of four buyers have an order each.
        fairness: Some(Fairness { fifo_violations: 0, largest_displacement: 0, gini: 0.25 }),
        dead_letters: Some(DeadLetters::default()),
        payments: None,
        order_ends: None,
        checked: Invariant::ALL.to_vec(),
        not_checked: Vec::new(),
        violations: Vec::new(),
    };
    assert_eq!(reconcile(&history, &ledger, true), expected);
}

#[test]
fn each_violation_is_found_with_its_witness() {
    for Break { name, invariant, with, doing } in breaks() {
        let mut scene = Scene::new();
        let witness = doing(&mut scene);
        let audit = reconcile(&scene.history, &scene.ledger, true);
        assert_eq!(audit.verdict, Verdict::Fail, "{name}");
        let mut expected = [&[invariant], with].concat();
        expected.sort_unstable();
        assert_eq!(broken(&audit), expected, "{name}");
        let found = audit.violations.iter().find(|found| found.invariant == invariant);
        let found = found.map(|Violation { count, witnesses, .. }| (*count, &witnesses[..]));
        assert_eq!(found, Some((1, &[witness][..])), "{name}");
    }
}

#[test]
fn every_invariant_of_the_reference_is_broken_by_some_case() {
    for invariant in COVERED {
        let alone = breaks().iter().any(|b| b.invariant == invariant);
        assert!(alone, "nothing breaks {invariant:?}");
    }
}

/// This is why two of the breaks never occur alone: more orders than stock, or a negative counter,
/// leave a counter that is negative or does not add up.
#[test]
fn overselling_and_negative_stock_always_break_a_second_invariant() {
    let ids = Ids::new(7, Buyers::New);
    for (stock, left, orders) in
        (0..4).flat_map(|a| (-4..4).flat_map(move |b| (0..4).map(move |c| (a, b, c))))
    {
        let rows = (0..orders)
            .map(|index| row(&ids, AttemptNo { thread: 0, index }, order(index as usize), index));
        let ledger = ledger(stock, left, 1, rows.collect());
        let audit = reconcile(&history(ids, &[orders]), &ledger, true);
        let all = broken(&audit);
        let stock_only = [Invariant::NeverOversold, Invariant::StockNeverNegative];
        let found = all.iter().filter(|found| stock_only.contains(found)).count();
        let conserved = !all.contains(&Invariant::StockConserved);
        assert!(found != 1 || !conserved, "stock {stock}, left {left}, orders {orders}");
        assert_eq!(all.contains(&Invariant::NeverOversold), orders > stock);
        assert_eq!(audit.oversold, orders.saturating_sub(stock));
    }
}

#[test]
fn unsettled_run_is_unknown_unless_an_invariant_is_broken() {
    let mut scene = Scene::new();
    let audit = reconcile(&scene.history, &scene.ledger, false);
    assert_eq!((audit.verdict, broken(&audit)), (Verdict::Unknown, Vec::new()));
    assert!(audit.because.is_some());

    scene.decide(LOST, Status::Queued);
    let audit = reconcile(&scene.history, &scene.ledger, false);
    assert_eq!((audit.verdict, audit.unresolved), (Verdict::Unknown, 1));

    scene.change_sale(|sale| sale.stock_left = -1);
    let audit = reconcile(&scene.history, &scene.ledger, false);
    assert_eq!((audit.verdict, audit.because), (Verdict::Fail, None));
}

#[test]
fn at_most_ten_witnesses_are_named_but_all_are_counted() {
    for orders in [1, 9, 10, 11, 25] {
        let foreign = Ids::new(8, Buyers::New).unmarked();
        let row =
            |index| row(&foreign, AttemptNo { thread: 0, index }, order(index as usize), index);
        let ledger = ledger(orders, 0, 1, (0..orders).map(row).collect());
        let audit = reconcile(&history(Ids::new(7, Buyers::New), &[0]), &ledger, true);
        let named = ledger.rows.iter().take(10).map(|row| row.request_id.to_string());
        let [found] = &audit.violations[..] else { panic!("{:?}", audit.violations) };
        assert_eq!((found.invariant, found.count), (Invariant::OrdersWereSent, orders));
        assert_eq!(found.witnesses, named.collect::<Vec<_>>());
    }
}

#[test]
fn second_run_against_a_sold_out_sale_passes() {
    let ledger = before_the_run(Scene::new().ledger);
    let mut second = history(Ids::new(8, Buyers::Thread), &[2; 4]);
    for turn in 0..8 {
        let attempt = AttemptNo { thread: turn as u32 % 4, index: turn / 4 };
        second.refusals.add(Refused::SoldOut, request(attempt, turn));
    }
    let audit = reconcile(&second, &ledger, true);
    let foreign = [Invariant::OrdersWereSent, Invariant::RowsSane];
    assert_eq!(broken(&audit), foreign, "the first run's orders and losses are foreign");
    assert_eq!(audit.violations[0].count, 3);

    second.begin_with(ledger.clone());
    let audit = reconcile(&second, &ledger, true);
    assert_eq!((audit.verdict, broken(&audit)), (Verdict::Pass, Vec::new()));
    assert_eq!((audit.orders, audit.accepted), (Some(3), 0));
}

/// The same seed gives the same ids, so repeated attempts get the earlier answers.
#[test]
fn repeated_run_with_the_same_seed_passes() {
    let Scene { mut history, ledger } = Scene::new();
    let ledger = before_the_run(ledger);
    history.begin_with(ledger.clone());
    history.views = Default::default();
    for (entry, row) in history.entries.iter_mut().zip(&ledger.rows) {
        entry.answered = match &row.status {
            Status::Queued => Answered::Accepted,
            Status::Won(order_id) => Answered::Won(Box::new(order_id.clone())),
            Status::Lost(loss) => Answered::Lost(*loss),
        };
    }
    let audit = reconcile(&history, &ledger, true);
    assert_eq!((audit.verdict, broken(&audit)), (Verdict::Pass, Vec::new()));
    history.entries.clear();
    let audit = reconcile(&history, &ledger, true);
    assert_eq!((audit.verdict, broken(&audit)), (Verdict::Pass, Vec::new()));
}

/// Attempts queued before the run are decided during it.
#[test]
fn attempts_queued_before_the_run_are_decided_during_it() {
    let mut scene = Scene::new();
    scene.add_earlier_before(Status::Queued);
    scene.add_earlier_now(Status::Lost(Loss::SoldOut));
    let audit = reconcile(&scene.history, &scene.ledger, true);
    assert_eq!((audit.verdict, broken(&audit)), (Verdict::Pass, Vec::new()));
}

#[test]
fn ledger_of_another_sale_is_no_answer_to_a_question_for_this_one() {
    let Scene { mut history, mut ledger } = Scene::new();
    ledger.sale.epoch += 1;
    ledger.sale.stock_left = -1;
    for settled in [true, false] {
        let audit = reconcile(&history, &ledger, settled);
        assert_eq!((audit.verdict, broken(&audit)), (Verdict::Fail, vec![Invariant::ViewsAgree]));
    }
    // The bench asks for no epoch where the state of the sale shows none.
    history.views = Views::default();
    let audit = reconcile(&history, &ledger, true);
    let because = audit.because.clone().unwrap();
    assert_eq!(audit, Audit::undecided(&history, because));
    assert_eq!((audit.verdict, audit.accepted, audit.unresolved), (Verdict::Unknown, 5, 5));
}

#[test]
fn each_sale_epoch_has_its_own_request_ids() {
    let ids = Ids::new(7, Buyers::New);
    let attempt = AttemptNo { thread: 1, index: 2 };
    for (epoch, other) in [(1, 2), (2, 1), (0, 1)] {
        let id = ids.at_sale(epoch).request_id(attempt);
        assert_eq!(ids.at_sale(epoch).attempt(&id), Some(attempt));
        assert_eq!(ids.at_sale(other).attempt(&id), None);
        assert_eq!(ids.attempt(&id), None);
    }
}

/// A system need not say why an attempt lost, and need not say it everywhere.
#[test]
fn reason_of_a_loss_may_be_left_out() {
    let unstated = Status::Lost(Loss::Unstated);
    let mut told = Scene::new();
    told.entry(LOST_IN_ANSWER).answered = Answered::Lost(Loss::Unstated);
    told.add_result(LOST, Some(unstated.clone()));
    let mut kept = Scene::new();
    kept.add_result(LOST, Some(Status::Lost(Loss::AlreadyBought)));
    for row in [LOST, LOST_IN_ANSWER] {
        kept.decide(row, unstated.clone());
    }
    for Scene { history, ledger } in [told, kept] {
        let audit = reconcile(&history, &ledger, true);
        assert_eq!((audit.verdict, broken(&audit)), (Verdict::Pass, Vec::new()));
    }
}

/// The tested system need not know an attempt that got no answer, if its ledger does not.
#[test]
fn result_of_an_attempt_that_never_arrived_is_unknown() {
    let mut scene = Scene::new();
    let vanished = scene.history.entries.last().unwrap().attempt;
    scene.add_result(LOST, Some(Status::Lost(Loss::AlreadyBought)));
    scene.history.results[0].request_id = scene.history.ids.request_id(vanished);
    let audit = reconcile(&scene.history, &scene.ledger, true);
    assert_eq!(broken(&audit), [Invariant::ResultsTrue]);
    scene.history.results[0].status = None;
    let audit = reconcile(&scene.history, &scene.ledger, true);
    assert_eq!((audit.verdict, broken(&audit)), (Verdict::Pass, Vec::new()));
}
