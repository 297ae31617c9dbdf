//! One attempt to buy.

use crate::ids::{BuyerId, ItemId, RequestId};

/// One purchase request, as it was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its idempotency key.
    pub request_id: RequestId,
    /// The buyer.
    pub buyer: BuyerId,
    /// The item to buy.
    pub item: ItemId,
    /// Which sale of that item: an attempt never wins in a later one.
    pub epoch: u64,
    /// Position in the order of acceptance.
    pub seq: u64,
    /// When it was accepted, in microseconds since the Unix epoch.
    pub accepted_us: u64,
}

/// An attempt before it has a position in the order of acceptance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAttempt {
    /// Its idempotency key.
    pub request_id: RequestId,
    /// The buyer.
    pub buyer: BuyerId,
    /// The item to buy.
    pub item: ItemId,
    /// Which sale of that item.
    pub epoch: u64,
    /// When it arrived, in microseconds since the Unix epoch.
    pub accepted_us: u64,
}

impl NewAttempt {
    /// The attempt at this position.
    pub fn at(self, seq: u64) -> Attempt {
        let Self { request_id, buyer, item, epoch, accepted_us } = self;
        Attempt { request_id, buyer, item, epoch, seq, accepted_us }
    }
}
