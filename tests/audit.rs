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
use seckill::profile::Buyers;
use seckill::sale::{OrderId, RequestId};

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

/// The second opinion: loops over lists, straight from what each invariant says.
mod obvious {
    use super::*;

    /// What both opinions must agree on.
    #[derive(Debug, PartialEq, Eq)]
    pub(super) struct Opinion {
        pub(super) counts: Vec<(Invariant, usize)>,
        pub(super) verdict: Verdict,
        orders: Option<usize>,
        oversold: usize,
        accepted: usize,
        unresolved: usize,
        unknown_outcomes: usize,
    }

    pub(super) fn judge(history: &History, ledger: &Ledger, settled: bool) -> Opinion {
        let run = Run { history, ledger, settled };
        if run.is_other_sale() {
            return run.nothing_to_say();
        }
        let count = |invariant: &Invariant| (*invariant, run.count(*invariant));
        let counts: Vec<_> = Invariant::ALL.iter().map(count).collect();
        let verdict = match counts.iter().all(|(_, count)| *count == 0) {
            false => Verdict::Fail,
            true if settled => Verdict::Pass,
            true => Verdict::Unknown,
        };
        let undecided = |entry: &&&Entry| !run.rows_of(entry).last().is_some_and(is_decided);
        Opinion {
            counts,
            verdict,
            orders: Some(run.orders().len()),
            oversold: run.oversold(),
            accepted: run.accepted().len(),
            unresolved: run.accepted().iter().filter(undecided).count(),
            unknown_outcomes: history.entries.len() - run.accepted().len(),
        }
    }

    impl Opinion {
        pub(super) fn of(audit: &Audit) -> Self {
            let count = |invariant: &Invariant| {
                let of = |violation: &&Violation| violation.invariant == *invariant;
                let counts = audit.violations.iter().filter(of).map(|v| v.count as usize);
                (*invariant, counts.sum())
            };
            Self {
                counts: Invariant::ALL.iter().map(count).collect(),
                verdict: audit.verdict,
                orders: audit.orders.map(|orders| orders as usize),
                oversold: audit.oversold as usize,
                accepted: audit.accepted as usize,
                unresolved: audit.unresolved as usize,
                unknown_outcomes: audit.unknown_outcomes as usize,
            }
        }
    }

