//! Orders and attempts as a source of the tested shop shows them, before they are a ledger.

use super::ledger::Loss;

/// The state of an order or attempt that a source shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FoundStatus {
    /// It is an order.
    Won,
    /// It lost, for this reason.
    Lost(Loss),
    /// It is not decided yet.
    Queued,
}

/// One order or attempt as a source of the tested shop shows it; what it does not tell is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Found {
    /// The idempotency key of the attempt.
    pub request_id: Option<Box<str>>,
    /// The buyer.
    pub buyer: Option<Box<str>>,
    /// The order.
    pub order_id: Option<Box<str>>,
    /// The item.
    pub item: Option<Box<str>>,
    /// Its position in the order of acceptance.
    pub seq: Option<u64>,
    /// When it was accepted, by the shop's clock, in microseconds since the Unix epoch.
    pub accepted_us: Option<u64>,
    /// When it was decided, in the same way.
    pub decided_us: Option<u64>,
    /// Its state.
    pub status: FoundStatus,
}

/// What a source can tell at all; all are true for the built-in API.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Tells {
    /// Every accepted attempt, and not only the orders.
    pub attempts: bool,
    /// The idempotency keys.
    pub request_ids: bool,
    /// The buyers.
    pub buyers: bool,
    /// The ids of orders.
    pub order_ids: bool,
    /// The items.
    pub items: bool,
    /// The positions in the order of acceptance.
    pub positions: bool,
    /// When attempts were accepted and decided.
    pub times: bool,
    /// The units left.
    pub stock: bool,
    /// How many orders one buyer may have.
    pub limit: bool,
}
