//! How many ledgers are made at a time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Ledgers that are made and read at a time. Each takes a thread, up to one core's time, and 24
/// bytes of memory for each attempt at its sale.
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
pub(in crate::server) struct Turn(
    #[expect(dead_code, reason = "dropping it ends the turn")] OwnedSemaphorePermit,
);

impl LedgerReaders {
    /// Waits for a turn; `None` if as many ledgers as may be are being read for too long.
    pub(in crate::server) async fn turn(&self) -> Option<Turn> {
        let turn = tokio::time::timeout(TURN_TIMEOUT, Arc::clone(&self.0).acquire_owned()).await;
        Some(Turn(turn.ok()?.ok()?))
    }
}