    struct Run<'a> {
        history: &'a History,
        ledger: &'a Ledger,
        settled: bool,
    }

    fn is_decided(row: &&Row) -> bool {
        row.status != Status::Queued
    }

    /// How many of a list's members have one like themselves before them.
    fn repeated<T: PartialEq>(list: &[T]) -> usize {
        (0..list.len()).filter(|at| list[..*at].contains(&list[*at])).count()
    }

    impl<'a> Run<'a> {
        fn orders(&self) -> Vec<&'a Row> {
            let won = |row: &&Row| !matches!(row.status, Status::Queued | Status::Lost);
            self.ledger.rows.iter().filter(won).collect()
        }

        fn oversold(&self) -> usize {
            (self.orders().len() as u64).saturating_sub(self.ledger.sale.stock) as usize
        }

        fn accepted(&self) -> Vec<&'a Entry> {
            self.history.entries.iter().filter(|entry| entry.told != Told::Unknown).collect()
        }

        /// Every row of an attempt. Where there are several, which is a violation of its own, the
        /// last one counts for the others.
        fn rows_of(&self, entry: &Entry) -> Vec<&'a Row> {
            let id = self.history.ids.request_id(entry.attempt);
            self.ledger.rows.iter().filter(|row| row.request_id == id).collect()
        }

        fn sent(&self) -> Vec<AttemptNo> {
            let mut sent = Vec::new();
            for (thread, attempts) in self.history.sent.iter().enumerate() {
                for index in 0..*attempts {
                    sent.push(AttemptNo { thread: thread as u32, index });
                }
            }
            sent
        }

        fn is_sent(&self, row: &Row) -> bool {
            let id_of = |attempt| self.history.ids.request_id(attempt);
            self.sent().into_iter().any(|attempt| id_of(attempt) == row.request_id)
        }

        fn is_earlier(&self, row: &Row) -> bool {
            self.history.before.iter().any(|(id, _)| *id == row.request_id)
        }

        fn has_entry(&self, row: &Row) -> bool {
            let id_of = |entry: &Entry| self.history.ids.request_id(entry.attempt);
            self.history.entries.iter().any(|entry| id_of(entry) == row.request_id)
        }

        fn orders_of(&self, uid: &str) -> usize {
            self.orders().iter().filter(|order| &*order.uid == uid).count()
        }

        fn buyers_over_limit(&self) -> usize {
            let mut uids: Vec<_> = self.orders().iter().map(|order| order.uid.clone()).collect();
            uids.sort();
            uids.dedup();
            let limit = self.ledger.sale.per_buyer as usize;
            uids.iter().filter(|uid| self.orders_of(uid) > limit).count()
        }

        fn is_lied_to(&self, entry: &Entry) -> bool {
            let Some(row) = self.rows_of(entry).pop() else { return false };
            let as_told = match &entry.told {
                Told::Won(told) => row.status == Status::Won((**told).clone()),
                Told::Lost => row.status == Status::Lost,
                Told::Accepted | Told::Unknown => true,
            };
            let buyer = self.history.ids.buyer(entry.attempt).to_string();
            !as_told || *row.uid != *buyer || *row.item != *self.history.item.as_str()
        }

        /// Whether an attempt of which the ledger had this status before is there no longer, or
        /// with another decision.
        fn is_changed(&self, id: RequestId, before: &Status) -> bool {
            match self.ledger.rows.iter().rfind(|row| row.request_id == id) {
                None => true,
                Some(now) => *before != Status::Queued && now.status != *before,
            }
        }

        fn has_other_terms(&self) -> bool {
            let Some(before) = &self.history.sale_before else { return false };
            let now = &self.ledger.sale;
            before.stock != now.stock || before.per_buyer != now.per_buyer
        }

        fn is_other_sale(&self) -> bool {
            let before = self.history.sale_before.as_ref();
            before.is_some_and(|before| before.epoch != self.ledger.sale.epoch)
        }

        fn nothing_to_say(&self) -> Opinion {
            Opinion {
                counts: Invariant::ALL.iter().map(|invariant| (*invariant, 0)).collect(),
                verdict: Verdict::Unknown,
                orders: None,
                oversold: 0,
                accepted: self.accepted().len(),
                unresolved: self.accepted().len(),
                unknown_outcomes: self.history.entries.len() - self.accepted().len(),
            }
        }

        /// Whether this one lost a unit that is still there.
        fn is_passed_over(&self, row: &Row) -> bool {
            let sale = &self.ledger.sale;
            let may_have_more = self.orders_of(&row.uid) < sale.per_buyer as usize;
            row.status == Status::Lost && may_have_more && sale.stock_left > 0
        }

        fn count(&self, invariant: Invariant) -> usize {
            let sale = &self.ledger.sale;
            let rows = &self.ledger.rows;
            let orders = self.orders();
            let units = sale.stock_left + orders.len() as i64;
            let count_rows =
                |broken: &dyn Fn(&Row) -> bool| rows.iter().filter(|r| broken(r)).count();
            match invariant {
                Invariant::NeverOversold => self.oversold(),
                Invariant::StockNeverNegative => usize::from(sale.stock_left < 0),
                Invariant::StockConserved => usize::from(sale.stock as i64 != units),
                Invariant::OrderIdsUnique => {
                    repeated(&orders.iter().map(|order| &order.status).collect::<Vec<_>>())
                }
                Invariant::RequestIdsUnique => {
                    repeated(&rows.iter().map(|row| row.request_id).collect::<Vec<_>>())
                }
                Invariant::BuyerLimit => self.buyers_over_limit(),
                Invariant::OrdersWereSent => {
                    let known = |order: &&&Row| self.is_sent(order) || self.is_earlier(order);
                    orders.len() - orders.iter().filter(known).count()
                }
                Invariant::RefusalsHold => count_rows(&|row| {
                    self.is_sent(row) && !self.has_entry(row) && !self.is_earlier(row)
                }),
                Invariant::AcceptedKept => {
                    self.accepted().iter().filter(|e| self.rows_of(e).is_empty()).count()
                }
                Invariant::AcceptedDecided if self.settled => {
                    let queued = |entry: &&&Entry| {
                        self.rows_of(entry).pop().is_some_and(|row| !is_decided(&row))
                    };
                    self.accepted().iter().filter(queued).count()
                }
                Invariant::AnswersTrue => {
                    self.history.entries.iter().filter(|entry| self.is_lied_to(entry)).count()
                }
                Invariant::EarlierKept => {
                    let changed =
                        |(id, before): &(&RequestId, &Status)| self.is_changed(**id, before);
                    self.history.before.iter().filter(changed).count()
                }
                Invariant::TermsKept => usize::from(self.has_other_terms()),
                Invariant::NoUnsoldStock if self.settled => {
                    count_rows(&|row| self.is_passed_over(row))
                }
                Invariant::AcceptedDecided | Invariant::NoUnsoldStock => 0,
            }
        }
    }
}

/// Random runs against a server that mostly does right.
mod random {
    use super::*;

