//! A circuit breaker: open while a publish is overdue, that is, unconfirmed past its time limit.
//!
//! It needs no probes: the late confirm, or the end of the connection, closes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts the publishes that are overdue.
#[derive(Debug, Clone, Default)]
pub(super) struct Circuit {
    overdue: Arc<AtomicUsize>,
}

/// Marks a publish as overdue until it is dropped.
#[derive(Debug)]
pub(super) struct Overdue(Arc<AtomicUsize>);

impl Circuit {
    /// Whether publishing is suspended.
    pub(super) fn is_open(&self) -> bool {
        self.overdue.load(Ordering::Relaxed) > 0
    }

    /// Counts one more overdue publish.
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
