//! The audit: compared with a slow reference implementation on random runs, and with each invariant
//! broken on purpose.

mod breaks;
mod comparison;
mod invariants;
mod random_runs;
mod reference;
mod scene;

use seckill::history::SaleTerms;
use seckill::history::{AttemptNo, History, Ids, Ledger, Row, Status};
use seckill::ids::OrderId;
use seckill::judge::{Audit, Invariant};

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
    Ledger { sale: SaleTerms { item: ITEM.into(), epoch: 1, stock, stock_left, per_buyer }, rows }
}

fn history(ids: Ids, sent: &[u64]) -> History {
    let mut history = History::new(ids, ITEM.parse().unwrap(), sent.len());
    history.sent = sent.to_vec();
    history
}

/// The invariants that an audit reports as broken, in its order.
fn broken(audit: &Audit) -> Vec<Invariant> {
    audit.violations.iter().map(|violation| violation.invariant).collect()
}
