//! What became of the orders of a sale that holds them, by its ledger. Figures, and no accusation.

use serde::{Deserialize, Serialize};

use crate::history::{Ledger, OrderStatus};

/// All orders that were ever made at the sale, by what has become of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderEnds {
    /// Not paid for yet; they take a unit each.
    pub held: u64,
    /// Paid for; they take a unit each.
    pub paid: u64,
    /// Given back by their buyers; their units came back.
    pub cancelled: u64,
    /// Not paid for in time; their units came back.
    pub expired: u64,
}

impl OrderEnds {
    /// Counts the orders of a ledger; `None` if its sale holds none.
    pub(super) fn of(ledger: &Ledger) -> Option<Self> {
        ledger.sale.hold_us?;
        let mut counts = Self::default();
        for order in ledger.rows.iter().filter_map(|row| row.order.as_ref()) {
            *match order.status {
                OrderStatus::Held => &mut counts.held,
                OrderStatus::Paid => &mut counts.paid,
                OrderStatus::Cancelled => &mut counts.cancelled,
                OrderStatus::Expired => &mut counts.expired,
            } += 1;
        }
        Some(counts)
    }
}
