//! Which records of the journal the store still needs, and how a replaced sale leaves it.

use std::time::{Duration, Instant};

use crate::sale::{Attempt, Fields, RecordError};

use super::super::StoreError;
use super::Embedded;
use super::state::State;

impl Embedded {
    /// How many records of the journal the store needs after a restart.
    pub fn needed_records(&self) -> u64 {
        let state = self.lock();
        let ends: usize = state.sales.values().map(|opened| opened.end_records.len()).sum();
        // An attempt in the register has been announced, and may be confirmed; a tombstone takes
        // two records as well.
        let register = 2 * (state.register.len() + state.withdrawn.len());
        (state.sales.len() + state.decided.len() + ends + register) as u64
    }

    /// Whether a record of the store is needed after a restart.
    pub fn needs(&self, seq: u64, record: &[u8]) -> bool {
        // One that cannot be parsed is kept, for the restart to name.
        self.lock().needs(seq, record).unwrap_or(true)
    }

    /// Removes a replaced sale for good, with its decisions and results, once it was replaced so
    /// long ago and holds no order any more. At most `max` decisions are removed in one step.
    /// Returns whether there is more to remove.
    ///
    /// The time counts from the replacement, or from the start of this process if that is later.
    /// Not to be called while the journal is compacted: the copy could have only some of the sale's
    /// records, and a crash could lose the one that says so.
    ///
    /// # Errors
    /// Returns an error when the journal takes no more records.
    pub fn drop_replaced(&self, after: Duration, max: usize) -> Result<bool, StoreError> {
        let mut state = self.lock();
        if !state.leaving.is_empty() {
            let State { decided, leaving, .. } = &mut *state;
            decided.remove(leaving, max);
            return Ok(true);
        }
        let Some(epoch) = state.to_drop(after) else { return Ok(false) };
        let record = format!("dropped {epoch} {}", state.register.next_seq());
        self.journal.append_later(record.as_bytes()).map_err(|_| StoreError::Unavailable)?;
        state.drop_sale(epoch);
        Ok(true)
    }
}

impl State {
    /// A sale that was replaced so long ago, and of which nothing is held or waits in the register.
    fn to_drop(&self, after: Duration) -> Option<u64> {
        let is_old = |at: &Instant| at.elapsed() >= after;
        let old = self.replaced.iter().filter(|(_, at)| is_old(at)).map(|(epoch, _)| *epoch);
        let is_idle = |epoch: &u64| {
            let is_held = self.sales.get(epoch).is_some_and(|opened| opened.sale.holds_orders());
            !is_held && !self.register.has_sale(*epoch)
        };
        old.into_iter().find(is_idle)
    }

    fn drop_sale(&mut self, epoch: u64) {
        self.replaced.remove(&epoch);
        self.withdrawn.drop_sale(epoch);
        self.last_dropped = Some(epoch);
        if let Some(opened) = self.sales.remove(&epoch) {
            self.leaving = opened.decisions.into();
        }
    }

    /// Drops a sale of the journal again.
    pub(super) fn replay_drop(&mut self, fields: &mut Fields<'_>) -> Result<(), RecordError> {
        let epoch = fields.number("epoch")?;
        self.register.continue_from(fields.number("next_seq")?);
        self.epochs = self.epochs.max(epoch);
        self.drop_sale(epoch);
        self.decided.remove(&mut self.leaving, usize::MAX);
        Ok(())
    }

    fn needs(&self, seq: u64, record: &[u8]) -> Result<bool, RecordError> {
        let fields = &mut Fields::new(record);
        Ok(match fields.word("kind")? {
            "sale" => self.sales.contains_key(&fields.number("epoch")?),
            "decided" => {
                fields.word("decided_us")?;
                self.sales.contains_key(&Attempt::from_fields(fields)?.epoch)
            }
            "ended" => {
                fields.word("ended_us")?;
                let request_id = fields.next("request_id")?;
                let decided = self.decided.epoch_and_seq(&request_id);
                // The id may have been used again since its sale was dropped.
                decided.is_some_and(|(epoch, _)| self.end_record(epoch, &request_id) == Some(seq))
            }
            "announced" => {
                let attempt = Attempt::from_fields(fields)?;
                self.register.has(&attempt) || self.withdrawn.contains(&attempt)
            }
            "confirmed" => self.register.is_confirmed(&fields.next("request_id")?),
            "withdrawn" => self.withdrawn.has(&fields.next("request_id")?),
            // The last one has the next position in the order of acceptance.
            "dropped" => self.last_dropped == Some(fields.number("epoch")?),
            _ => true,
        })
    }
}
