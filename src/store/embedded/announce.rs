//! The register of the embedded store: what is announced, confirmed and withdrawn.

use std::sync::Arc;
use std::time::Duration;

use crate::ids::ItemId;
use crate::sale::{Attempt, NewAttempt};

use super::super::{Announced, Known, RegisterBacklog, StoreError};
use super::Embedded;

/// Attempts that are read while the store is locked, which takes some 50 µs.
const READ_MAX: usize = 1_000;

/// Pause after that, for the requests that wait for the lock.
const READ_PAUSE: Duration = Duration::from_millis(1);

impl Embedded {
    pub(in crate::store) async fn announce(
        &self,
        new: &NewAttempt,
    ) -> Result<Announced, StoreError> {
        let (attempt, commit) = {
            let mut state = self.lock();
            if let Some(known) = self.known_in(&state, &new.request_id) {
                state.register.mark_announced_again(&new.request_id);
                return Ok(Announced::Known(known));
            }
            let attempt = Arc::new(new.clone().at(state.register.next_seq()));
            let record = format!("announced {attempt}");
            let commit = self.journal.append(record.as_bytes());
            let commit = commit.map_err(|_| StoreError::Unavailable)?;
            state.register.add(Arc::clone(&attempt));
            (attempt, commit)
        };
        commit.await.map_err(|_| StoreError::Unknown)?;
        Ok(Announced::Fresh(attempt))
    }

    pub(in crate::store) async fn confirm(
        &self,
        attempts: &[Arc<Attempt>],
    ) -> Result<(), StoreError> {
        let mut state = self.lock();
        for attempt in attempts {
            state.register.confirm(&attempt.request_id);
            // The commit is not awaited: if the record is lost, the attempt is published again.
            let record = format!("confirmed {}", attempt.request_id);
            let _ = self.journal.append_later(record.as_bytes());
        }
        Ok(())
    }

    pub(in crate::store) async fn withdraw(&self, attempt: &Attempt) -> Result<bool, StoreError> {
        let commit = {
            let mut state = self.lock();
            let id = attempt.request_id;
            let known = self.known_in(&state, &id);
            let Some(Known::Announced(announced)) = known else { return Ok(false) };
            let certain = announced.seq == attempt.seq && !state.register.was_announced_again(&id);
            if !certain || !state.withdrawn.has_room(&announced) {
                return Ok(false);
            }
            let commit = self.journal.append(format!("withdrawn {id}").as_bytes());
            let commit = commit.map_err(|_| StoreError::Unknown)?;
            state.withdraw(&id);
            commit
        };
        commit.await.map_err(|_| StoreError::Unknown)?;
        self.waiters.wake(&attempt.request_id);
        Ok(true)
    }

    pub(in crate::store) async fn waiting(
        &self,
        epoch: u64,
    ) -> Result<Vec<Arc<Attempt>>, StoreError> {
        let (mut next_seq, end_seq) = (0, self.lock().register.next_seq());
        let mut attempts = Vec::new();
        loop {
            let read = self.lock().register.read(next_seq..end_seq, READ_MAX);
            let Some(last) = read.last() else { return Ok(attempts) };
            next_seq = last.seq + 1;
            let more = read.len() == READ_MAX;
            attempts.extend(read.into_iter().filter(|attempt| attempt.epoch == epoch));
            if more {
                tokio::time::sleep(READ_PAUSE).await;
            }
        }
    }

    pub(in crate::store) async fn unconfirmed(
        &self,
        before_us: u64,
    ) -> Result<Vec<Arc<Attempt>>, StoreError> {
        let mut state = self.lock();
        let mut attempts = state.register.unconfirmed();
        attempts.retain(|attempt| attempt.accepted_us <= before_us);
        attempts
            .iter()
            .for_each(|attempt| state.register.mark_announced_again(&attempt.request_id));
        Ok(attempts)
    }

    pub(in crate::store) fn overdue(&self, before_us: u64) -> Vec<Arc<Attempt>> {
        self.lock().register.overdue(before_us)
    }

    pub(in crate::store) async fn waiting_count(&self, item: &ItemId) -> Result<usize, StoreError> {
        Ok(self.lock().register.count(item))
    }

    pub(in crate::store) async fn backlog(
        &self,
        item: &ItemId,
    ) -> Result<RegisterBacklog, StoreError> {
        let state = self.lock();
        let (of_item, all) = (state.register.count(item), state.register.len());
        Ok(RegisterBacklog { of_item, all, decided: state.decided.len() as u64 })
    }

    pub(in crate::store) async fn position(
        &self,
        attempt: &Attempt,
    ) -> Result<(Option<usize>, u64), StoreError> {
        let state = self.lock();
        Ok((state.register.position(attempt), state.decided.len() as u64))
    }
}
