//! The audit: compared with a slow reference implementation on random runs, and with each invariant
//! broken on purpose.

mod breaks;
mod comparison;
mod invariants;
mod mutations;
mod oracle;
mod random_runs;
mod reference;
mod scene;
mod times;

use seckill::history::{
    AttemptNo, Entry, History, Hours, Ids, Ledger, Row, SaleTerms, Status, Tells,
};
use seckill::ids::OrderId;
use seckill::judge::{Audit, Invariant};

const ITEM: &str = "tea";

/// The row of an attempt of which the server decided at once in this turn; turns come in order.
fn row(ids: &Ids, attempt: AttemptNo, status: Status, turn: u64) -> Row {
    let mut row = Row {
        request_id: ids.request_id(attempt),
        uid: ids.buyer_id(attempt).as_str().into(),
        item: ITEM.into(),
        seq: turn,
        accepted_us: times::accepted_us(turn),
        decided_us: None,
        status: Status::Queued,
        order: None,
    };
    set_status(&mut row, status);
    row
}

/// Changes a row's state, and the time of the decision with it.
fn set_status(row: &mut Row, status: Status) {
    row.decided_us = (status != Status::Queued).then_some(times::decided_us(row.accepted_us));
    row.status = status;
}

/// The attempt whose request was sent and answered in this turn.
fn entry(attempt: AttemptNo, answered: seckill::history::Answered, turn: u64) -> Entry {
    let times::Window { sent_us, answered_us } = times::window(turn);
    Entry { attempt, answered, sent_us, answered_us, refusal: None }
}

fn order(number: usize) -> Status {
    Status::Won(order_id(number))
}

fn order_id(number: usize) -> OrderId {
    OrderId::new(&ITEM.parse().unwrap(), 1, number as u64)
}

fn ledger(stock: u64, stock_left: i64, per_buyer: u32, rows: Vec<Row>) -> Ledger {
    let (item, hours, hold_us) = (ITEM.into(), Hours::default(), None);
    Ledger {
        sale: SaleTerms { item, epoch: 1, stock, stock_left, per_buyer, hours, hold_us },
        rows,
        is_miscounted: false,
        tells: Tells::EVERYTHING,
    }
}

fn history(ids: Ids, sent: &[u64]) -> History {
    let mut history = History::new(ids, ITEM.parse().unwrap(), sent.len(), times::BEGAN_US);
    history.sent = sent.to_vec();
    history
}

/// The same ledger, as it was read before a run: everything in it happened before the run began.
fn before_the_run(mut ledger: Ledger) -> Ledger {
    ledger.rows.iter_mut().for_each(times::make_earlier);
    ledger
}

/// The invariants that an audit reports as broken, in its order.
fn broken(audit: &Audit) -> Vec<Invariant> {
    audit.violations.iter().map(|violation| violation.invariant).collect()
}
