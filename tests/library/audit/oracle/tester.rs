//! A second opinion: the linearizability tester of `stateright`, for histories in which every
//! answer is a decision or a refusal. It shares neither the search nor the sale with the first one.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use seckill::history::{
    Answered, Entry, History, Ledger, Loss, Refused, RequestWindow, Row, SaleView, Status, View,
};
use seckill::ids::{OrderId, RequestId};
use stateright::semantics::{ConsistencyTester, LinearizabilityTester, SequentialSpec};

use super::run::Evidence;
use super::search::Answer;

/// Calls of a history, and how many of them without an answer: the tester visits a state again on
/// each way to it.
const CALLS_MAX: usize = 24;
const UNANSWERED_MAX: usize = 3;

/// Steps after which a history is given up.
const STEPS_MAX: usize = 1_000;

/// What a client does.
#[derive(Debug, Clone)]
enum Operation {
    Buy { id: RequestId, buyer: String },
    ReadResult(RequestId),
    ReadSold,
    ReadLedger,
}

#[derive(Debug, Clone, PartialEq)]
enum Told {
    Nothing,
    Status(Status),
    Refused(Refused),
    Result(Option<Status>),
    Sold(i128),
    /// Each attempt with its buyer and its decision.
    Ledger(BTreeMap<RequestId, (String, Status)>),
}

/// A sale that decides at once.
#[derive(Debug, Clone)]
struct Shop {
    stock: u64,
    limit: u32,
    attempts: BTreeMap<RequestId, (String, Decision)>,
    steps: Rc<Cell<usize>>,
}

/// A decision, as far as it has been told.
#[derive(Debug, Clone)]
enum Decision {
    Won(Option<OrderId>),
    /// The reasons that may still be given.
    Lost(Vec<Loss>),
}

impl Shop {
    fn orders(&self, of: impl Fn(&str) -> bool) -> u64 {
        let attempts = self.attempts.values();
        let won = attempts.filter(|(uid, one)| matches!(one, Decision::Won(_)) && of(uid));
        won.count() as u64
    }

    fn left(&self) -> i128 {
        i128::from(self.stock) - i128::from(self.orders(|_| true))
    }

    fn is_at_limit(&self, buyer: &str) -> bool {
        self.orders(|uid| uid == buyer) >= self.limit.into()
    }

    /// Decides an attempt; `false` if it has been decided before.
    fn decide(&mut self, id: RequestId, buyer: &str) -> bool {
        let mut losses = Vec::new();
        losses.extend((self.left() <= 0).then_some(Loss::SoldOut));
        losses.extend(self.is_at_limit(buyer).then_some(Loss::AlreadyBought));
        let decision = if losses.is_empty() { Decision::Won(None) } else { Decision::Lost(losses) };
        self.attempts.insert(id, (buyer.to_owned(), decision)).is_none()
    }

    /// Tells a decision; `false` if the attempt has none, or has another one.
    fn tell(&mut self, id: &RequestId, status: &Status) -> bool {
        let is_of_another = self.attempts.iter().any(|(other, (_, decision))| {
            let order = if let Decision::Won(order) = decision { order.clone() } else { None };
            other != id && order.is_some_and(|order| *status == Status::Won(order))
        });
        match (self.attempts.get_mut(id).map(|(_, decision)| decision), status) {
            (Some(Decision::Won(known)), Status::Won(order)) => {
                !is_of_another && known.get_or_insert_with(|| order.clone()) == order
            }
            (Some(Decision::Lost(reasons)), Status::Lost(told)) => {
                reasons.retain(|reason| reason.agrees_with(*told));
                !reasons.is_empty()
            }
            _ => false,
        }
    }

    fn buy(&mut self, id: RequestId, buyer: &str, told: &Told) -> bool {
        let is_new = !self.attempts.contains_key(&id);
        match told {
            Told::Refused(Refused::SoldOut) => is_new && self.left() <= 0,
            Told::Refused(Refused::AlreadyBought) => is_new && self.is_at_limit(buyer),
            Told::Refused(refused) => refused.is_temporary(),
            Told::Status(status) => self.decide(id, buyer) && self.tell(&id, status),
            _ => false,
        }
    }

