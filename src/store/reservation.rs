//! Decisions between their reservation and their commit.

use std::sync::Arc;

use super::Decided;

/// Decisions whose order is fixed and that are not yet committed: see [`super::Store::commit`].
#[derive(Debug)]
#[must_use = "a decision counts when it is committed"]
pub struct Reservation {
    pub(super) decided: Vec<Arc<Decided>>,
    /// The last journal record of them; `None` where nothing is left to commit.
    pub(super) last_record: Option<u64>,
}
