//! The audit, held against a slow and obvious second opinion on random runs, and each invariant
//! broken on purpose.

#![allow(clippy::unwrap_used)] // In a test, that is an assertion.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use seckill::api::LedgerSale;
use seckill::audit::{
    AttemptNo, Audit, Entry, History, Ids, Invariant, Ledger, Row, Status, Told, Verdict,
    Violation, WITNESSES_MAX, reconcile,
};
use seckill::ids::{OrderId, RequestId};
use seckill::settings::Buyers;

const ITEM: &str = "tea";

fn row(ids: &Ids, attempt: AttemptNo, status: Status) -> Row {
    Row {
        request_id: ids.request_id(attempt),
        uid: ids.buyer_id(attempt).as_str().into(),
        item: ITEM.into(),
        status,
        settle_us: None,
    }
}

fn order(number: usize) -> Status {
    Status::Won(order_id(number))
}

fn order_id(number: usize) -> OrderId {
    OrderId::new(&ITEM.parse().unwrap(), 1, number as u64)
}

fn ledger(stock: u64, stock_left: i64, per_buyer: u32, rows: Vec<Row>) -> Ledger {
    Ledger { sale: LedgerSale { item: ITEM.into(), epoch: 1, stock, stock_left, per_buyer }, rows }
}

fn history(ids: Ids, sent: &[u64]) -> History {
    let mut history = History::new(ids, ITEM.parse().unwrap(), sent.len());
    history.sent = sent.to_vec();
    history
}

/// The broken invariants of an audit, in its order.
fn broken(audit: &Audit) -> Vec<Invariant> {
    audit.violations.iter().map(|violation| violation.invariant).collect()
}

#[path = "audit/obvious.rs"]
mod obvious;

#[path = "audit/random.rs"]
mod random;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn both_opinions_agree(case in random::case()) {
        let random::Case { history, ledger, settled } = case;
        let audit = reconcile(&history, &ledger, settled);
        prop_assert_eq!(
            obvious::Opinion::of(&audit),
            obvious::judge(&history, &ledger, settled)
        );
        let order: Vec<_> = broken(&audit);
        prop_assert!(order.is_sorted_by(|a, b| a < b), "once each, in their order: {:?}", order);
        for violation in &audit.violations {
            let shown = (violation.count as usize).min(WITNESSES_MAX);
            prop_assert_eq!(violation.witnesses.len(), shown);
        }
        prop_assert_eq!(audit.because.is_some(), audit.verdict == Verdict::Unknown);
        prop_assert_eq!(audit.stock, audit.orders.map(|_| ledger.sale.stock));
        prop_assert_eq!(audit.stock_left, audit.orders.map(|_| ledger.sale.stock_left));
    }

    #[test]
    fn it_does_not_matter_which_worker_wrote_what(case in random::case(), workers in 1..4_usize) {
        let random::Case { history, ledger, settled } = case;
        let threads = history.sent.len();
        let mut merged = History::new(history.ids, history.item.clone(), threads);
        for worker in 0..workers {
            let mut part = History::new(history.ids, history.item.clone(), threads);
            for thread in (worker..threads).step_by(workers) {
                part.sent[thread] = history.sent[thread];
                let of_thread = |entry: &&Entry| entry.attempt.thread as usize == thread;
                part.entries.extend(history.entries.iter().filter(of_thread).cloned());
            }
            merged.merge(part);
        }
        merged.sale_before = history.sale_before.clone();
        merged.before = history.before.clone();
        merged.results = history.results.clone();
        let (one, many) =
            [&history, &merged].map(|history| reconcile(history, &ledger, settled)).into();
        prop_assert_eq!(obvious::Opinion::of(&one), obvious::Opinion::of(&many));
    }
}

/// Were the random runs too tame, the opinions would agree on nothing.
#[test]
fn random_runs_break_everything_and_nothing() {
    let mut runner = TestRunner::deterministic();
    let mut opinions = Vec::new();
    for _ in 0..2000 {
        let random::Case { history, ledger, settled } =
            random::case().new_tree(&mut runner).unwrap().current();
        opinions.push(obvious::judge(&history, &ledger, settled));
    }
    for (at, invariant) in Invariant::ALL.iter().enumerate() {
        let found = opinions.iter().filter(|opinion| opinion.counts[at].1 > 0).count();
        assert!(found > 20, "{invariant:?} is broken in {found} runs only");
    }
    for verdict in [Verdict::Pass, Verdict::Fail, Verdict::Unknown] {
        let found = opinions.iter().filter(|opinion| opinion.verdict == verdict).count();
        assert!(found > 100, "{verdict} is the verdict of {found} runs only");
    }
}

