//! Notices a disk that hangs: a commit that does not return.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long a commit may take before the journal counts as stalled. A slow disk takes tens of
/// milliseconds; a second is a tenth of what a caller waits for its commit.
pub const STALLED_AFTER: Duration = Duration::from_secs(1);

/// When the writer began the commit in progress.
#[derive(Debug)]
pub(super) struct CommitTimer {
    opened: Instant,
    /// Microseconds from `opened` to the beginning of the commit; 0 while there is none.
    began_us: AtomicU64,
}

impl CommitTimer {
    pub(super) fn new() -> Self {
        Self { opened: Instant::now(), began_us: AtomicU64::new(0) }
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    pub(super) fn begin(&self) {
        self.began_us.store(self.now_us().max(1), Ordering::Relaxed);
    }

    pub(super) fn end(&self) {
        self.began_us.store(0, Ordering::Relaxed);
    }

    /// How long the commit in progress has taken, if that is longer than [`STALLED_AFTER`].
    pub(super) fn overdue(&self) -> Option<Duration> {
        let began_us = self.began_us.load(Ordering::Relaxed);
        if began_us == 0 {
            return None;
        }
        let taken = Duration::from_micros(self.now_us().saturating_sub(began_us));
        (taken > STALLED_AFTER).then_some(taken)
    }
}
