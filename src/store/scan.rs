//! Reading the register in parts.

use super::redis::Cursors;

/// How far the register has been read: each call of [`super::Store::overdue`] goes on where the
/// one before it ended, and begins anew after the end.
#[derive(Debug, Default)]
pub struct RegisterScan {
    pub(super) cursors: Cursors,
}
