//! Notes in the store's register which announced attempts are in the queue, many at a time.
//!
//! Nobody waits for it: an attempt of which it is not noted is queued once more, and decided once.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::sale::Attempt;
use crate::store::Store;

/// Attempts that wait to be noted at the most: those beyond are queued once more.
const PENDING_MAX: usize = 10_000;

/// See the module.
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

    /// Notes whatever is added, until dropped.
    pub(in crate::server) async fn run(&self, store: &Store) {
        loop {
            self.added.notified().await;
            self.flush(store).await;
        }
    }

    /// Notes what has been added.
    pub(in crate::server) async fn flush(&self, store: &Store) {
        let pending = {
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *pending)
        };
        if !pending.is_empty() {
            // A failure is logged where it happens, and costs a second delivery.
            let _ = store.confirm(&pending).await;
        }
    }
}
