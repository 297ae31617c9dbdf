//! The records that wait for the next commit.

use tokio::sync::oneshot;

use crate::settings::Durability;

use super::compact::Compacted;
use super::{BATCH_BYTES_MAX, RECORD_LEN_MAX, frame};

/// Why a record was not appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// [`BATCH_BYTES_MAX`] bytes are pending already.
    #[error("too many bytes wait to be written")]
    Full,
    /// The record is longer than [`RECORD_LEN_MAX`].
    #[error("the record is too long")]
    TooLong,
    /// The journal was closed, or its disk failed.
    #[error("the journal is closed")]
    Closed,
}

/// Records that were appended and not yet taken by the writer.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) bytes: Vec<u8>,
    pub(super) waiting: Vec<oneshot::Sender<()>>,
    batch: u64,
    pub(super) next_seq: u64,
    /// A caller waits for the commit, so the writer must not wait for more records.
    pub(super) urgent: bool,
    pub(super) closed: bool,
    /// Takes the place of the file with the next commit.
    pub(super) compacted: Option<Compacted>,
}

impl Pending {
    /// None yet; the next record gets this sequence number.
    pub(super) fn from(next_seq: u64) -> Self {
        Self { next_seq, ..Self::default() }
    }

    /// Adds a record, and gives its sequence number.
    pub(super) fn push(&mut self, record: &[u8]) -> Result<u64, AppendError> {
        if self.closed {
            return Err(AppendError::Closed);
        }
        if record.len() > RECORD_LEN_MAX {
            return Err(AppendError::TooLong);
        }
        if self.bytes.len() + frame::HEADER_LEN + record.len() > BATCH_BYTES_MAX {
            return Err(AppendError::Full);
        }
        if self.bytes.is_empty() {
            self.batch = self.next_seq;
        }
        let seq = self.next_seq;
        frame::encode(&mut self.bytes, seq, self.batch, record);
        self.next_seq += 1;
        Ok(seq)
    }

    /// Whether the writer should commit now.
    pub(super) fn is_due(&self, durability: Durability) -> bool {
        let eager = self.urgent || durability == Durability::None;
        self.closed
            || self.compacted.is_some()
            || (eager && !self.bytes.is_empty())
            || self.bytes.len() > BATCH_BYTES_MAX / 2
    }
}
