//! What can become of an attempt, in the words that everyone uses.

use crate::api::LostReason;
use crate::ids::OrderId;

/// What the consumer decided of an accepted attempt. Final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The buyer has one unit.
    Won(OrderId),
    /// The buyer has none.
    Lost(LostReason),
}
