//! How the queue of this process delivers attempts and takes acknowledgements.

use std::sync::atomic::{AtomicU64, Ordering};

/// The way of delivering; by default, each item's attempts go to one batch at a time, in the
/// order of their acceptance, and each acknowledgement counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::queue) struct Delivery {
    /// Whether several consumers have attempts at one item at a time, each of them one.
    pub(super) is_concurrent: bool,
    /// One acknowledgement in this many is lost, the first one included.
    pub(super) one_ack_lost_in: Option<u64>,
}

/// Counts the acknowledgements, to lose some of them.
#[derive(Debug, Default)]
pub(super) struct Acks(AtomicU64);

impl Acks {
    /// Whether the next acknowledgement is lost.
    pub(super) fn lose_next(&self, delivery: Delivery) -> bool {
        let Some(period) = delivery.one_ack_lost_in else { return false };
        self.0.fetch_add(1, Ordering::Relaxed).is_multiple_of(period)
    }
}
