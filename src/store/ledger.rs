//! A sale with all of its decisions.

use std::sync::Arc;

use super::{Decided, SaleView};

/// A sale and every decision of it, at one moment.
#[derive(Debug)]
pub struct Ledger {
    /// The sale.
    pub sale: SaleView,
    /// Its decided attempts, in arbitrary order.
    pub decided: Vec<Arc<Decided>>,
}
