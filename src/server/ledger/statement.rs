//! What a ledger says: a snapshot of queue and store, written line by line.

use std::collections::HashSet;
use std::io::Write;
use std::iter::Peekable;
use std::sync::Arc;

use crate::api::{LedgerCounts, LedgerLine};
use crate::queue::Queue;
use crate::sale::{Attempt, Decision};
use crate::store::{Decided, Ledger, Store, StoreError};

use super::super::intake;
use super::body::{Cut, Pieces};
use super::line;

/// Length in bytes at which a piece is sent.
const PIECE_LEN: usize = 64 << 10;

/// A sale with its decided and its waiting attempts, and what has been written of them.
pub(super) struct Statement {
    ledger: Ledger,
    waiting: Peekable<std::vec::IntoIter<Arc<Attempt>>>,
    counts: LedgerCounts,
    piece: Vec<u8>,
}

/// Reads the queue before the store: an attempt that is decided in between is in both, and never in
/// none.
pub(super) async fn snapshot(
    queue: &Queue,
    store: &Store,
    epoch: u64,
) -> Result<Statement, StoreError> {
    let mut waiting = intake::waiting_attempts(queue, store, epoch).await?;
    let ledger = store.ledger(epoch).await?;
    let mut undecided: HashSet<_> = waiting.iter().map(|attempt| attempt.request_id).collect();
    ledger.remove_decided(&mut undecided);
    waiting.retain(|attempt| undecided.contains(&attempt.request_id));
    let waiting = waiting.into_iter().peekable();
    Ok(Statement { ledger, waiting, counts: LedgerCounts::default(), piece: Vec::new() })
}

impl Statement {
    /// Writes all lines, at the pace of the reader. A ledger that cannot be completed ends its
    /// connection.
    pub(super) async fn write(mut self, pieces: Pieces) {
        if self.write_lines(&pieces).await.is_ok() {
            let counts = self.counts;
            self.add(&LedgerLine::Counts { counts });
            // If the client has gone, nobody needs to know.
            let _ = pieces.send(self.piece, true).await;
        }
    }

    async fn write_lines(&mut self, pieces: &Pieces) -> Result<(), Cut> {
        self.add(&line::sale(&self.ledger.sale));
        loop {
            let decided = self.ledger.next().await.map_err(|error| {
                tracing::warn!(%error, "a ledger was cut off, because the store failed");
                Cut
            })?;
            if decided.is_empty() {
                break;
            }
            for decided in decided {
                while let Some(queued) =
                    self.waiting.next_if(|queued| queued.seq < decided.attempt.seq)
                {
                    self.write_queued(&queued, pieces).await?;
                }
                self.write_decided(&decided, pieces).await?;
            }
        }
        while let Some(queued) = self.waiting.next() {
            self.write_queued(&queued, pieces).await?;
        }
        Ok(())
    }

    async fn write_queued(&mut self, attempt: &Attempt, pieces: &Pieces) -> Result<(), Cut> {
        self.counts.accepted += 1;
        self.counts.queued += 1;
        self.add(&LedgerLine::Attempt(line::queued(attempt)));
        self.send_if_long(pieces).await
    }

    async fn write_decided(&mut self, decided: &Decided, pieces: &Pieces) -> Result<(), Cut> {
        self.counts.accepted += 1;
        match decided.decision {
            Decision::Won(_) => self.counts.won += 1,
            Decision::Lost(_) => self.counts.lost += 1,
        }
        self.add(&LedgerLine::Attempt(line::decided(decided, self.ledger.order_of(decided))));
        self.send_if_long(pieces).await
    }

    fn add(&mut self, line: &LedgerLine<'_>) {
        // Writing to a Vec cannot fail, and these shapes can always be written.
        let _ = serde_json::to_writer(&mut self.piece, line);
        let _ = self.piece.write_all(b"\n");
    }

    async fn send_if_long(&mut self, pieces: &Pieces) -> Result<(), Cut> {
        if self.piece.len() < PIECE_LEN {
            return Ok(());
        }
        let empty = Vec::with_capacity(PIECE_LEN + 1024);
        pieces.send(std::mem::replace(&mut self.piece, empty), false).await
    }
}
