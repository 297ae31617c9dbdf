//! The decisions of one sale and the ends of its orders, each in their order, of which a snapshot
//! is cheap.

use std::collections::HashMap;
use std::sync::Arc;

use crate::api::OrderStatus;
use crate::ids::RequestId;

use super::super::Decided;
use super::super::orders::EndedOrders;

/// Entries in a block: a snapshot copies the last block, and a pointer to each full one.
const BLOCK_LEN: usize = 1_024;

/// A decision and the sequence number of its journal record: it counts once that is committed.
#[derive(Debug, Clone)]
pub(super) struct Logged {
    pub(super) decided: Arc<Decided>,
    pub(super) record: u64,
}

/// The end of an order, and the sequence number of its journal record.
#[derive(Debug, Clone, Copy)]
pub(super) struct LoggedEnd {
    pub(super) request_id: RequestId,
    pub(super) status: OrderStatus,
    pub(super) ended_us: u64,
    pub(super) record: u64,
}

/// The entries of one sale.
#[derive(Debug, Clone)]
pub(super) struct Blocks<T> {
    /// Blocks that do not change any more.
    full: Vec<Arc<Vec<T>>>,
    last: Vec<T>,
}

impl<T> Default for Blocks<T> {
    fn default() -> Self {
        Self { full: Vec::new(), last: Vec::new() }
    }
}

impl<T> Blocks<T> {
    pub(super) fn push(&mut self, logged: T) {
        self.last.push(logged);
        if self.last.len() == BLOCK_LEN {
            let full = std::mem::replace(&mut self.last, Vec::with_capacity(BLOCK_LEN));
            self.full.push(Arc::new(full));
        }
    }

    /// The newest entry.
    pub(super) fn newest(&self) -> Option<&T> {
        self.last.last().or_else(|| self.full.last()?.last())
    }

    fn iter(&self) -> impl Iterator<Item = &T> {
        self.full.iter().flat_map(|block| block.iter()).chain(&self.last)
    }
}

/// The newest journal record of a sale's decisions and of the ends of its orders.
pub(super) fn newest_record(decisions: &Blocks<Logged>, ends: &Blocks<LoggedEnd>) -> Option<u64> {
    let decision = decisions.newest().map(|logged| logged.record);
    decision.max(ends.newest().map(|end| end.record))
}

impl Blocks<LoggedEnd> {
    /// What has become of the orders that are not held any more.
    pub(super) fn ended(&self) -> EndedOrders {
        let ends = self.iter().map(|end| (end.request_id, (end.status, end.ended_us)));
        EndedOrders(ends.collect::<HashMap<_, _>>())
    }
}

impl Blocks<Logged> {
    /// The ids of all decided attempts.
    pub(super) fn ids(&self) -> Vec<RequestId> {
        self.iter().map(|logged| logged.decided.attempt.request_id).collect()
    }

    /// All decisions in the order of acceptance of their attempts.
    pub(super) fn by_acceptance(&self) -> Vec<Arc<Decided>> {
        let mut decided: Vec<_> = self.iter().map(|logged| Arc::clone(&logged.decided)).collect();
        decided.sort_by_key(|decided| decided.attempt.seq);
        decided
    }
}
