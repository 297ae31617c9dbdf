//! The limit on attempts that are being accepted at a time.
//!
//! Beyond some concurrency, throughput no longer rises and latency does. So there are as many
//! permits as the server can use ([`estimate`]). An attempt that finds none joins the wait list
//! ([`wait_list`]), which costs next to no CPU, until the overload has ended or it is refused.
//!
//! An attempt whose buyer has precedence, since it was refused before, gets the next permit. Those
//! that come back earlier than they were told join the wait list even if there is a permit, so that
//! clicking more often does not help.

mod estimate;
mod wait_list;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::precedence::Standing;
use estimate::Estimate;
use wait_list::WaitList;

/// Gives permits to accept an attempt.
#[derive(Debug)]
pub struct ConcurrencyLimit {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    in_use: usize,
    estimate: Estimate,
    wait_list: WaitList<Permit>,
    /// Attempts with precedence that have found no permit, by arrival: no more than there are
    /// permits, so that they wait no longer than one attempt takes.
    first: BTreeMap<u64, oneshot::Sender<Permit>>,
    next_first: u64,
}

/// Allows one attempt to be accepted, until it is dropped.
#[derive(Debug)]
#[must_use = "a permit that is dropped goes to the next attempt"]
pub(super) struct Permit {
    limit: Arc<ConcurrencyLimit>,
    acquired_at: Instant,
    is_accepted: bool,
}

/// The place of an attempt that waits, until it is dropped.
struct Place<'a> {
    limit: &'a ConcurrencyLimit,
    number: Number,
}

/// The number of an attempt that waits.
#[derive(Debug, Clone, Copy)]
enum Number {
    /// Among those with precedence.
    First(u64),
    /// On the wait list.
    Listed(u64),
}

impl Default for ConcurrencyLimit {
    fn default() -> Self {
        Self::at_least(estimate::MIN)
    }
}

impl ConcurrencyLimit {
    /// The limit for a queue in a broker.
    pub(super) fn over_broker() -> Self {
        Self::at_least(estimate::MIN_OVER_BROKER)
    }

    fn at_least(min: usize) -> Self {
        let now = Instant::now();
        let (estimate, wait_list) = (Estimate::new(min, now), WaitList::new(now));
        let (first, next_first) = (BTreeMap::new(), 0);
        let state = State { in_use: 0, estimate, wait_list, first, next_first };
        Self { state: Mutex::new(state) }
    }

    /// A permit, if there is one for an attempt that stands like this.
    pub(super) fn try_acquire(self: &Arc<Self>, standing: Standing) -> Option<Permit> {
        self.lock().take(standing, Instant::now()).then(|| self.permit())
    }

    /// Waits for a permit. `None` when there was none within 2 to 8 s (see [`wait_list`]), when the
    /// wait list is full, or when the buyer has precedence from now on.
    pub(super) async fn acquire(self: &Arc<Self>, standing: Standing) -> Option<Permit> {
        let (sender, permit) = oneshot::channel();
        let (number, patience) = {
            let (mut state, now) = (self.lock(), Instant::now());
            if state.take(standing, now) {
                drop(state);
                return Some(self.permit());
            }
            state.add(sender, standing, now)?
        };
        let _place = Place { limit: self, number };
        tokio::time::timeout(patience, permit).await.ok()?.ok()
    }

    /// Whether no attempt waits for a permit, nor has had to lately.
    pub(super) fn is_calm(&self) -> bool {
        let state = self.lock();
        state.first.is_empty() && state.wait_list.is_calm(Instant::now())
    }

    fn permit(self: &Arc<Self>) -> Permit {
        Permit { limit: Arc::clone(self), acquired_at: Instant::now(), is_accepted: false }
    }

    /// Takes a permit back, and gives as many to the wait list as it may have now.
    fn release(self: &Arc<Self>, accepted: Option<Duration>) {
        let mut next = {
            let (mut state, now) = (self.lock(), Instant::now());
            state.release(accepted, now);
            state.take_for_waiting(now)
        };
        while let Some(waiting) = next {
            // If the attempt has just been given up, its permit is dropped and goes to the next.
            let _ = waiting.send(self.permit());
            next = self.lock().take_for_waiting(Instant::now());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes a permit for an attempt that has just arrived.
    fn take(&mut self, standing: Standing, now: Instant) -> bool {
        let may_take = self.in_use < self.estimate.limit()
            && self.first.is_empty()
            && (!matches!(standing, Standing::Early(_)) || self.wait_list.is_calm(now));
        self.in_use += usize::from(may_take);
        may_take
    }

    /// Has an attempt wait, and returns its number and how long it should wait; `None` if as many
    /// wait as may.
    fn add(
        &mut self,
        permit: oneshot::Sender<Permit>,
        standing: Standing,
        now: Instant,
    ) -> Option<(Number, Duration)> {
        if standing == Standing::First && self.first.len() < self.estimate.limit() {
            let number = self.next_first;
            self.next_first += 1;
            self.first.insert(number, permit);
            return Some((Number::First(number), wait_list::PATIENCE_MIN));
        }
        let (number, patience) = self.wait_list.add(permit, now)?;
        let patience = match standing {
            Standing::Early(left) => patience.min(left),
            Standing::New | Standing::First => patience,
        };
        Some((Number::Listed(number), patience))
    }

    /// Takes a permit for an attempt that waits, if there is one for it.
    fn take_for_waiting(&mut self, now: Instant) -> Option<oneshot::Sender<Permit>> {
        if self.in_use >= self.estimate.limit() {
            return None;
        }
        let first = self.first.pop_first().map(|(_, permit)| permit);
        let next = first.or_else(|| self.wait_list.next(now))?;
        self.in_use += 1;
        Some(next)
    }

    fn release(&mut self, accepted: Option<Duration>, now: Instant) {
        self.in_use -= 1;
        match accepted {
            Some(duration) => self.estimate.add(duration, self.in_use, now),
            None => self.wait_list.unused(),
        }
        self.wait_list.released(self.in_use, now);
    }
}

impl Permit {
    /// The attempt was accepted, so that the time since the permit was given is a measurement.
    pub(super) fn accepted(mut self) {
        self.is_accepted = true;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.limit.release(self.is_accepted.then(|| self.acquired_at.elapsed()));
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.limit.lock();
        match self.number {
            Number::First(number) => {
                state.first.remove(&number);
            }
            Number::Listed(number) => state.wait_list.remove(number),
        }
    }
}

#[cfg(test)]
mod tests;
