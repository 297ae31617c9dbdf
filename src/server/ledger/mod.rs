//! The ledger of a sale: NDJSON, made outside the threads that answer buyers.
//!
//! A thread of its own takes a snapshot, which holds no lock for long, and writes the lines in
//! pieces, at the pace at which the client reads them. Few ledgers are made at a time.

mod body;
mod line;
mod statement;

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::queue::Queue;
use crate::store::{Store, StoreError};

pub use body::LedgerBody;

/// Ledgers that are made and read at a time. Each takes a thread, one core's time, and 24 bytes of
/// memory for each attempt at its sale.
const READERS_MAX: usize = 2;

/// How long a request waits until another ledger has been read.
const TURN_TIMEOUT: Duration = Duration::from_secs(2);

/// Limits how many ledgers are read at a time.
#[derive(Debug)]
pub struct LedgerReaders(Arc<Semaphore>);

impl Default for LedgerReaders {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(READERS_MAX)))
    }
}

/// The permission to make one ledger, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn(
    #[expect(dead_code, reason = "dropping it ends the turn")] OwnedSemaphorePermit,
);

impl LedgerReaders {
    /// Waits for a turn; `None` if as many ledgers as may be are being read for too long.
    pub(super) async fn turn(&self) -> Option<Turn> {
        let turn = tokio::time::timeout(TURN_TIMEOUT, Arc::clone(&self.0).acquire_owned()).await;
        Some(Turn(turn.ok()?.ok()?))
    }
}

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
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || {
        let _turn = turn;
        runtime.block_on(async {
            match statement::snapshot(&queue, &store, epoch).await {
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
    });
    // The thread is gone without an answer only if it panicked.
    body.await.unwrap_or(Err(StoreError::Unavailable))
}
