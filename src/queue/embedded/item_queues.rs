//! The waiting attempts in memory: one first-in, first-out queue for each item.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::ids::{ItemId, RequestId};
use crate::sale::Attempt;

use super::super::{DrainRate, Place};

/// Attempts that are counted to find how many are before a delivered one, which takes some 20 µs.
const COUNTED_MAX: usize = 1_000;

/// The queues of all items. An item's queue delivers one batch at a time, so that its attempts are
/// decided in their order; different items are decided concurrently.
#[derive(Debug, Default)]
pub(super) struct ItemQueues {
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// Accepted and not acknowledged, delivered or not.
    pub(super) waiting: HashMap<RequestId, Arc<Attempt>>,
    by_seq: BTreeMap<u64, Arc<Attempt>>,
    by_item: HashMap<ItemId, ItemQueue>,
    /// The items whose attempts may be taken, by the position of the first of these.
    free: BTreeMap<u64, ItemId>,
    drain_rate: DrainRate,
    closing: bool,
}

#[derive(Debug, Default)]
struct ItemQueue {
    ready: VecDeque<Arc<Attempt>>,
    /// How many attempts are not acknowledged.
    depth: usize,
    /// The position in the order of acceptance up to which attempts were delivered, if any were.
    delivered_to: Option<u64>,
    /// Whether a batch was taken whose order of decisions is not fixed.
    busy: bool,
}

impl ItemQueue {
    /// The position of the first attempt that may be taken, if one may.
    fn first_free(&self) -> Option<u64> {
        self.ready.front().filter(|_| !self.busy).map(|first| first.seq)
    }
}

impl ItemQueues {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes when an item may have become free. Subscribe before checking, so that no change is
    /// missed.
    pub(super) fn changed(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    pub(super) fn close_when_empty(&self) {
        self.lock().closing = true;
        self.changed.send_replace(());
    }

    /// Takes up to `max` durable attempts from the free queue whose first attempt is the oldest.
    pub(super) fn take(
        &self,
        max: usize,
        is_durable: impl Fn(u64) -> bool,
    ) -> Option<Vec<Arc<Attempt>>> {
        let mut state = self.lock();
        let (first, item) = state.free.first_key_value()?;
        if !is_durable(*first) {
            return None;
        }
        let item = item.clone();
        let mut taken = None;
        state.change(&item, |queue| {
            let durable = queue.ready.iter().take(max).take_while(|a| is_durable(a.seq)).count();
            queue.busy = true;
            queue.delivered_to = queue.ready.get(durable - 1).map(|last| last.seq);
            taken = Some(queue.ready.drain(..durable).collect());
        });
        taken
    }

    /// Allows that the next batch of the item is taken.
    pub(super) fn release(&self, item: &ItemId) {
        self.lock().change(item, |queue| queue.busy = false);
        self.changed.send_replace(());
    }

    /// Returns attempts at one item to the front of its queue.
    pub(super) fn put_back(&self, attempts: &[Arc<Attempt>]) {
        let Some(first) = attempts.first() else { return };
        let mut state = self.lock();
        state.change(&first.item, |queue| {
            attempts.iter().rev().for_each(|attempt| queue.ready.push_front(Arc::clone(attempt)));
        });
        drop(state);
        self.changed.send_replace(());
    }

    /// Removes acknowledged attempts.
    pub(super) fn remove(&self, attempts: &[Arc<Attempt>]) {
        let mut state = self.lock();
        for attempt in attempts {
            state.remove(&attempt.request_id);
        }
        state.drain_rate.add(attempts.len(), Instant::now());
        drop(state);
        self.changed.send_replace(());
    }
}

impl State {
    pub(super) fn add(&mut self, attempt: Arc<Attempt>) {
        self.waiting.insert(attempt.request_id, Arc::clone(&attempt));
        self.by_seq.insert(attempt.seq, Arc::clone(&attempt));
        let item = attempt.item.clone();
        self.by_item.entry(item.clone()).or_default();
        self.change(&item, |queue| {
            queue.depth += 1;
            queue.ready.push_back(attempt);
        });
    }