    fn has_all(&mut self, rows: &BTreeMap<RequestId, (String, Status)>) -> bool {
        let is_same = |(id, (uid, status)): (&RequestId, &(String, Status))| {
            self.tell(id, status) && self.attempts[id].0 == *uid
        };
        rows.iter().all(is_same) && self.attempts.len() == rows.len()
    }
}

impl SequentialSpec for Shop {
    type Op = Operation;
    type Ret = Told;

    /// Does what got no answer.
    fn invoke(&mut self, operation: &Operation) -> Told {
        self.steps.set(self.steps.get() + 1);
        if let Operation::Buy { id, buyer } = operation {
            self.decide(*id, buyer);
        }
        Told::Nothing
    }

    fn is_valid_step(&mut self, operation: &Operation, told: &Told) -> bool {
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > STEPS_MAX {
            return false;
        }
        match (operation, told) {
            (Operation::Buy { id, buyer }, told) => self.buy(*id, buyer, told),
            (Operation::ReadResult(id), Told::Result(None)) => !self.attempts.contains_key(id),
            (Operation::ReadResult(id), Told::Result(Some(status))) => self.tell(id, status),
            (Operation::ReadSold, told) => *told == Told::Sold(self.orders(|_| true).into()),
            (Operation::ReadLedger, Told::Ledger(rows)) => self.has_all(rows),
            _ => false,
        }
    }
}

/// Whether the tester finds an explanation; `None` if the history is none of its kind.
pub(super) fn explains(evidence: &Evidence) -> Option<Answer> {
    let mut calls = calls(evidence)?;
    let views = evidence.history.views.iter();
    let is_of_one_moment =
        |sale: &SaleView| sold(sale.stock, sale.stock_left) == sale.orders.into();
    if !views.map(|view| &view.sale).all(is_of_one_moment) {
        return Some(Answer::Impossible);
    }
    calls.sort_by_key(|call| call.sent_us);
    let threads = threads(&calls);
    let sale = &evidence.ledger.sale;
    let (stock, limit, attempts) = (sale.stock, sale.per_buyer, BTreeMap::new());
    let steps = Rc::new(Cell::new(0));
    let shop = Shop { stock, limit, attempts, steps: Rc::clone(&steps) };
    let mut tester = LinearizabilityTester::new(shop);
    let sent = calls.iter().enumerate().map(|(at, call)| (call.sent_us, false, at));
    let answered = calls.iter().enumerate().map(|(at, call)| (call.answered_us, true, at));
    let mut events: Vec<(u64, bool, usize)> = sent.chain(answered).collect();
    // What is sent in the same microsecond in which something is answered is concurrent with it.
    events.sort_unstable();
    for (_, is_answer, at) in events {
        let Call { operation, told, .. } = &calls[at];
        let noted = match (is_answer, told) {
            (false, _) => tester.on_invoke(threads[at], operation.clone()),
            (true, Told::Nothing) => continue,
            (true, told) => tester.on_return(threads[at], told.clone()),
        };
        noted.expect("each call is sent once, and answered after it was sent");
    }
    let is_consistent = tester.is_consistent();
    Some(match (is_consistent, steps.get() > STEPS_MAX) {
        (true, _) => Answer::Explained,
        (false, true) => Answer::GivenUp,
        (false, false) => Answer::Impossible,
    })
}

/// A thread for each call, as few as possible: a thread makes one call after the other.
fn threads(calls: &[Call]) -> Vec<usize> {
    let mut free_from_us: Vec<u64> = Vec::new();
    let of_call = calls.iter().map(|call| {
        let is_free = |from_us: &u64| *from_us < call.sent_us;
        let free = free_from_us.iter().position(is_free);
        let thread = free.unwrap_or_else(|| {
            free_from_us.push(0);
            free_from_us.len() - 1
        });
        let has_answer = call.told != Told::Nothing;
        free_from_us[thread] = if has_answer { call.answered_us } else { u64::MAX };
        thread
    });
    of_call.collect()
}

struct Call {
    sent_us: u64,
    answered_us: u64,
    operation: Operation,
    told: Told,
}

