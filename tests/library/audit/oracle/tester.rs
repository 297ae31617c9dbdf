//! A second opinion: the linearizability tester of `stateright`, for histories in which every
//! answer is a decision or a refusal. It shares neither the search nor the sale with the first.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use seckill::history::{Answered, Entry, History, Loss, Refused, Status, View};
use seckill::ids::RequestId;
use stateright::semantics::{ConsistencyTester, LinearizabilityTester, SequentialSpec};

use super::run::Evidence;
use super::search::Answer;

/// Steps after which a history is given up: the tester visits a state again on each way to it.
const STEPS_MAX: usize = 2_000;

/// What a client does.
#[derive(Debug, Clone)]
enum Operation {
    /// If it gets no answer, the row in the ledger says what became of it.
    Buy { id: RequestId, buyer: String, row: Option<Status> },
    ReadResult(RequestId),
    ReadTerms,
    ReadOrders,
    ReadLeft,
    ReadLedger,
}

#[derive(Debug, Clone, PartialEq)]
enum Told {
    Status(Status),
    Refused(Refused),
    Result(Option<Status>),
    Terms(u64, u32),
    Number(i128),
    Rows(BTreeMap<RequestId, (String, Status)>),
}

/// The sale that decides at once.
#[derive(Debug, Clone)]
struct Shop {
    stock: u64,
    limit: u32,
    rows: BTreeMap<RequestId, (String, Status)>,
    steps: Rc<Cell<usize>>,
}

impl Shop {
    fn orders(&self, of: impl Fn(&str) -> bool) -> u64 {
        let rows = self.rows.values();
        rows.filter(|(uid, status)| matches!(status, Status::Won(_)) && of(uid)).count() as u64
    }

    fn left(&self) -> i128 {
        i128::from(self.stock) - i128::from(self.orders(|_| true))
    }

    fn is_at_limit(&self, buyer: &str) -> bool {
        self.orders(|uid| uid == buyer) >= self.limit.into()
    }

    /// Whether an attempt of this buyer can be decided so now.
    fn can_decide(&self, buyer: &str, status: &Status) -> bool {
        let is_order_new = self.rows.values().all(|(_, row)| row != status);
        match status {
            Status::Queued => false,
            Status::Won(_) => self.left() > 0 && !self.is_at_limit(buyer) && is_order_new,
            Status::Lost(Loss::SoldOut) => self.left() <= 0,
            Status::Lost(Loss::AlreadyBought) => self.is_at_limit(buyer),
            Status::Lost(_) => self.left() <= 0 || self.is_at_limit(buyer),
        }
    }

    fn buy(&mut self, id: RequestId, buyer: &str, told: &Told) -> bool {
        let is_new = !self.rows.contains_key(&id);
        match told {
            Told::Refused(Refused::SoldOut) => is_new && self.left() <= 0,
            Told::Refused(Refused::AlreadyBought) => is_new && self.is_at_limit(buyer),
            Told::Refused(refused) => refused.is_temporary(),
            Told::Status(status) if is_new && self.can_decide(buyer, status) => {
                self.rows.insert(id, (buyer.to_owned(), status.clone()));
                true
            }
            _ => false,
        }
    }

    fn has_rows(&self, rows: &BTreeMap<RequestId, (String, Status)>) -> bool {
        let same = |(one, other): (_, _)| {
            let ((id, (uid, status)), (other_id, (other_uid, other))): (
                (&RequestId, &(String, Status)),
                (&RequestId, &(String, Status)),
            ) = (one, other);
            id == other_id && uid == other_uid && status.agrees_with(other)
        };
        self.rows.len() == rows.len() && self.rows.iter().zip(rows).all(same)
    }
}

impl SequentialSpec for Shop {
    type Op = Operation;
    type Ret = Told;

    /// Does what got no answer: the sale decides about it as it must, or as the ledger says.
    fn invoke(&mut self, operation: &Operation) -> Told {
        self.steps.set(self.steps.get() + 1);
        let Operation::Buy { id, buyer, row } = operation else {
            unreachable!("every reading of a history has an answer")
        };
        let of_ledger = row.clone().filter(|status| self.can_decide(buyer, status));
        let status = of_ledger.unwrap_or_else(|| match (self.left() > 0, self.is_at_limit(buyer)) {
            (true, false) => Status::Won(super::sale::order(1000 + self.orders(|_| true))),
            (true, true) => Status::Lost(Loss::AlreadyBought),
            (false, _) => Status::Lost(Loss::SoldOut),
        });
        self.rows.insert(*id, (buyer.clone(), status.clone()));
        Told::Status(status)
    }

    fn is_valid_step(&mut self, operation: &Operation, told: &Told) -> bool {
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > STEPS_MAX {
            return false;
        }
        match (operation, told) {
            (Operation::Buy { id, buyer, .. }, told) => self.buy(*id, buyer, told),
            (Operation::ReadResult(id), Told::Result(result)) => {
                match (self.rows.get(id), result) {
                    (None, None) => true,
                    (Some((_, row)), Some(result)) => row.agrees_with(result),
                    _ => false,
                }
            }
            (Operation::ReadTerms, told) => *told == Told::Terms(self.stock, self.limit),
            (Operation::ReadOrders, told) => {
                *told == Told::Number(self.orders(|_| true).into())
            }
            (Operation::ReadLeft, told) => *told == Told::Number(self.left()),
            (Operation::ReadLedger, Told::Rows(rows)) => self.has_rows(rows),
            _ => false,
        }
    }
}

/// What was sent and answered at these moments; `None` if it got no answer.
type Call = (u64, u64, Operation, Option<Told>);

