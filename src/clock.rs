//! Wall-clock time: the system's, or one that tests set.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The source of the server's wall-clock time.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The system's clock.
    #[default]
    System,
    /// A clock that only changes when it is set; microseconds since the Unix epoch.
    Manual(Arc<AtomicU64>),
}

impl Clock {
    /// Microseconds since the Unix epoch.
    pub fn now_us(&self) -> u64 {
        match self {
            Self::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| u64::try_from(since.as_micros()).unwrap_or(u64::MAX)),
            Self::Manual(now_us) => now_us.load(Ordering::Relaxed),
        }
    }
}
