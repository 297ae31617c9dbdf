//! A sale as it is read: its state at one moment.

use crate::sale::{Phase, Terms};

use super::Glance;

/// A sale at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleView {
    /// The terms of the sale.
    pub terms: Terms,
    /// Which sale of this store it is.
    pub epoch: u64,
    /// Units not sold; below 0 when oversold. A hint: it can justify a refusal, never an order.
    pub left: i64,
    /// Orders made and not given back.
    pub orders: u64,
    /// Of the orders, those that were paid for; 0 at a sale that does not hold its orders.
    pub paid: u64,
}

impl SaleView {
    /// The phase at a moment in microseconds since the Unix epoch.
    pub fn phase(&self, now_us: u64) -> Phase {
        self.terms.phase(now_us)
    }

    /// What can refuse every new attempt at this moment.
    pub fn glance(&self, now_us: u64) -> Glance {
        Glance { phase: self.phase(now_us), left: self.left }
    }

    /// Whether none is left, and none will be: none is held that could come back.
    pub fn is_sold_out_for_good(&self) -> bool {
        let may_come_back = self.terms.hold_us.is_some() && self.paid < self.orders;
        self.left <= 0 && !may_come_back
    }
}