/// Whether the tester finds an explanation; `None` if the history is none of its kind.
pub(super) fn explains(evidence: &Evidence) -> Option<Answer> {
    let calls = calls(evidence)?;
    let steps = Rc::new(Cell::new(0));
    let sale = evidence.history.sale_before.as_ref()?;
    let (stock, limit, rows) = (sale.stock, sale.per_buyer, BTreeMap::new());
    let shop = Shop { stock, limit, rows, steps: Rc::clone(&steps) };
    let mut tester = LinearizabilityTester::new(shop);
    let sent = calls.iter().enumerate().map(|(at, call)| (call.0, false, at));
    let answered = calls.iter().enumerate().map(|(at, call)| (call.1, true, at));
    let mut events: Vec<(u64, bool, usize)> = sent.chain(answered).collect();
    // What is sent in the same microsecond in which something is answered is concurrent with it.
    events.sort_unstable();
    for (_, is_answer, at) in events {
        // Each call is a thread of its own, since calls without an answer never end.
        let (_, _, operation, told) = &calls[at];
        match (is_answer, told) {
            (false, _) => tester.on_invoke(at, operation.clone()).map(|_| ()),
            (true, Some(told)) => tester.on_return(at, told.clone()).map(|_| ()),
            (true, None) => Ok(()),
        }
        .unwrap();
    }
    let is_consistent = tester.is_consistent();
    Some(match (is_consistent, steps.get() > STEPS_MAX) {
        (true, _) => Answer::Explained,
        (false, true) => Answer::GivenUp,
        (false, false) => Answer::Impossible,
    })
}

/// The calls of a history in which nothing waits for a decision, and every attempt has one request.
fn calls(evidence: &Evidence) -> Option<Vec<Call>> {
    let Evidence { history, ledger, is_settled, .. } = evidence;
    let is_waiting = ledger.rows.iter().any(|row| row.status == Status::Queued)
        || history.results.iter().any(|read| read.status == Some(Status::Queued))
        || history.entries.iter().any(|entry| entry.answered == Answered::Accepted)
        || history.views.iter().any(|view| view.sale.queued > 0);
    let has_hours = [Refused::NotOpen, Refused::Closed];
    let has_hours = has_hours.iter().any(|refused| history.refusals.of(*refused).is_some());
    if is_waiting || has_hours || !is_settled || !history.before.is_empty() {
        return None;
    }
    let mut calls = purchases(evidence)?;
    for read in &history.results {
        let told = Told::Result(read.status.clone());
        let operation = Operation::ReadResult(read.request_id);
        calls.push((read.sent_us, read.answered_us, operation, Some(told)));
    }
    let mut ledger_us = evidence.ledger_from_us;
    for View { sent_us, answered_us, sale } in history.views.iter() {
        let terms = Told::Terms(sale.stock, sale.per_buyer?);
        let read = [
            (Operation::ReadTerms, terms),
            (Operation::ReadOrders, Told::Number(sale.orders.into())),
            (Operation::ReadLeft, Told::Number(sale.stock_left.into())),
        ];
        calls.extend(read.map(|(read, told)| (*sent_us, *answered_us, read, Some(told))));
    }
    let settled = history.views.iter().find(|view| view.sent_us > evidence.ended_us);
    ledger_us = ledger_us.max(settled.map_or(0, |view| view.sent_us));
    let rows = ledger.rows.iter();
    let has_order = rows.clone().zip(rows.clone().skip(1)).all(|(one, next)| one.seq < next.seq);
    let has_items = rows.clone().all(|row| *row.item == *history.item.as_str());
    let rows: BTreeMap<_, _> =
        rows.map(|row| (row.request_id, (row.uid.to_string(), row.status.clone()))).collect();
    let is_well_formed = has_order && has_items && rows.len() == ledger.rows.len();
    let rows = Told::Rows(if is_well_formed { rows } else { return None });
    let told = [
        (Operation::ReadTerms, Told::Terms(ledger.sale.stock, ledger.sale.per_buyer)),
        (Operation::ReadLeft, Told::Number(ledger.sale.stock_left.into())),
        (Operation::ReadLedger, rows),
    ];
    calls.extend(told.map(|(read, told)| (ledger_us, u64::MAX, read, Some(told))));
    Some(calls)
}

fn purchases(evidence: &Evidence) -> Option<Vec<Call>> {
    let Evidence { history, ledger, .. } = evidence;
    let History { ids, entries, refusals, .. } = history;
    let mut calls = Vec::new();
    let mut attempts = Vec::new();
    for Entry { attempt, answered, sent_us, answered_us, refusal } in entries {
        let told = match answered {
            Answered::Won(order) => Some(Told::Status(Status::Won((**order).clone()))),
            Answered::Lost(loss) => Some(Told::Status(Status::Lost(*loss))),
            Answered::Accepted | Answered::Unknown => None,
        };
        let id = ids.request_id(*attempt);
        let row = ledger.rows.iter().find(|row| row.request_id == id);
        let row = row.map(|row| row.status.clone());
        let buy = Operation::Buy { id, buyer: ids.buyer(*attempt).to_string(), row };
        calls.push((*sent_us, *answered_us, buy, told));
        attempts.push(*attempt);
        if refusal.is_some() {
            return None;
        }
    }
    for (refused, tally) in refusals.iter() {
        for window in &tally.sample {
            let (id, buyer) = (ids.request_id(window.attempt), ids.buyer(window.attempt));
            let buy = Operation::Buy { id, buyer: buyer.to_string(), row: None };
            let told = Some(Told::Refused(refused));
            calls.push((window.sent_us, window.answered_us, buy, told));
            attempts.push(window.attempt);
        }
    }
    attempts.sort_unstable();
    attempts.windows(2).all(|pair| pair[0] != pair[1]).then_some(calls)
}
