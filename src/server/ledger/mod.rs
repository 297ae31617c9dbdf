//! The ledger of a sale: NDJSON, made outside the threads that answer buyers.
//!
//! A thread of its own takes a snapshot, which holds no lock for long, and writes the lines in
//! pieces, with a low priority and as fast as the client reads them. Few ledgers are made at once.

mod body;
mod line;
mod readers;
mod statement;
mod thread;

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::queue::Queue;
use crate::store::{Store, StoreError};

pub use body::LedgerBody;
pub use readers::LedgerReaders;
use readers::Turn;

/// Makes the ledger of a sale, as a body that is written while it is read.
///
/// # Errors
/// Returns an error when there is no such sale, or the store failed before the first line.
pub(super) async fn make(
    turn: Turn,
    queue: Arc<Queue>,
    store: Arc<Store>,
    epoch: u64,
) -> Result<LedgerBody, StoreError> {
    let (started, body) = oneshot::channel();
    let made = thread::run(async move {
        let _turn = turn;
        // At the priority of buyers: they would wait for its locks, and the client waits for the
        // first line.
        let snapshot = statement::snapshot(&queue, &store, epoch).await;
        thread::lower_priority();
        // The lines need the engines no more: whoever closes them need not wait for the client.
        drop((queue, store));
        match snapshot {
            Ok(statement) => {
                let (pieces, body) = body::channel();
                // The client may have gone meanwhile.
                if started.send(Ok(body)).is_ok() {
                    statement.write(pieces).await;
                }
            }
            Err(error) => drop(started.send(Err(error))),
        }
    });
    if let Err(error) = made {
        tracing::warn!(%error, "cannot start a thread for a ledger");
    }
    // Without an answer, there was no thread or it has panicked.
    body.await.unwrap_or(Err(StoreError::Unavailable))
}
