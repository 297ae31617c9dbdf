//! Reading the register in parts.

/// How far the register has been read: each call of [`super::Store::overdue`] goes on where the
/// one before it ended, and begins anew after the end.
#[derive(Debug, Default)]
pub struct RegisterScan {
    /// Where a Redis server goes on.
    pub(super) cursor: u64,
}
