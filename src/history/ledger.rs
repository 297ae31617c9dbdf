//! The ledger of a sale, as the tested system exports it. Reading it from a particular API is the
//! task of `sut`.

use crate::ids::{OrderId, RequestId};

/// The state of an accepted attempt, as the tested system reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Not decided yet.
    Queued,
    /// Won this order.
    Won(OrderId),
    /// Lost.
    Lost,
}

/// One accepted attempt, as the tested system reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its idempotency key.
    pub request_id: RequestId,
    /// The buyer.
    pub uid: Box<str>,
    /// The item.
    pub item: Box<str>,
    /// Its state.
    pub status: Status,
    /// Time from acceptance to decision, in microseconds; `None` if it is not decided.
    pub settle_us: Option<u64>,
}

/// The sale of a ledger.
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