    #[derive(Debug, Clone)]
    pub(super) struct Case {
        pub(super) history: History,
        pub(super) ledger: Ledger,
        pub(super) settled: bool,
    }

    /// What comes of one attempt.
    #[derive(Debug, Clone, Copy)]
    enum Fate {
        Refused,
        Accepted,
        /// The decision came with the answer.
        Decided,
        /// No answer, but an effect.
        Swallowed,
        /// No answer and no effect.
        Vanished,
    }

    /// What goes wrong with a run. Which row or entry is hit is drawn apart.
    #[derive(Debug, Clone, Copy)]
    enum Fault {
        RowTwice,
        RowGone,
        RowOfRefused,
        RowMoved,
        Foreigner,
        ForeignOrder,
        BeyondSent,
        OtherBuyer,
        OtherItem,
        OtherOrder,
        SameOrder,
        Requeued,
        LostInstead,
        WonInstead,
        StockLeft,
        Stock,
        Limit,
        ToldOther,
        BeforeForgotten,
        BeforeOfOurs,
        BeforeOther,
        BeforeGone,
        TermsBefore,
        SaleBefore,
        SaleNotSeen,
    }

    const FATES: [Fate; 5] =
        [Fate::Refused, Fate::Accepted, Fate::Decided, Fate::Swallowed, Fate::Vanished];

    const FAULTS: [Fault; 25] = [
        Fault::RowTwice,
        Fault::RowGone,
        Fault::RowOfRefused,
        Fault::RowMoved,
        Fault::Foreigner,
        Fault::ForeignOrder,
        Fault::BeyondSent,
        Fault::OtherBuyer,
        Fault::OtherItem,
        Fault::OtherOrder,
        Fault::SameOrder,
        Fault::Requeued,
        Fault::LostInstead,
        Fault::WonInstead,
        Fault::StockLeft,
        Fault::Stock,
        Fault::Limit,
        Fault::ToldOther,
        Fault::BeforeForgotten,
        Fault::BeforeOfOurs,
        Fault::BeforeOther,
        Fault::BeforeGone,
        Fault::TermsBefore,
        Fault::SaleBefore,
        Fault::SaleNotSeen,
    ];

    pub(super) fn case() -> impl Strategy<Value = Case> {
        let buyers =
            prop_oneof![Just(Buyers::New), Just(Buyers::Thread), (1..4_u64).prop_map(Buyers::Pool)];
        let fates = prop::collection::vec(prop::collection::vec(select(&FATES[..]), 0..5), 1..4);
        let faults = prop::collection::vec((select(&FAULTS[..]), 0..99_usize, 0..99_usize), 0..4);
        let sale = (0..6_u64, 1..3_u32, 0..3_u64);
        (any::<u64>(), buyers, sale, fates, faults, prop::bool::weighted(0.8)).prop_map(
            |(seed, buyers, (stock, per_buyer, earlier), fates, faults, settled)| {
                let ids = Ids::new(seed, buyers);
                let mut case = honest(ids, stock, per_buyer, earlier, &fates);
                case.settled = settled;
                faults.into_iter().for_each(|(fault, a, b)| case.go_wrong(fault, a, b));
                case
            },
        )
    }

    /// A run against a server that does right, after some attempts of an earlier run.
    fn honest(ids: Ids, stock: u64, per_buyer: u32, earlier: u64, fates: &[Vec<Fate>]) -> Case {
        let sent: Vec<_> = fates.iter().map(|fates| fates.len() as u64).collect();
        let mut history = history(ids, &sent);
        let mut ledger = ledger(stock, stock as i64, per_buyer, Vec::new());
        let earlier_ids = Ids::new(!0, Buyers::New);
        for index in 0..earlier {
            decide(&mut ledger, &earlier_ids, AttemptNo { thread: 0, index });
        }
        history.begin_with(ledger.clone());
        for (thread, fates) in fates.iter().enumerate() {
            for (index, fate) in fates.iter().enumerate() {
                let attempt = AttemptNo { thread: thread as u32, index: index as u64 };
                if !matches!(fate, Fate::Refused | Fate::Vanished) {
                    decide(&mut ledger, &ids, attempt);
                }
                let told = match (fate, ledger.rows.last().map(|row| &row.status)) {
                    (Fate::Refused, _) => continue,
                    (Fate::Accepted, _) => Told::Accepted,
                    (Fate::Decided, Some(Status::Won(id))) => Told::Won(Box::new(id.clone())),
                    (Fate::Decided, _) => Told::Lost,
                    (Fate::Swallowed | Fate::Vanished, _) => Told::Unknown,
                };
                history.entries.push(Entry { attempt, told });
            }
        }
        Case { history, ledger, settled: true }
    }

