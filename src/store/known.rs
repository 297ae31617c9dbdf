//! What a store knows of an attempt: announced, waiting, or decided.

use std::sync::Arc;

use crate::sale::{Attempt, Decision};

use super::{SaleView, StoreError};

/// A decided attempt. Final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The attempt, as it was accepted.
    pub attempt: Arc<Attempt>,
    /// What became of it.
    pub decision: Decision,
    /// When, in microseconds since the Unix epoch.
    pub decided_us: u64,
}

/// What the store knows of a request id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// It was decided.
    Decided(Arc<Decided>),
    /// It waits in the queue.
    Waiting(Arc<Attempt>),
    /// It was announced; whether it is in the queue is not known yet, or never will be.
    Announced(Arc<Attempt>),
}

impl Known {
    /// The attempt that has the id.
    pub fn attempt(&self) -> &Arc<Attempt> {
        match self {
            Self::Decided(decided) => &decided.attempt,
            Self::Waiting(attempt) | Self::Announced(attempt) => attempt,
        }
    }
}

/// What the store knows of an attempt that has come, all at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The id, if it is known.
    pub known: Option<Known>,
    /// The sale, or why there is none.
    pub sale: Result<SaleView, StoreError>,
    /// Whether the buyer has as many orders of the item as one may have. A hint, like `left`.
    pub at_limit: bool,
    /// The attempt in the register, if it was announced.
    pub announced: Option<Arc<Attempt>>,
}

/// What came of announcing an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Announced {
    /// It is in the register now, with its place in the order.
    Fresh(Arc<Attempt>),
    /// Its id was known.
    Known(Known),
}
