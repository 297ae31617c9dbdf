//! A store that fails now and then, as one behind a network does. `ack-on-error` and
//! `ack-before-apply` lose attempts then, and the standard consumer tries them again.

use std::sync::atomic::{AtomicU64, Ordering};

use super::super::super::StoreError;

/// One batch in so many fails, the first one included.
const ONE_IN: u64 = 4;

/// The batches of this process.
static BATCHES: AtomicU64 = AtomicU64::new(0);

/// Fails for some of the batches.
pub(super) fn interrupt() -> Result<(), StoreError> {
    match BATCHES.fetch_add(1, Ordering::Relaxed) % ONE_IN {
        0 => Err(StoreError::Unavailable),
        _ => Ok(()),
    }
}
