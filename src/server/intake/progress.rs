//! How far the queue has been decided, which shows what it has lost.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::store::Decided;

/// The moment up to which a queue that delivers in the order of acceptance has been decided: an
/// attempt that was accepted much earlier and is undecided has left the queue, or is with a
/// consumer that does not decide it.
#[derive(Debug, Default)]
pub struct Progress {
    accepted_us: AtomicU64,
}

impl Progress {
    /// Notes that this process has decided an attempt.
    pub(in crate::server) fn decided(&self, decided: &Decided) {
        self.accepted_us.fetch_max(decided.attempt.accepted_us, Ordering::Relaxed);
    }

    /// When the latest decided attempt was accepted, in microseconds since the Unix epoch.
    pub(super) fn accepted_us(&self) -> u64 {
        self.accepted_us.load(Ordering::Relaxed)
    }
}
