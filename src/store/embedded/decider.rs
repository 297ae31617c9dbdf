//! Deciding attempts and writing the decisions to the journal, under one lock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::ids::RequestId;
use crate::journal::Journal;
use crate::sale::{Attempt, Decision};

use super::super::{Reservation, StoreError};
use super::decisions::Logged;
use super::state::State;

/// Longest record of a decision, in bytes: two names of 64, a UUID, an order id and some numbers.
const RECORD_LEN_MAX: usize = 512;

/// Finds the decision that was made before on an attempt.
pub(super) type Earlier = fn(&State, &RequestId) -> Option<Logged>;

/// What deciding needs of the store.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decider<'a> {
    pub(super) journal: &'a Journal,
    pub(super) state: &'a Mutex<State>,
}

/// Locks the state.
pub(super) fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Decider<'_> {
    /// Decides attempts at one item under one lock; `decide` is asked where `earlier` finds none.
    pub(super) fn decide(
        &self,
        attempts: &[Arc<Attempt>],
        now_us: u64,
        earlier: Earlier,
        decide: impl Fn(&mut State, &Attempt) -> Decision,
    ) -> Result<Reservation, StoreError> {
        let mut state = lock(self.state);
        // Records are appended only under this lock, so the room that the journal has now stays:
        // every decision that is made can be written.
        if !self.journal.has_room(attempts.len(), RECORD_LEN_MAX) {
            return Err(StoreError::Unavailable);
        }
        let mut decided = Vec::with_capacity(attempts.len());
        let mut last_record = None;
        for attempt in attempts {
            let logged = match earlier(&state, &attempt.request_id) {
                Some(logged) => logged,
                None if state.withdrawn.contains(attempt) => continue,
                None => {
                    let decision = decide(&mut state, attempt);
                    self.log(&mut state, attempt, decision, now_us)?
                }
            };
            last_record = last_record.max(Some(logged.record));
            decided.push(logged.decided);
        }
        Ok(Reservation { decided, last_record })
    }

    fn log(
        &self,
        state: &mut State,
        attempt: &Arc<Attempt>,
        decision: Decision,
        decided_us: u64,
    ) -> Result<Logged, StoreError> {
        let record = format!("decided {decided_us} {attempt} {decision}");
        let commit = self.journal.append(record.as_bytes()).map_err(|_| StoreError::Unknown)?;
        let record = commit.seq();
        let decided = state.insert_decision(Arc::clone(attempt), decision, decided_us, record);
        Ok(Logged { decided: Arc::new(decided), record })
    }
}