/// A clean run on which each break is tried: four users, two attempts each, three units.
struct Scene {
    history: History,
    ledger: Ledger,
}

/// Places in the scene's ledger.
const WON: usize = 0;
const WON_TOLD: usize = 2;
const LOST: usize = 3;
const LOST_TOLD: usize = 4;
const LOST_UNANSWERED: usize = 5;

impl Scene {
    fn new() -> Self {
        let ids = Ids::new(7, Buyers::Thread);
        let mut history = history(ids, &[2; 4]);
        let told_won = Told::Won(Box::new(order_id(3)));
        let rows = [
            (0, 0, order(1), Told::Accepted),
            (1, 0, order(2), Told::Accepted),
            (2, 0, order(3), told_won),
            (0, 1, Status::Lost, Told::Accepted),
            (3, 0, Status::Lost, Told::Lost),
            (1, 1, Status::Lost, Told::Unknown),
        ];
        let mut ledger = ledger(3, 0, 1, Vec::new());
        for (thread, index, status, told) in rows {
            let attempt = AttemptNo { thread, index };
            ledger.rows.push(row(&ids, attempt, status));
            history.entries.push(Entry { attempt, told });
        }
        // One more without an answer, which never arrived; (3, 1) was refused.
        let attempt = AttemptNo { thread: 2, index: 1 };
        history.entries.push(Entry { attempt, told: Told::Unknown });
        history.sale_before = Some(ledger.sale.clone());
        Self { history, ledger }
    }

    /// Lets the sale have had this stock from the beginning.
    fn set_stock(&mut self, stock: u64) {
        self.ledger.sale.stock = stock;
        self.history.sale_before = Some(self.ledger.sale.clone());
    }

    /// Lets the ledger have held an attempt of an earlier run, and gives its id.
    fn had(&mut self, status: Status) -> String {
        let id = Ids::new(8, Buyers::Thread).request_id(AttemptNo { thread: 0, index: 0 });
        self.history.before.insert(id, status);
        id.to_string()
    }

    /// Lets it hold that attempt now.
    fn has(&mut self, status: Status) {
        let attempt = AttemptNo { thread: 0, index: 0 };
        self.ledger.rows.push(row(&Ids::new(8, Buyers::Thread), attempt, status));
    }

    /// Lets the result of a row's attempt be asked for, and gives its id.
    fn asked(&mut self, row: usize, told: Option<Status>) -> String {
        self.history.results.push((self.ledger.rows[row].request_id, told));
        self.id(row)
    }

    fn id(&self, row: usize) -> String {
        self.ledger.rows[row].request_id.to_string()
    }

    /// Adds a row for an attempt, and gives its id.
    fn add(&mut self, thread: u32, index: u64, status: Status) -> String {
        self.ledger.rows.push(row(&self.history.ids, AttemptNo { thread, index }, status));
        self.id(self.ledger.rows.len() - 1)
    }

    /// Changes a row's decision, and gives its id.
    fn decide(&mut self, row: usize, status: Status) -> String {
        self.ledger.rows[row].status = status;
        self.id(row)
    }
}

/// A way to break one invariant.
struct Break {
    name: &'static str,
    invariant: Invariant,
    /// What breaks with it, where it cannot be broken alone.
    with: &'static [Invariant],
    /// Breaks it, and gives its only witness.
    doing: fn(&mut Scene) -> String,
}

impl Break {
    const fn new(
        invariant: Invariant,
        name: &'static str,
        doing: fn(&mut Scene) -> String,
    ) -> Self {
        Self { name, invariant, with: &[], doing }
    }

    const fn with(mut self, with: &'static [Invariant]) -> Self {
        self.with = with;
        self
    }
}

/// At least one for each invariant.
fn breaks() -> Vec<Break> {
    let mut breaks = breaks_of_stock();
    breaks.extend(breaks_of_ledger());
    breaks.extend(breaks_of_answers());
    breaks.extend(breaks_of_before());
    breaks
}