    fn decide(ledger: &mut Ledger, ids: &Ids, attempt: AttemptNo) {
        let mut row = row(ids, attempt, Status::Lost);
        let won = |other: &&Row| other.uid == row.uid && other.status != Status::Lost;
        let bought = ledger.rows.iter().filter(won).count();
        if ledger.sale.stock_left > 0 && bought < ledger.sale.per_buyer as usize {
            row.status = order(ledger.rows.len() + 1);
            ledger.sale.stock_left -= 1;
        }
        ledger.rows.push(row);
    }

    impl Case {
        fn go_wrong(&mut self, fault: Fault, a: usize, b: usize) {
            let len = self.ledger.rows.len();
            if len > 0 {
                self.spoil_row(fault, a % len, b);
            }
            self.spoil_rest(fault, a, b);
        }

        fn spoil_row(&mut self, fault: Fault, at: usize, b: usize) {
            let rows = &mut self.ledger.rows;
            let len = rows.len();
            let other = rows[b % len].clone();
            match fault {
                Fault::RowTwice => rows.insert(b % len, rows[at].clone()),
                Fault::RowGone => drop(rows.remove(at)),
                Fault::RowMoved => rows.swap(at, b % len),
                Fault::OtherBuyer => rows[at].uid = other.uid,
                Fault::OtherItem => rows[at].item = "coffee".into(),
                Fault::OtherOrder => rows[at].status = order(100 + b % 3),
                Fault::SameOrder => rows[at].status = other.status,
                Fault::Requeued => rows[at].status = Status::Queued,
                Fault::LostInstead => rows[at].status = Status::Lost,
                Fault::WonInstead => rows[at].status = order(200 + at),
                Fault::BeforeForgotten => drop(self.history.before.remove(&other.request_id)),
                Fault::BeforeOfOurs => {
                    self.history.before.insert(other.request_id, other.status);
                }
                Fault::BeforeOther => {
                    self.history.before.insert(rows[at].request_id, other.status);
                }
                _ => {}
            }
        }

        fn spoil_rest(&mut self, fault: Fault, a: usize, b: usize) {
            let ids = self.history.ids;
            let thread = a % self.history.sent.len();
            let sent = self.history.sent[thread];
            let attempt = |index| AttemptNo { thread: thread as u32, index };
            let foreign = Ids::new(42, Buyers::New);
            let mut refused: Vec<_> = (0..sent).map(attempt).collect();
            refused.retain(|one| self.history.entries.iter().all(|entry| entry.attempt != *one));
            let added = match fault {
                Fault::RowOfRefused if !refused.is_empty() => {
                    let added = row(&ids, refused[b % refused.len()], Status::Lost);
                    if b.is_multiple_of(3) {
                        self.history.before.insert(added.request_id, Status::Lost);
                    }
                    added
                }
                Fault::Foreigner => row(&foreign, attempt(b as u64), Status::Lost),
                Fault::ForeignOrder => row(&foreign, attempt(b as u64), order(300 + b)),
                Fault::BeyondSent => row(&ids, attempt(sent + b as u64 % 2), order(400 + b)),
                Fault::StockLeft => return self.ledger.sale.stock_left += b as i64 % 7 - 3,
                Fault::Stock => return self.ledger.sale.stock = b as u64 % 6,
                Fault::Limit => return self.ledger.sale.per_buyer = b as u32 % 3,
                Fault::ToldOther => return self.tell_other(a, b),
                _ => return self.spoil_before(fault, b),
            };
            self.ledger.rows.push(added);
        }

        fn spoil_before(&mut self, fault: Fault, b: usize) {
            let History { before, sale_before, .. } = &mut self.history;
            match (fault, sale_before) {
                (Fault::BeforeGone, _) => {
                    let status = [Status::Queued, Status::Lost, order(500)][b % 3].clone();
                    let attempt = AttemptNo { thread: 0, index: b as u64 };
                    before.insert(Ids::new(43, Buyers::New).request_id(attempt), status);
                }
                (Fault::TermsBefore, Some(sale)) if b.is_multiple_of(2) => sale.stock += 1,
                (Fault::TermsBefore, Some(sale)) => sale.per_buyer += 1,
                (Fault::SaleBefore, Some(sale)) => sale.epoch += 1,
                (Fault::SaleNotSeen, sale) => *sale = None,
                _ => {}
            }
        }

        fn tell_other(&mut self, a: usize, b: usize) {
            let len = self.history.entries.len();
            if len > 0 {
                let told =
                    [Told::Accepted, Told::Won(Box::new(order_id(b))), Told::Lost, Told::Unknown];
                self.history.entries[a % len].told = told[b % told.len()].clone();
            }
        }
    }
}

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
