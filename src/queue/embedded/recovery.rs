//! How the queue is rebuilt from the records of its journal, and which of them it still needs.
//!
//! Records: `+ request_id buyer item epoch accepted_us` for an accepted attempt, whose place in
//! the order is the record's own sequence number, and `- seq…` for acknowledged ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::journal::Journal;
use crate::sale::{Attempt, Fields, RecordError};

use super::Embedded;
use super::delivery::{Acks, Delivery};
use super::item_queues::ItemQueues;

/// The kinds of records.
const ACCEPTED: &str = "+";
const ACKNOWLEDGED: &str = "-";

/// A queue that is being read from its journal.
#[derive(Debug, Clone)]
pub struct Recovery {
    max: usize,
    delivery: Delivery,
    /// Accepted and not acknowledged.
    waiting: BTreeMap<u64, Attempt>,
}

impl Recovery {
    /// An empty queue, with room for `max` waiting attempts.
    pub fn new(max: usize) -> Self {
        Self::with_delivery(max, Delivery::default())
    }

    pub(in crate::queue) fn with_delivery(max: usize, delivery: Delivery) -> Self {
        Self { max, delivery, waiting: BTreeMap::new() }
    }

    /// Whether a record is one of a queue.
    pub fn owns(record: &[u8]) -> bool {
        [ACCEPTED, ACKNOWLEDGED].iter().any(|kind| record.starts_with(kind.as_bytes()))
    }

    /// Reads a record of a queue.
    ///
    /// # Errors
    /// Returns an error when it cannot be parsed.
    pub fn replay(&mut self, seq: u64, record: &[u8]) -> Result<(), RecordError> {
        let mut fields = Fields::new(record);
        match fields.word("kind")? {
            ACCEPTED => {
                let attempt = Attempt {
                    request_id: fields.next("request_id")?,
                    buyer: fields.next("buyer")?,
                    item: fields.next("item")?,
                    epoch: fields.next("epoch")?,
                    seq,
                    accepted_us: fields.next("accepted_us")?,
                };
                self.waiting.insert(seq, attempt);
            }
            ACKNOWLEDGED => fields.rest::<u64>("seq")?.iter().for_each(|done| {
                self.waiting.remove(done);
            }),
            _ => return Err(fields.invalid("kind")),
        }
        Ok(())
    }

    /// Removes those of the waiting attempts that were decided.
    pub fn remove(&mut self, is_decided: impl Fn(&Attempt) -> bool) {
        self.waiting.retain(|_, attempt| !is_decided(attempt));
    }

    /// The queue, which goes on writing to this journal. Attempts that were not acknowledged are
    /// delivered again.
    pub fn finish(self, journal: Arc<Journal>) -> Embedded {
        let Self { max, delivery, waiting } = self;
        let queues = ItemQueues::default();
        let mut state = queues.lock();
        waiting.into_values().for_each(|attempt| state.add(Arc::new(attempt)));
        drop(state);
        Embedded { journal, queues, max, delivery, acks: Acks::default() }
    }
}

impl Embedded {
    /// Whether a record of the queue is needed after a restart: that of an attempt which is not
    /// acknowledged.
    pub fn needs(&self, seq: u64, record: &[u8]) -> bool {
        record.starts_with(ACCEPTED.as_bytes()) && self.queues.lock().is_waiting(seq)
    }
}
