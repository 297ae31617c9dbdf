//! Random runs against a server that is mostly correct.

use proptest::prelude::*;
use proptest::sample::select;
use seckill::history::{
    Answered, AttemptNo, History, Ids, Ledger, Loss, Refused, ResultRead, Row, Status,
};
use seckill::ids::RequestId;
use seckill::settings::Buyers;

use super::scene::request;
use super::{before_the_run, entry, history, ledger, order, order_id, row, set_status};

#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) history: History,
    pub(super) ledger: Ledger,
    pub(super) settled: bool,
}

/// What happens to one attempt.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Refused,
    Accepted,
    /// The answer contains the decision.
    Decided,
    /// There is no answer, but the attempt has an effect.
    Swallowed,
    /// There is neither an answer nor an effect.
    Vanished,
}

/// A fault in a run. The row or entry that it affects is chosen separately.
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
    OtherLoss,
    ToldResult,
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

const FAULTS: [Fault; 27] = [
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
    Fault::OtherLoss,
    Fault::ToldResult,
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

/// All reasons; `SoldOut` is the one in a correct run.
const LOSSES: [Loss; 5] =
    [Loss::SoldOut, Loss::AlreadyBought, Loss::SaleReplaced, Loss::Undeliverable, Loss::Unstated];

/// A turn after all attempts of a run.
const LATE: u64 = 100;

const SOLD_OUT: Status = Status::Lost(Loss::SoldOut);

pub(super) fn case() -> impl Strategy<Value = Case> {
    let buyers =
        prop_oneof![Just(Buyers::New), Just(Buyers::Thread), (1..4_u64).prop_map(Buyers::Pool)];
    let fates = prop::collection::vec(prop::collection::vec(select(&FATES[..]), 0..5), 1..4);
    let faults = prop::collection::vec((select(&FAULTS[..]), 0..99_usize, 0..99_usize), 0..4);
    let sale = (0..6_u64, 1..3_u32, 0..3_u64);
    (any::<u64>(), buyers, sale, fates, faults, prop::bool::weighted(0.8)).prop_map(
        |(seed, buyers, (stock, per_buyer, earlier), fates, faults, settled)| {
            let ids = Ids::new(seed, buyers);
            let mut case = correct_run(ids, stock, per_buyer, earlier, &fates);
            case.settled = settled;
            faults.into_iter().for_each(|(fault, a, b)| case.apply(fault, a, b));
            case
        },
    )
}

/// A run against a correct server, after some attempts of an earlier run.
fn correct_run(ids: Ids, stock: u64, per_buyer: u32, earlier: u64, fates: &[Vec<Fate>]) -> Case {
    let sent: Vec<_> = fates.iter().map(|fates| fates.len() as u64).collect();
    let mut history = history(ids, &sent);
    let mut ledger = ledger(stock, stock as i64, per_buyer, Vec::new());
    let earlier_ids = Ids::new(!0, Buyers::New).unmarked();
    for index in 0..earlier {
        decide(&mut ledger, &earlier_ids, AttemptNo { thread: 0, index }, index);
    }
    let mut ledger = before_the_run(ledger);
    history.begin_with(ledger.clone());
    let mut turns = earlier..;
    for (thread, fates) in fates.iter().enumerate() {
        for (index, fate) in fates.iter().enumerate() {
            let attempt = AttemptNo { thread: thread as u32, index: index as u64 };
            let turn = turns.next().unwrap();
            if !matches!(fate, Fate::Refused | Fate::Vanished) {
                decide(&mut ledger, &ids, attempt, turn);
            }
            let answered = match (fate, ledger.rows.last().map(|row| &row.status)) {
                (Fate::Refused, _) => {
                    history.refusals.add(Refused::Unavailable, request(attempt, turn));
                    continue;
                }
                (Fate::Accepted, _) => Answered::Accepted,
                (Fate::Decided, Some(Status::Won(id))) => Answered::Won(Box::new(id.clone())),
                (Fate::Decided, Some(Status::Lost(loss))) => Answered::Lost(*loss),
                (Fate::Decided, _) => unreachable!("it was decided"),
                (Fate::Swallowed | Fate::Vanished, _) => Answered::Unknown,
            };
            history.entries.push(entry(attempt, answered, turn));
        }
    }
    let ids = history.entries.iter().step_by(2).map(|entry| ids.request_id(entry.attempt));
    let results = ids.map(|id| read_after(id, status_of(&ledger, id)));
    history.results = results.collect();
    Case { history, ledger, settled: true }
}

fn status_of(ledger: &Ledger, id: RequestId) -> Option<Status> {
    ledger.rows.iter().find(|row| row.request_id == id).map(|row| row.status.clone())
}

/// A result that was read after the run. It has no times, and these runs have no states of the
/// sale, so it counts as read when everything was decided.
fn read_after(request_id: RequestId, status: Option<Status>) -> ResultRead {
    ResultRead { request_id, status, order: None, held_until_us: None, sent_us: 0, answered_us: 0 }
}

fn decide(ledger: &mut Ledger, ids: &Ids, attempt: AttemptNo, turn: u64) {
    let mut row = row(ids, attempt, SOLD_OUT, turn);
    let won = |other: &&Row| other.uid == row.uid && matches!(other.status, Status::Won(_));
    let bought = ledger.rows.iter().filter(won).count();
    if bought >= ledger.sale.per_buyer as usize {
        row.status = Status::Lost(Loss::AlreadyBought);
    } else if ledger.sale.stock_left > 0 {
        row.status = order(ledger.rows.len() + 1);
        ledger.sale.stock_left -= 1;
    }
    ledger.rows.push(row);
}

impl Case {
    fn apply(&mut self, fault: Fault, a: usize, b: usize) {
        let len = self.ledger.rows.len();
        if len > 0 {
            self.change_row(fault, a % len, b);
        }
        self.change_others(fault, a, b);
    }

    fn change_row(&mut self, fault: Fault, at: usize, b: usize) {
        let rows = &mut self.ledger.rows;
        let len = rows.len();
        let other = rows[b % len].clone();
        match fault {
            Fault::RowTwice => rows.insert(b % len, rows[at].clone()),
            Fault::RowGone => drop(rows.remove(at)),
            Fault::RowMoved => rows.swap(at, b % len),
            Fault::OtherBuyer => rows[at].uid = other.uid,
            Fault::OtherItem => rows[at].item = "coffee".into(),
            Fault::OtherOrder => set_status(&mut rows[at], order(100 + b % 3)),
            Fault::SameOrder => set_status(&mut rows[at], other.status),
            Fault::Requeued => set_status(&mut rows[at], Status::Queued),
            Fault::LostInstead => set_status(&mut rows[at], SOLD_OUT),
            Fault::WonInstead => set_status(&mut rows[at], order(200 + at)),
            Fault::OtherLoss => set_status(&mut rows[at], Status::Lost(LOSSES[b % LOSSES.len()])),
            Fault::BeforeForgotten => drop(self.history.before.remove(&other.request_id)),
            Fault::BeforeOfOurs => {
                self.history.before.insert(other.request_id, other);
            }
            Fault::BeforeOther => {
                let before = Row { status: other.status, ..rows[at].clone() };
                self.history.before.insert(before.request_id, before);
            }
            _ => {}
        }
    }

    fn change_others(&mut self, fault: Fault, a: usize, b: usize) {
        let ids = self.history.ids;
        let thread = a % self.history.sent.len();
        let sent = self.history.sent[thread];
        let attempt = |index| AttemptNo { thread: thread as u32, index };
        let foreign = Ids::new(42, Buyers::New).unmarked();
        let mut refused: Vec<_> = (0..sent).map(attempt).collect();
        refused.retain(|one| self.history.entries.iter().all(|entry| entry.attempt != *one));
        let added = match fault {
            Fault::RowOfRefused if !refused.is_empty() => {
                let added = row(&ids, refused[b % refused.len()], SOLD_OUT, LATE);
                if b.is_multiple_of(3) {
                    self.history.before.insert(added.request_id, added.clone());
                }
                added
            }
            Fault::Foreigner => row(&foreign, attempt(b as u64), SOLD_OUT, LATE),
            Fault::ForeignOrder => row(&foreign, attempt(b as u64), order(300 + b), LATE),
            Fault::BeyondSent => row(&ids, attempt(sent + b as u64 % 2), order(400 + b), LATE),
            Fault::StockLeft => return self.ledger.sale.stock_left += b as i64 % 7 - 3,
            Fault::Stock => return self.ledger.sale.stock = b as u64 % 6,
            Fault::Limit => return self.ledger.sale.per_buyer = b as u32 % 3,
            Fault::ToldOther => return self.change_answer(a, b),
            Fault::ToldResult => return self.change_result(a, b),
            _ => return self.change_before(fault, b),
        };
        self.ledger.rows.push(added);
    }

    fn change_before(&mut self, fault: Fault, b: usize) {
        let History { before, sale_before, .. } = &mut self.history;
        match (fault, sale_before) {
            (Fault::BeforeGone, _) => {
                let status = [Status::Queued, SOLD_OUT, order(500)][b % 3].clone();
                let attempt = AttemptNo { thread: 0, index: b as u64 };
                let row = row(&Ids::new(43, Buyers::New).unmarked(), attempt, status, 0);
                before.insert(row.request_id, row);
            }
            (Fault::TermsBefore, Some(sale)) if b.is_multiple_of(2) => sale.stock += 1,
            (Fault::TermsBefore, Some(sale)) => sale.per_buyer += 1,
            (Fault::SaleBefore, Some(sale)) => sale.epoch += 1,
            (Fault::SaleNotSeen, sale) => *sale = None,
            _ => {}
        }
    }

    fn change_answer(&mut self, a: usize, b: usize) {
        let len = self.history.entries.len();
        if len > 0 {
            let answers = [
                Answered::Accepted,
                Answered::Won(Box::new(order_id(b))),
                Answered::Lost(LOSSES[b / 4 % LOSSES.len()]),
                Answered::Unknown,
            ];
            self.history.entries[a % len].answered = answers[b % answers.len()].clone();
        }
    }

    fn change_result(&mut self, a: usize, b: usize) {
        let results = [
            None,
            Some(Status::Queued),
            Some(order(b)),
            Some(Status::Lost(LOSSES[b / 4 % LOSSES.len()])),
        ];
        let result = results[b % results.len()].clone();
        let len = self.history.results.len();
        if len > 0 {
            self.history.results[a % len].status = result;
        } else {
            let attempt = AttemptNo { thread: 0, index: a as u64 };
            let id = self.history.ids.request_id(attempt);
            self.history.results.push(read_after(id, result));
        }
    }
}
