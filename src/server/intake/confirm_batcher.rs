//! Confirms published attempts in the store's register, many at a time.
//!
//! No request waits for this: an attempt that is not confirmed is published again, which is
//! harmless since decisions are idempotent.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::sale::Attempt;
use crate::store::Store;

/// Attempts that may wait to be confirmed; further ones are published again later.
const PENDING_MAX: usize = 10_000;

/// Pause between two batches. A retry of an attempt that comes meanwhile is published again.
const PAUSE: Duration = Duration::from_millis(5);

/// Collects published attempts and confirms them in batches.
#[derive(Debug, Default)]
pub struct ConfirmBatcher {
    pending: Mutex<Vec<Arc<Attempt>>>,
    added: Notify,
}

impl ConfirmBatcher {
    pub(super) fn add(&self, attempt: &Arc<Attempt>) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if pending.len() < PENDING_MAX {
            pending.push(Arc::clone(attempt));
        }
        drop(pending);
        self.added.notify_one();
    }

    /// Confirms the added attempts, until dropped.
    pub(in crate::server) async fn run(&self, store: &Store) {
        loop {
            self.added.notified().await;
            self.flush(store).await;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Confirms the attempts that have been added.
    pub(in crate::server) async fn flush(&self, store: &Store) {
        let pending = {
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *pending)
        };
        if !pending.is_empty() {
            // A failure is logged by the store, and its attempts are delivered twice.
            let _ = store.confirm(&pending).await;
        }
    }
}
