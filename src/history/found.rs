//! [`Found`]: an order or an attempt, as a source of the tested shop shows it.

use super::Loss;

/// One order or attempt as a source of the tested shop shows it; what it does not tell is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The attempt's idempotency key.
    pub request_id: Option<Box<str>>,
    /// The buyer, in whatever words the shop has for it.
    pub buyer: Option<Box<str>>,
    /// The order's id.
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

/// The state of a record; a source without states lists orders.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum FoundStatus {
    /// It is an order.
    #[default]
    Won,
    /// It lost, for this reason.
    Lost(Loss),
    /// It is not decided.
    Queued,
}
