//! The waiting attempts in memory: a lane for each item, first in, first out.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::ids::{ItemId, RequestId};
use crate::sale::Attempt;

/// All lanes. An item's lane serves one consumer at a time, so that its attempts are decided in
/// their order; different items are decided side by side.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// Accepted and not acknowledged, whether handed out or not.
    pub(super) waiting: HashMap<RequestId, Arc<Attempt>>,
    lanes: HashMap<ItemId, Lane>,
    closing: bool,
}

#[derive(Debug, Default)]
struct Lane {
    ready: VecDeque<Arc<Attempt>>,
    /// Not acknowledged.
    depth: usize,
    busy: bool,
}

impl Lanes {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes when a lane may have become free. Subscribe, then look.
    pub(super) fn changed(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    pub(super) fn close_when_empty(&self) {
        self.lock().closing = true;
        self.changed.send_replace(());
    }

    /// Takes up to `max` attempts from the free lane whose first is the oldest; only such as
    /// `is_durable`.
    pub(super) fn take(
        &self,
        max: usize,
        is_durable: impl Fn(u64) -> bool,
    ) -> Option<Vec<Arc<Attempt>>> {
        let mut state = self.lock();
        let free = state.lanes.values_mut().filter(|lane| !lane.busy && !lane.ready.is_empty());
        let lane = free.min_by_key(|lane| lane.ready.front().map(|first| first.seq))?;
        let durable = lane.ready.iter().take(max).take_while(|a| is_durable(a.seq)).count();
        if durable == 0 {
            return None;
        }
        lane.busy = true;
        Some(lane.ready.drain(..durable).collect())
    }

    /// Lets another consumer have the item.
    pub(super) fn free(&self, item: &ItemId) {
        let mut state = self.lock();
        if let Some(lane) = state.lanes.get_mut(item) {
            lane.busy = false;
            if lane.depth == 0 {
                state.lanes.remove(item);
            }
        }
        drop(state);
        self.changed.send_replace(());
    }

    /// Puts attempts back to the front of their lane.
    pub(super) fn put_back(&self, attempts: &[Arc<Attempt>]) {
        let mut state = self.lock();
        for attempt in attempts.iter().rev() {
            if let Some(lane) = state.lanes.get_mut(&attempt.item) {
                lane.ready.push_front(Arc::clone(attempt));
            }
        }
        drop(state);
        self.changed.send_replace(());
    }

    pub(super) fn forget(&self, attempts: &[Arc<Attempt>]) {
        let mut state = self.lock();
        for attempt in attempts {
            state.forget(&attempt.request_id);
        }
        drop(state);
        self.changed.send_replace(());
    }
}

impl State {
    pub(super) fn add(&mut self, attempt: Arc<Attempt>) {
        self.waiting.insert(attempt.request_id, Arc::clone(&attempt));
        let lane = self.lanes.entry(attempt.item.clone()).or_default();
        lane.depth += 1;
        lane.ready.push_back(attempt);
    }

    fn forget(&mut self, request_id: &RequestId) {
        let Some(attempt) = self.waiting.remove(request_id) else { return };
        if let Some(lane) = self.lanes.get_mut(&attempt.item) {
            lane.depth -= 1;
            if lane.depth == 0 && !lane.busy {
                self.lanes.remove(&attempt.item);
            }
        }
    }

    pub(super) fn depth_of(&self, item: &ItemId) -> usize {
        self.lanes.get(item).map_or(0, |lane| lane.depth)
    }

    pub(super) fn is_finished(&self) -> bool {
        self.closing && self.waiting.is_empty()
    }
}
