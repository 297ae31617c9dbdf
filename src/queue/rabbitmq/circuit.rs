//! A circuit breaker: open while the broker owes an answer for longer than it may.
//!
//! It needs no probes: the first late confirm, or the end of the connection, closes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts the publishes that are overdue.
#[derive(Debug, Clone, Default)]
pub(super) struct Circuit {
    overdue: Arc<AtomicUsize>,
}

/// A publish that is overdue, until this is dropped.
#[derive(Debug)]
pub(super) struct Overdue(Arc<AtomicUsize>);

impl Circuit {
    /// Whether to publish nothing for now.
    pub(super) fn is_open(&self) -> bool {
        self.overdue.load(Ordering::Relaxed) > 0
    }

    pub(super) fn overdue(&self) -> Overdue {
        self.overdue.fetch_add(1, Ordering::Relaxed);
        Overdue(Arc::clone(&self.overdue))
    }
}

impl Drop for Overdue {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
