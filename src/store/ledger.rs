//! A sale with all of its decisions.

use std::collections::HashSet;
use std::sync::Arc;

use crate::ids::RequestId;
use crate::sale::Order;

use super::embedded::MemoryRows;
use super::orders::EndedOrders;
use super::redis::LedgerRows;
use super::{Decided, SaleView, StoreError};

/// Decisions of this process that are returned at a time. They are unpacked for that, and with few
/// of them the allocator uses the same memory again and again.
const CHUNK: usize = 4;

/// A sale and every decision of it, at one moment.
#[derive(Debug)]
pub struct Ledger {
    /// The sale.
    pub sale: SaleView,
    pub(super) rows: Rows,
    /// The orders that were not held any more at that moment.
    pub(super) ended: EndedOrders,
}

/// The decisions that have not been returned, in the order of acceptance.
#[derive(Debug)]
pub(super) enum Rows {
    /// Those of this process.
    Memory(MemoryRows),
    /// Those of a Redis server: only their ids are in memory.
    Redis(LedgerRows),
}

impl Ledger {
    /// The next decisions in the order of acceptance; none after the last.
    ///
    /// # Errors
    /// Returns an error when the store does not answer.
    pub async fn next(&mut self) -> Result<Vec<Arc<Decided>>, StoreError> {
        match &mut self.rows {
            Rows::Memory(rows) => Ok(rows.next(CHUNK)),
            Rows::Redis(rows) => rows.next().await,
        }
    }

    /// The order that an attempt won, if the sale holds its orders.
    pub fn order_of(&self, decided: &Decided) -> Option<Order> {
        self.ended.order_of(decided)
    }

    /// Removes the ids of the decisions that have not been returned.
    pub fn remove_decided(&self, ids: &mut HashSet<RequestId>) {
        if ids.is_empty() {
            return;
        }
        match &self.rows {
            Rows::Memory(rows) => rows.ids().for_each(|id| {
                ids.remove(&id);
            }),
            Rows::Redis(rows) => rows.ids().for_each(|id| {
                ids.remove(id);
            }),
        }
    }
}
