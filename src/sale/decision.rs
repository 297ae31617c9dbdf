//! The decision on an attempt.

use crate::api::LostReason;
use crate::ids::OrderId;

/// The consumer's final decision on an accepted attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The buyer gets one unit.
    Won(OrderId),
    /// The buyer gets none.
    Lost(LostReason),
}
