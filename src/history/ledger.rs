//! The truth about a sale, as the tested system exports it. How it is read from a certain API is
//! `sut`'s.

use crate::ids::{OrderId, RequestId};

/// What became of an accepted attempt, as the tested system says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Not decided.
    Queued,
    /// Has this order.
    Won(OrderId),
    /// Has none.
    Lost,
}

/// One accepted attempt, as the tested system says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its idempotency key.
    pub request_id: RequestId,
    /// The buyer.
    pub uid: Box<str>,
    /// What was bought.
    pub item: Box<str>,
    /// What became of it.
    pub status: Status,
    /// From acceptance to decision, in microseconds, for a decided one.
    pub settle_us: Option<u64>,
}

/// The sale that a ledger is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleTerms {
    /// The item on sale.
    pub item: String,
    /// Which sale of its server this is: each fresh sale has a higher one.
    pub epoch: u64,
    /// Units at the opening.
    pub stock: u64,
    /// Units not sold; negative when oversold.
    pub stock_left: i64,
    /// Orders that one buyer may have.
    pub per_buyer: u32,
}

/// The whole ledger of one sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// The sale.
    pub sale: SaleTerms,
    /// Every accepted attempt, in the order of acceptance.
    pub rows: Vec<Row>,
}
