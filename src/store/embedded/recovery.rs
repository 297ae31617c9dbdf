//! How the store is rebuilt from the records of its journal.
//!
//! Records: `sale epoch terms…` for an opened sale, `decided decided_us attempt… decision…`,
//! `ended us request_id ending status` for an order that was held, and for the register
//! `announced attempt…`, `confirmed request_id` and `withdrawn request_id`; and for a replaced sale
//! that has left the store `dropped epoch next_seq`. What a compaction keeps is in `needed.rs`.

use std::sync::{Arc, Mutex};

use crate::api::LostReason;
use crate::journal::Journal;
use crate::sale::{Attempt, Decision, Fields, RecordError, Terms};

use super::super::waiters::Waiters;
use super::Embedded;
use super::state::State;
use super::ways::Ways;

/// A store that is being read from its journal.
#[derive(Debug, Default)]
pub struct Recovery {
    ways: Ways,
    state: State,
}

impl Recovery {
    /// An empty store that decides in this way. The decisions in the journal must have been made
    /// in the same way.
    pub(in crate::store) fn new(ways: Ways) -> Self {
        let state = State { rule: ways.rule, replay_rule: ways.replay, ..State::default() };
        Self { ways, state }
    }

    /// Reads a record.
    ///
    /// # Errors
    /// Returns an error when it cannot be parsed, or does not follow from those before.
    pub fn replay(&mut self, seq: u64, record: &[u8]) -> Result<(), RecordError> {
        self.state.replay(seq, record)
    }

    /// Whether this attempt was decided, and not an earlier one with the same id.
    pub fn has_decided(&self, attempt: &Attempt) -> bool {
        let decided = self.state.decided.epoch_and_seq(&attempt.request_id);
        decided.is_some_and(|(_, seq)| seq == attempt.seq)
    }

    /// The store, which goes on writing to this journal.
    pub fn finish(self, journal: Arc<Journal>) -> Embedded {
        let Self { ways, state } = self;
        Embedded { journal, state: Mutex::new(state), waiters: Waiters::default(), ways }
    }
}

impl State {
    /// Decides an attempt of the journal again.
    fn replay_decision(&mut self, attempt: &Attempt, recorded: &Decision) -> Decision {
        match self.replay_rule {
            Some(replay) => self.decide_with(attempt, |sale| replay(sale, attempt, recorded)),
            None => self.reserve(attempt),
        }
    }

    fn replay(&mut self, record_seq: u64, record: &[u8]) -> Result<(), RecordError> {
        let fields = &mut Fields::new(record);
        match fields.word("kind")? {
            "sale" => {
                let epoch = fields.number("epoch")?;
                self.open_sale(Terms::from_fields(fields)?, epoch, record_seq);
            }
            "decided" => {
                let decided_us = fields.next("decided_us")?;
                let attempt = Arc::new(Attempt::from_fields(fields)?);
                let decision = Decision::from_fields(fields)?;
                // The rule depends on the earlier records only, so it must decide the same again.
                // It did not decide undeliverable attempts.
                let by_rule = decision != Decision::Lost(LostReason::Undeliverable);
                if by_rule && self.replay_decision(&attempt, &decision) != decision {
                    return Err(fields.invalid("decision"));
                }
                // Its announcement may have been compacted away.
                self.register.continue_from(attempt.seq + 1);
                self.insert_decision(attempt, decision, decided_us, record_seq);
            }
            "ended" => self.replay_end(record_seq, fields)?,
            "dropped" => self.replay_drop(fields)?,
            "announced" => self.register.add(Arc::new(Attempt::from_fields(fields)?)),
            "confirmed" => self.register.confirm(&fields.next("request_id")?),
            "withdrawn" => self.withdraw(&fields.next("request_id")?),
            _ => return Err(fields.invalid("kind")),
        }
        Ok(())
    }
}