fn breaks_of_stock() -> Vec<Break> {
    vec![
        Break::new(Invariant::NeverOversold, "an update of the counter was lost", |scene| {
            scene.history.entries[LOST_TOLD].told = Told::Accepted;
            scene.decide(LOST_TOLD, order(4))
        })
        .with(&[Invariant::StockConserved]),
        Break::new(Invariant::StockNeverNegative, "a decrement too many", |scene| {
            scene.ledger.sale.stock_left = -1;
            "stock_left -1".into()
        })
        .with(&[Invariant::StockConserved]),
        Break::new(Invariant::StockConserved, "a decrement without an order", |scene| {
            scene.set_stock(4);
            "stock 4, left 0, orders 3".into()
        }),
        Break::new(Invariant::NoUnsoldStock, "one was told sold out too soon", |scene| {
            scene.set_stock(4);
            scene.ledger.sale.stock_left = 1;
            scene.id(LOST_TOLD)
        }),
    ]
}

fn breaks_of_ledger() -> Vec<Break> {
    vec![
        Break::new(Invariant::OrderIdsUnique, "an order id twice", |scene| {
            scene.decide(WON, order(2));
            order_id(2).to_string()
        }),
        Break::new(Invariant::RequestIdsUnique, "a redelivery was decided again", |scene| {
            scene.ledger.rows.push(scene.ledger.rows[LOST].clone());
            scene.id(LOST)
        }),
        Break::new(Invariant::BuyerLimit, "two orders for one buyer", |scene| {
            scene.decide(1, Status::Lost);
            scene.decide(LOST, order(2));
            format!("{} has 2", scene.ledger.rows[LOST].uid)
        }),
        Break::new(Invariant::OrdersWereSent, "an order under another run's id", |scene| {
            scene.set_stock(4);
            scene.has(order(4));
            scene.id(LOST_UNANSWERED + 1)
        }),
        Break::new(Invariant::OrdersWereSent, "an order of an attempt to come", |scene| {
            scene.set_stock(4);
            scene.add(3, 2, order(4))
        }),
        Break::new(Invariant::OrdersWereSent, "an order of a user to come", |scene| {
            scene.set_stock(4);
            scene.add(4, 0, order(4))
        }),
        Break::new(Invariant::RefusalsHold, "a refused attempt lost", |scene| {
            scene.add(3, 1, Status::Lost)
        }),
        Break::new(Invariant::RefusalsHold, "a refused attempt is queued", |scene| {
            scene.add(3, 1, Status::Queued)
        }),
        Break::new(Invariant::RefusalsHold, "a refused attempt won", |scene| {
            scene.set_stock(4);
            scene.add(3, 1, order(4))
        }),
        Break::new(Invariant::AcceptedKept, "an accepted attempt is gone", |scene| {
            let id = scene.id(LOST);
            scene.ledger.rows.remove(LOST);
            id
        }),
        Break::new(Invariant::AcceptedKept, "an attempt told of its loss is gone", |scene| {
            let id = scene.id(LOST_TOLD);
            scene.ledger.rows.remove(LOST_TOLD);
            id
        }),
        Break::new(Invariant::AcceptedDecided, "an accepted attempt is not decided", |scene| {
            scene.decide(LOST, Status::Queued)
        }),
    ]
}

