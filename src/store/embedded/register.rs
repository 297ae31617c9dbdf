//! The register of announced attempts in memory, for a queue that cannot be asked for one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::ids::{ItemId, RequestId};
use crate::sale::Attempt;

use super::super::Known;

/// Attempts that were announced and are neither decided nor withdrawn.
#[derive(Debug, Default)]
pub(super) struct Register {
    attempts: HashMap<RequestId, Arc<Attempt>>,
    /// Those that are not known to be queued.
    unconfirmed: HashSet<RequestId>,
    /// Those that were announced more than once.
    twins: HashSet<RequestId>,
    next_seq: u64,
}

impl Register {
    /// The next place in the order of acceptance.
    pub(super) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    pub(super) fn add(&mut self, attempt: Arc<Attempt>) {
        self.next_seq = self.next_seq.max(attempt.seq + 1);
        self.unconfirmed.insert(attempt.request_id);
        self.attempts.insert(attempt.request_id, attempt);
    }

    pub(super) fn remove(&mut self, request_id: &RequestId) {
        self.attempts.remove(request_id);
        self.twins.remove(request_id);
        self.unconfirmed.remove(request_id);
    }

    pub(super) fn confirm(&mut self, request_id: &RequestId) {
        self.unconfirmed.remove(request_id);
    }

    pub(super) fn get(&self, request_id: &RequestId) -> Option<Known> {
        let attempt = self.attempts.get(request_id).cloned()?;
        Some(match self.unconfirmed.contains(request_id) {
            true => Known::Announced(attempt),
            false => Known::Waiting(attempt),
        })
    }

    /// Notes that a waiting attempt was announced again.
    pub(super) fn mark_twin(&mut self, request_id: &RequestId) {
        if self.attempts.contains_key(request_id) {
            self.twins.insert(*request_id);
        }
    }

    pub(super) fn has_twin(&self, request_id: &RequestId) -> bool {
        self.twins.contains(request_id)
    }

    pub(super) fn all(&self) -> Vec<Arc<Attempt>> {
        self.attempts.values().cloned().collect()
    }

    pub(super) fn unconfirmed(&self) -> Vec<Arc<Attempt>> {
        self.unconfirmed.iter().filter_map(|id| self.attempts.get(id).cloned()).collect()
    }

    pub(super) fn count(&self, item: &ItemId) -> usize {
        self.attempts.values().filter(|attempt| attempt.item == *item).count()
    }
}