/// Whether the terms are the same everywhere, and the ledger is not impossible in itself.
fn is_well_formed(history: &History, Ledger { sale, rows, .. }: &Ledger) -> bool {
    let views = history.views.iter().map(|view| &view.sale);
    let mut terms = views.map(|view| (view.stock, view.per_buyer));
    let is_order = |row: &&Row| matches!(row.status, Status::Won(_));
    let orders = rows.iter().filter(is_order).count();
    let ids: BTreeSet<RequestId> = rows.iter().map(|row| row.request_id).collect();
    terms.all(|terms| terms == (sale.stock, Some(sale.per_buyer)))
        && rows.windows(2).all(|pair| pair[0].seq < pair[1].seq)
        && rows.iter().all(|row| *row.item == *history.item.as_str())
        && ids.len() == rows.len()
        && sold(sale.stock, sale.stock_left) == orders as i128
}

fn sold(stock: u64, left: i64) -> i128 {
    i128::from(stock) - i128::from(left)
}

/// The calls of a history in which nothing waits for a decision, and each attempt has one request.
fn calls(evidence: &Evidence) -> Option<Vec<Call>> {
    let Evidence { history, ledger, settled, ledger_from_us } = evidence;
    let is_waiting = ledger.rows.iter().any(|row| row.status == Status::Queued)
        || history.results.iter().any(|read| read.status == Some(Status::Queued))
        || history.entries.iter().any(|entry| entry.answered == Answered::Accepted)
        || history.views.iter().any(|view| view.sale.queued > 0);
    let hours = [Refused::NotOpen, Refused::Closed];
    let has_hours = hours.into_iter().any(|refused| history.refusals.of(refused).is_some());
    if is_waiting || has_hours || !history.before.is_empty() || !is_well_formed(history, ledger) {
        return None;
    }
    let mut calls = purchases(history)?;
    for read in &history.results {
        let (sent_us, answered_us) = (read.sent_us, read.answered_us);
        let operation = Operation::ReadResult(read.request_id);
        let told = Told::Result(read.status.clone());
        calls.push(Call { sent_us, answered_us, operation, told });
    }
    for View { sent_us, answered_us, sale } in history.views.iter() {
        let (sent_us, answered_us) = (*sent_us, *answered_us);
        let (operation, told) = (Operation::ReadSold, Told::Sold(sale.orders.into()));
        calls.push(Call { sent_us, answered_us, operation, told });
    }
    settled.as_ref()?;
    let (sent_us, answered_us) = (*ledger_from_us, u64::MAX);
    let rows = ledger.rows.iter();
    let rows = rows.map(|row| (row.request_id, (row.uid.to_string(), row.status.clone())));
    let (operation, told) = (Operation::ReadLedger, Told::Ledger(rows.collect()));
    calls.push(Call { sent_us, answered_us, operation, told });
    let unanswered = calls.iter().filter(|call| call.told == Told::Nothing).count();
    (calls.len() <= CALLS_MAX && unanswered <= UNANSWERED_MAX).then_some(calls)
}

/// The purchases; `None` if an attempt has several requests.
fn purchases(history: &History) -> Option<Vec<Call>> {
    let History { ids, entries, refusals, .. } = history;
    let answered = entries.iter().map(|entry| {
        let Entry { attempt, answered, sent_us, answered_us, .. } = entry;
        let told = match answered {
            Answered::Won(order) => Told::Status(Status::Won((**order).clone())),
            Answered::Lost(loss) => Told::Status(Status::Lost(*loss)),
            Answered::Accepted | Answered::Unknown => Told::Nothing,
        };
        let (attempt, sent_us, answered_us) = (*attempt, *sent_us, *answered_us);
        (RequestWindow { attempt, sent_us, answered_us }, told)
    });
    let refused = refusals.iter().flat_map(|(refused, tally)| {
        tally.sample.iter().map(move |window| (*window, Told::Refused(refused)))
    });
    let told: Vec<(RequestWindow, Told)> = answered.chain(refused).collect();
    let mut attempts: Vec<_> = told.iter().map(|(window, _)| window.attempt).collect();
    attempts.sort_unstable();
    let calls = told.into_iter().map(|(window, told)| {
        let RequestWindow { attempt, sent_us, answered_us } = window;
        let (id, buyer) = (ids.request_id(attempt), ids.buyer(attempt).to_string());
        Call { sent_us, answered_us, operation: Operation::Buy { id, buyer }, told }
    });
    attempts.windows(2).all(|pair| pair[0] != pair[1]).then(|| calls.collect())
}