fn breaks_of_answers() -> Vec<Break> {
    vec![
        Break::new(Invariant::AnswersTrue, "another order than was told", |scene| {
            scene.decide(WON_TOLD, order(9))
        }),
        Break::new(Invariant::AnswersTrue, "told won, but lost", |scene| {
            scene.history.entries[LOST].told = Told::Won(Box::new(order_id(4)));
            scene.id(LOST)
        }),
        Break::new(Invariant::AnswersTrue, "told lost, but won", |scene| {
            scene.history.entries[WON].told = Told::Lost;
            scene.id(WON)
        }),
        Break::new(Invariant::AnswersTrue, "told lost, but not decided", |scene| {
            scene.decide(LOST_TOLD, Status::Queued)
        })
        .with(&[Invariant::AcceptedDecided]),
        Break::new(Invariant::AnswersTrue, "an order for another buyer", |scene| {
            scene.ledger.rows[WON].uid = "somebody".into();
            scene.id(WON)
        }),
        Break::new(Invariant::AnswersTrue, "an order of another item", |scene| {
            scene.ledger.rows[WON].item = "coffee".into();
            scene.id(WON)
        }),
        Break::new(Invariant::AnswersTrue, "an unanswered attempt of another buyer", |scene| {
            scene.ledger.rows[LOST_UNANSWERED].uid = "somebody".into();
            scene.id(LOST_UNANSWERED)
        }),
        Break::new(Invariant::ResultsTrue, "a winner is told that he lost", |scene| {
            scene.asked(WON, Some(Status::Lost))
        }),
        Break::new(Invariant::ResultsTrue, "a loser is told that he won", |scene| {
            scene.asked(LOST, Some(order(1)))
        }),
        Break::new(Invariant::ResultsTrue, "another order is told", |scene| {
            scene.asked(WON, Some(order(2)))
        }),
        Break::new(Invariant::ResultsTrue, "a result is never written", |scene| {
            scene.asked(LOST, Some(Status::Queued))
        }),
        Break::new(Invariant::ResultsTrue, "nobody knows of it", |scene| scene.asked(LOST, None)),
    ]
}

fn breaks_of_before() -> Vec<Break> {
    vec![
        Break::new(Invariant::EarlierKept, "an earlier run's loser is gone", |scene| {
            scene.had(Status::Lost)
        }),
        Break::new(Invariant::EarlierKept, "an earlier run's queued attempt is gone", |scene| {
            scene.had(Status::Queued)
        }),
        Break::new(Invariant::EarlierKept, "an earlier run's decision was taken back", |scene| {
            scene.has(Status::Queued);
            scene.had(Status::Lost)
        }),
        Break::new(Invariant::EarlierKept, "an earlier run's order has another id", |scene| {
            scene.set_stock(4);
            scene.has(order(4));
            scene.had(order(5))
        }),
        Break::new(Invariant::TermsKept, "units were added", |scene| {
            scene.ledger.sale.stock = 4;
            scene.ledger.sale.stock_left = 1;
            scene.ledger.rows.remove(LOST_TOLD);
            scene.history.entries.remove(LOST_TOLD);
            "stock 3 is now 4, per_buyer 1 is now 1".into()
        }),
        Break::new(Invariant::TermsKept, "the limit was raised", |scene| {
            scene.ledger.sale.per_buyer = 2;
            "stock 3 is now 3, per_buyer 1 is now 2".into()
        }),
    ]
}

#[test]
fn a_clean_run_passes() {
    let Scene { history, ledger } = Scene::new();
    let expected = Audit {
        verdict: Verdict::Pass,
        because: None,
        stock: Some(3),
        stock_left: Some(0),
        orders: Some(3),
        oversold: 0,
        accepted: 5,
        unresolved: 0,
        unknown_outcomes: 2,
        violations: Vec::new(),
    };
    assert_eq!(reconcile(&history, &ledger, true), expected);
}

#[test]
fn each_invariant_is_found_alone_with_its_witness() {
    for Break { name, invariant, with, doing } in breaks() {
        let mut scene = Scene::new();
        let witness = doing(&mut scene);
        let audit = reconcile(&scene.history, &scene.ledger, true);
        assert_eq!(audit.verdict, Verdict::Fail, "{name}");
        let mut expected = [&[invariant], with].concat();
        expected.sort_unstable();
        assert_eq!(broken(&audit), expected, "{name}");
        let found = audit.violations.iter().find(|found| found.invariant == invariant);
        let expected = Violation { invariant, count: 1, witnesses: vec![witness] };
        assert_eq!(found, Some(&expected), "{name}");
    }
}

#[test]
fn each_invariant_has_its_break() {
    for invariant in Invariant::ALL {
        let alone = breaks().iter().any(|b| b.invariant == *invariant);
        assert!(alone, "nothing breaks {invariant:?}");
    }
}

