//! The ends of a sale's orders in their order, of which a snapshot is cheap.

use std::collections::HashMap;
use std::sync::Arc;

use crate::api::OrderStatus;
use crate::ids::RequestId;

use super::super::orders::EndedOrders;

/// Entries in a block: a snapshot copies the last block, and a pointer to each full one.
const BLOCK_LEN: usize = 1_024;

/// The end of an order, and the sequence number of its journal record.
#[derive(Debug, Clone, Copy)]
pub(super) struct LoggedEnd {
    pub(super) request_id: RequestId,
    pub(super) status: OrderStatus,
    pub(super) ended_us: u64,
    pub(super) record: u64,
}

/// The ends of the orders of one sale.
#[derive(Debug, Clone, Default)]
pub(super) struct Ends {
    /// Blocks that do not change any more.
    full: Vec<Arc<Vec<LoggedEnd>>>,
    last: Vec<LoggedEnd>,
}

impl Ends {
    pub(super) fn push(&mut self, end: LoggedEnd) {
        self.last.push(end);
        if self.last.len() == BLOCK_LEN {
            let full = std::mem::replace(&mut self.last, Vec::with_capacity(BLOCK_LEN));
            self.full.push(Arc::new(full));
        }
    }

    /// The journal record of the newest end.
    pub(super) fn newest_record(&self) -> Option<u64> {
        let newest = self.last.last().or_else(|| self.full.last()?.last());
        newest.map(|end| end.record)
    }

    /// What has become of the orders that are not held any more.
    pub(super) fn ended(&self) -> EndedOrders {
        let ends = self.full.iter().flat_map(|block| block.iter()).chain(&self.last);
        let ends = ends.map(|end| (end.request_id, (end.status, end.ended_us)));
        EndedOrders(ends.collect::<HashMap<_, _>>())
    }
}
