//! The register of announced attempts in memory, for a queue without lookup.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use crate::ids::{ItemId, RequestId};
use crate::sale::Attempt;

use super::super::Known;

/// Overdue attempts that are returned at a time: each is going to be published.
const OVERDUE_MAX: usize = 1_000;

/// Attempts that are counted to find how many are before one, which takes some 20 µs.
const COUNTED_MAX: usize = 1_000;

/// Attempts that were announced and are neither decided nor withdrawn.
#[derive(Debug, Default)]
pub(super) struct Register {
    attempts: HashMap<RequestId, Arc<Attempt>>,
    by_seq: BTreeMap<u64, Arc<Attempt>>,
    /// The attempts that are not known to be queued.
    unconfirmed: HashSet<RequestId>,
    /// The attempts that were announced more than once.
    announced_again: HashSet<RequestId>,
    next_seq: u64,
    /// How many attempts at each item are here; none of them is 0.
    by_item: HashMap<ItemId, usize>,
}

impl Register {
    /// The next position in the order of acceptance.
    pub(super) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Goes on with positions from this one on, or from a later one.
    pub(super) fn continue_from(&mut self, seq: u64) {
        self.next_seq = self.next_seq.max(seq);
    }

    /// Whether this attempt is here.
    pub(super) fn has(&self, attempt: &Attempt) -> bool {
        self.by_seq.get(&attempt.seq).is_some_and(|here| here.request_id == attempt.request_id)
    }

    /// Whether an attempt with this id is here and known to be queued.
    pub(super) fn is_confirmed(&self, request_id: &RequestId) -> bool {
        self.attempts.contains_key(request_id) && !self.unconfirmed.contains(request_id)
    }

    /// Whether an attempt at this sale is here.
    pub(super) fn has_sale(&self, epoch: u64) -> bool {
        self.by_seq.values().any(|attempt| attempt.epoch == epoch)
    }

    pub(super) fn add(&mut self, attempt: Arc<Attempt>) {
        self.continue_from(attempt.seq + 1);
        self.unconfirmed.insert(attempt.request_id);
        *self.by_item.entry(attempt.item.clone()).or_default() += 1;
        self.by_seq.insert(attempt.seq, Arc::clone(&attempt));
        self.attempts.insert(attempt.request_id, attempt);
    }

    pub(super) fn remove(&mut self, request_id: &RequestId) -> Option<Arc<Attempt>> {
        if self.attempts.is_empty() {
            return None;
        }
        let attempt = self.attempts.remove(request_id)?;
        self.announced_again.remove(request_id);
        self.unconfirmed.remove(request_id);
        self.by_seq.remove(&attempt.seq);
        if let Some(count) = self.by_item.get_mut(&attempt.item) {
            *count -= 1;
            if *count == 0 {
                self.by_item.remove(&attempt.item);
            }
        }
        Some(attempt)
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

    /// Marks a waiting attempt as announced again.
    pub(super) fn mark_announced_again(&mut self, request_id: &RequestId) {
        if self.attempts.contains_key(request_id) {
            self.announced_again.insert(*request_id);
        }
    }

    pub(super) fn was_announced_again(&self, request_id: &RequestId) -> bool {
        self.announced_again.contains(request_id)
    }

    /// The first attempts in a part of the order of acceptance, at most `max`.
    pub(super) fn read(&self, seqs: Range<u64>, max: usize) -> Vec<Arc<Attempt>> {
        self.by_seq.range(seqs).take(max).map(|(_, attempt)| Arc::clone(attempt)).collect()
    }

    pub(super) fn unconfirmed(&self) -> Vec<Arc<Attempt>> {
        self.unconfirmed.iter().filter_map(|id| self.attempts.get(id).cloned()).collect()
    }

    /// The oldest attempts that were accepted before a moment.
    pub(super) fn overdue(&self, before_us: u64) -> Vec<Arc<Attempt>> {
        let overdue = self.attempts.values().filter(|attempt| attempt.accepted_us <= before_us);
        let mut overdue: Vec<_> = overdue.cloned().collect();
        overdue.sort_by_key(|attempt| attempt.accepted_us);
        overdue.truncate(OVERDUE_MAX);
        overdue
    }

    pub(super) fn count(&self, item: &ItemId) -> usize {
        self.by_item.get(item).copied().unwrap_or_default()
    }

    pub(super) fn len(&self) -> usize {
        self.attempts.len()
    }

    /// How many attempts at the same item are before this one; `None` if it is not here, or if
    /// counting would take too long.
    pub(super) fn position(&self, attempt: &Attempt) -> Option<usize> {
        self.by_seq.get(&attempt.seq)?;
        let before = || self.by_seq.range(..attempt.seq).take(COUNTED_MAX + 1);
        let can_count = before().count() <= COUNTED_MAX;
        let is_same = |before: &(&u64, &Arc<Attempt>)| before.1.item == attempt.item;
        can_count.then(|| before().filter(is_same).count())
    }
}
