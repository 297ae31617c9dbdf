//! The records that wait for the next commit.

use std::task::Waker;

use crate::settings::Durability;

use super::compact::Compacted;
use super::error::CommitError;
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

/// Records that were appended and not yet taken by the writer, and who waits for their commit.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) bytes: Vec<u8>,
    batch: u64,
    pub(super) next_seq: u64,
    /// The sequence number after the last record that the writer has taken.
    taken_to: u64,
    /// Callers that wait for records which the writer has not taken.
    waiting: Vec<Waker>,
    /// Callers that wait for the records which the writer has taken.
    writing: Vec<Waker>,
    /// A caller waits for the commit, so the writer must not wait for more records.
    pub(super) urgent: bool,
    pub(super) closed: bool,
    /// What is not committed will never be.
    failed: bool,
    /// Takes the place of the file with the next commit.
    pub(super) compacted: Option<Compacted>,
}

impl Pending {
    /// None yet; the next record gets this sequence number.
    pub(super) fn from(next_seq: u64) -> Self {
        Self { next_seq, taken_to: next_seq, ..Self::default() }
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

    /// Gives the records to the writer, with an empty buffer in return.
    pub(super) fn take(&mut self, bytes: &mut Vec<u8>) {
        std::mem::swap(bytes, &mut self.bytes);
        // Nobody waits for the batch before: the writer has released it.
        std::mem::swap(&mut self.waiting, &mut self.writing);
        self.taken_to = self.next_seq;
        self.urgent = false;
    }

    /// Wakes this caller when the record `seq`, which is not committed, is. Returns the place of
    /// its waker, which is given when the same caller waits once more.
    ///
    /// # Errors
    /// Returns an error when the record cannot be committed any more.
    pub(super) fn wait(
        &mut self,
        seq: u64,
        place: Option<usize>,
        waker: &Waker,
    ) -> Result<usize, CommitError> {
        if self.failed {
            return Err(CommitError);
        }
        let wakers = if seq < self.taken_to { &mut self.writing } else { &mut self.waiting };
        if let Some(place) = place {
            wakers[place].clone_from(waker);
            return Ok(place);
        }
        wakers.push(waker.clone());
        Ok(wakers.len() - 1)
    }

    /// How many callers wait for records which the writer has not taken.
    pub(super) fn callers(&self) -> usize {
        self.waiting.len()
    }

    /// Moves the callers that wait for the records which the writer has taken into an empty list.
    pub(super) fn release(&mut self, released: &mut Vec<Waker>) {
        std::mem::swap(released, &mut self.writing);
    }

    /// Closes it for new records, and gives the callers that wait for those which will never be
    /// committed.
    pub(super) fn fail(&mut self) -> impl Iterator<Item = Waker> + use<> {
        self.closed = true;
        self.failed = true;
        std::mem::take(&mut self.writing).into_iter().chain(std::mem::take(&mut self.waiting))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::Wake;

    use super::*;

    struct Caller;

    impl Wake for Caller {
        fn wake(self: Arc<Self>) {}
    }

    fn caller() -> Waker {
        Arc::new(Caller).into()
    }

    fn with_records(count: usize) -> Pending {
        let mut pending = Pending::from(7);
        for _ in 0..count {
            pending.push(b"record").unwrap();
        }
        pending
    }

    #[test]
    fn callers_are_released_with_the_batch_of_their_record() {
        let (first, moved, next, late) = (caller(), caller(), caller(), caller());
        let (mut pending, mut released) = (with_records(2), Vec::new());
        let place = pending.wait(7, None, &first).unwrap();
        pending.take(&mut Vec::new());
        pending.push(b"record").unwrap();
        pending.wait(9, None, &next).unwrap();
        pending.wait(8, None, &late).unwrap();
        assert_eq!(pending.wait(7, Some(place), &moved), Ok(place), "the same caller, elsewhere");
        pending.release(&mut released);
        assert_eq!(released.len(), 2);
        assert!(released[0].will_wake(&moved) && released[1].will_wake(&late));
        released.clear();
        pending.take(&mut Vec::new());
        pending.release(&mut released);
        assert!(released.len() == 1 && released[0].will_wake(&next));
    }

    #[test]
    fn failure_gives_back_all_callers_and_takes_no_more() {
        let (writing, waiting) = (caller(), caller());
        let mut pending = with_records(1);
        pending.wait(7, None, &writing).unwrap();
        pending.take(&mut Vec::new());
        pending.push(b"record").unwrap();
        pending.wait(8, None, &waiting).unwrap();
        let given: Vec<_> = pending.fail().collect();
        assert_eq!(given.len(), 2);
        assert!(given[0].will_wake(&writing) && given[1].will_wake(&waiting));
        assert_eq!(pending.wait(8, Some(0), &waiting), Err(CommitError));
        assert_eq!(pending.push(b"record"), Err(AppendError::Closed));
    }
}
