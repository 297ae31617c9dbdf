//! A sale as it is read: its state at one moment.

use crate::sale::{Phase, Terms};

/// A sale at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleView {
    /// The terms of the sale.
    pub terms: Terms,
    /// Which sale of this store it is.
    pub epoch: u64,
    /// Units not sold; below 0 when oversold. A hint: it can justify a refusal, never an order.
    pub left: i64,
    /// Orders made.
    pub orders: u64,
}

impl SaleView {
    /// The phase at a moment in microseconds since the Unix epoch.
    pub fn phase(&self, now_us: u64) -> Phase {
        self.terms.phase(now_us)
    }
}
