//! What a look at a sale shows that waits for nothing.

use crate::sale::Phase;

/// What of a sale can refuse every new attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glance {
    /// The phase of the sale.
    pub phase: Phase,
    /// Units not sold; below 0 when oversold. A hint: it can justify a refusal, never an order.
    pub left: i64,
}
