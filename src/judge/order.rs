//! [`Order`]: an order of the ledger, and when it was made.

use crate::history::Row;

/// An order that the ledger before the run does not have. Times are in microseconds since the
/// beginning of the history.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order<'a> {
    pub(super) row: &'a Row,
    /// It was not made before then: its attempt was sent, or was requested and had not won; 0 if
    /// nothing shows it.
    pub(super) from_us: u64,
    /// It had been made by then: its buyer was told; `u64::MAX` if nobody was.
    pub(super) by_us: u64,
}