    /// Changes an item's queue, and with it whether and where the item is among the free ones.
    fn change(&mut self, item: &ItemId, change: impl FnOnce(&mut ItemQueue)) {
        let Some(queue) = self.by_item.get_mut(item) else { return };
        let before = queue.first_free();
        change(queue);
        let is_over = queue.depth == 0 && !queue.busy;
        let after = queue.first_free().filter(|_| !is_over);
        if before != after {
            before.and_then(|first| self.free.remove(&first));
            after.and_then(|first| self.free.insert(first, item.clone()));
        }
        if is_over {
            self.by_item.remove(item);
        }
    }

    fn remove(&mut self, request_id: &RequestId) {
        let Some(attempt) = self.waiting.remove(request_id) else { return };
        self.by_seq.remove(&attempt.seq);
        self.change(&attempt.item, |queue| queue.depth -= 1);
    }

    /// Whether the attempt at this position is not acknowledged.
    pub(super) fn is_waiting(&self, seq: u64) -> bool {
        self.by_seq.contains_key(&seq)
    }

    /// The first waiting attempts in a part of the order of acceptance, at most `max`.
    pub(super) fn read(&self, seqs: Range<u64>, max: usize) -> Vec<Arc<Attempt>> {
        self.by_seq.range(seqs).take(max).map(|(_, attempt)| Arc::clone(attempt)).collect()
    }

    /// How long it takes until all that wait now are decided; `None` if that cannot be estimated.
    pub(super) fn drain_time(&self) -> Option<Duration> {
        self.drain_rate.time_for(self.waiting.len(), Instant::now())
    }

    pub(super) fn drained_per_second(&self) -> Option<f64> {
        self.drain_rate.per_second(Instant::now())
    }

    /// How long an attempt that arrives at this time would wait: until all that wait now are
    /// decided, or as long as the oldest of them has waited already.
    pub(super) fn wait(&self, now_us: u64) -> Option<Duration> {
        let age = |oldest: &Arc<Attempt>| now_us.saturating_sub(oldest.accepted_us);
        let oldest = self.by_seq.first_key_value().map(|(_, oldest)| age(oldest));
        self.drain_time().max(oldest.map(Duration::from_micros))
    }

    /// Where an attempt is. Its position depends on nothing but the attempts of its item that were
    /// accepted earlier and wait, so it never rises.
    pub(super) fn place(&self, request_id: &RequestId) -> Option<Place> {
        let attempt = self.waiting.get(request_id)?;
        let queue = self.by_item.get(&attempt.item)?;
        let position = match Some(attempt.seq) > queue.delivered_to {
            // All that are delivered were accepted earlier.
            true => {
                let index = queue.ready.partition_point(|ready| ready.seq < attempt.seq);
                queue.depth - queue.ready.len() + index
            }
            // It was delivered, and so is among the oldest.
            false => {
                let before = || self.by_seq.range(..attempt.seq).take(COUNTED_MAX + 1);
                if before().count() > COUNTED_MAX {
                    return None;
                }
                before().filter(|(_, before)| before.item == attempt.item).count()
            }
        };
        // Items are served in the order of their oldest attempts: of those of other items, about as
        // many come before this one as were accepted earlier.
        let first_seq = self.by_seq.first_key_value().map_or(attempt.seq, |(seq, _)| *seq);
        let earlier = usize::try_from(attempt.seq - first_seq).unwrap_or(usize::MAX);
        let before = match self.by_item.len() {
            1 => position,
            _ => earlier.min(self.waiting.len() - 1).max(position),
        };
        Some(Place { position, eta: self.drain_rate.time_for(before + 1, Instant::now()) })
    }

    pub(super) fn depth_of(&self, item: &ItemId) -> usize {
        self.by_item.get(item).map_or(0, |queue| queue.depth)
    }

    pub(super) fn is_finished(&self) -> bool {
        self.closing && self.waiting.is_empty()
    }
}
