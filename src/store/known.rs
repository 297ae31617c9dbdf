//! What a store knows of an attempt: announced, waiting, or decided.

use std::sync::Arc;

use crate::sale::{Attempt, Decision};

use super::{SaleView, StoreError};

/// A decided attempt; the decision is final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The attempt, as it was accepted.
    pub attempt: Arc<Attempt>,
    /// The decision.
    pub decision: Decision,
    /// When it was decided, in microseconds since the Unix epoch.
    pub decided_us: u64,
    /// Until when the order is held, in the same way; `None` when it needs no payment, or there is
    /// none.
    pub held_until_us: Option<u64>,
}

/// What the store knows of a request id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// It was decided.
    Decided(Arc<Decided>),
    /// It waits in the queue.
    Waiting(Arc<Attempt>),
    /// It was announced; whether it is in the queue is not known.
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

/// What the store knows about a new attempt, all at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// What is known of the request id.
    pub known: Option<Known>,
    /// The sale, or why there is none.
    pub sale: Result<SaleView, StoreError>,
    /// Whether the buyer has reached the limit of orders. A hint, like `left`.
    pub at_limit: bool,
    /// The attempt in the register, if the lookup announced it.
    pub announced: Option<Arc<Attempt>>,
}

/// What the register holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegisterBacklog {
    /// Attempts at one item.
    pub of_item: usize,
    /// Attempts at all items.
    pub all: usize,
    /// Attempts that were ever decided.
    pub decided: u64,
}

/// The outcome of announcing an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Announced {
    /// It is in the register now, with its position in the order.
    Fresh(Arc<Attempt>),
    /// Its request id was known before.
    Known(Known),
}