/// Why two of the breaks cannot come alone: more orders than stock leave a counter that is
/// negative or does not add up, and so does a negative counter.
#[test]
fn an_oversale_and_a_negative_counter_always_show_twice() {
    let ids = Ids::new(7, Buyers::New);
    for (stock, left, orders) in
        (0..4).flat_map(|a| (-4..4).flat_map(move |b| (0..4).map(move |c| (a, b, c))))
    {
        let rows = (0..orders)
            .map(|index| row(&ids, AttemptNo { thread: 0, index }, order(index as usize)));
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
fn what_was_never_settled_is_no_pass() {
    let mut scene = Scene::new();
    let audit = reconcile(&scene.history, &scene.ledger, false);
    assert_eq!((audit.verdict, broken(&audit)), (Verdict::Unknown, Vec::new()));
    assert!(audit.because.is_some());

    scene.decide(LOST, Status::Queued);
    let audit = reconcile(&scene.history, &scene.ledger, false);
    assert_eq!((audit.verdict, audit.unresolved), (Verdict::Unknown, 1));

    scene.ledger.sale.stock_left = -1;
    let audit = reconcile(&scene.history, &scene.ledger, false);
    assert_eq!((audit.verdict, audit.because), (Verdict::Fail, None));
}

#[test]
fn ten_witnesses_are_named_and_all_are_counted() {
    for orders in [1, 9, 10, 11, 25] {
        let foreign = Ids::new(8, Buyers::New);
        let rows = (0..orders)
            .map(|index| row(&foreign, AttemptNo { thread: 0, index }, order(index as usize)));
        let ledger = ledger(orders, 0, 1, rows.collect());
        let audit = reconcile(&history(Ids::new(7, Buyers::New), &[0]), &ledger, true);
        let named = ledger.rows.iter().take(10).map(|row| row.request_id.to_string());
        let expected = Violation {
            invariant: Invariant::OrdersWereSent,
            count: orders,
            witnesses: named.collect(),
        };
        assert_eq!(audit.violations, [expected]);
    }
}

#[test]
fn a_second_run_against_the_empty_sale_passes() {
    let Scene { ledger, .. } = Scene::new();
    let mut second = history(Ids::new(8, Buyers::Thread), &[2; 4]);
    let audit = reconcile(&second, &ledger, true);
    assert_eq!(broken(&audit), [Invariant::OrdersWereSent], "the first run's orders are foreign");
    assert_eq!(audit.violations[0].count, 3);

    second.begin_with(ledger.clone());
    let audit = reconcile(&second, &ledger, true);
    assert_eq!((audit.verdict, broken(&audit)), (Verdict::Pass, Vec::new()));
    assert_eq!((audit.orders, audit.accepted), (Some(3), 0));
}

/// The same seed gives the same ids: what is asked again is answered as before.
#[test]
fn the_same_run_once_more_passes() {
    let Scene { mut history, ledger } = Scene::new();
    history.begin_with(ledger.clone());
    let audit = reconcile(&history, &ledger, true);
    assert_eq!((audit.verdict, broken(&audit)), (Verdict::Pass, Vec::new()));
    history.entries.clear();
    let audit = reconcile(&history, &ledger, true);
    assert_eq!((audit.verdict, broken(&audit)), (Verdict::Pass, Vec::new()));
}

/// What was queued before the run may be decided in it.
#[test]
fn what_was_queued_before_may_be_decided() {
    for status in [Status::Queued, Status::Lost] {
        let mut scene = Scene::new();
        scene.had(Status::Queued);
        scene.has(status);
        let audit = reconcile(&scene.history, &scene.ledger, true);
        assert_eq!((audit.verdict, broken(&audit)), (Verdict::Pass, Vec::new()));
    }
}

#[test]
fn a_ledger_of_another_sale_says_nothing() {
    let Scene { history, mut ledger } = Scene::new();
    ledger.sale.epoch += 1;
    ledger.sale.stock_left = -1;
    for settled in [true, false] {
        let audit = reconcile(&history, &ledger, settled);
        let because = audit.because.clone().unwrap();
        assert_eq!(audit, Audit::undecided(&history, because));
        assert_eq!((audit.verdict, audit.accepted, audit.unresolved), (Verdict::Unknown, 5, 5));
    }
}

#[test]
fn a_fresh_sale_gets_fresh_ids() {
    let ids = Ids::new(7, Buyers::New);
    let attempt = AttemptNo { thread: 1, index: 2 };
    for (epoch, other) in [(1, 2), (2, 1), (0, 1)] {
        let id = ids.at_sale(epoch).request_id(attempt);
        assert_eq!(ids.at_sale(epoch).attempt(&id), Some(attempt));
        assert_eq!(ids.at_sale(other).attempt(&id), None);
        assert_eq!(ids.attempt(&id), None);
    }
}
