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
        let now = Instant::now();
        let (estimate, wait_list) = (Estimate::new(now), WaitList::new(now));
        let (first, next_first) = (BTreeMap::new(), 0);
        let state = State { in_use: 0, estimate, wait_list, first, next_first };
        Self { state: Mutex::new(state) }
    }
}

impl ConcurrencyLimit {
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
#[allow(clippy::unwrap_used)] // In a test, that is an assertion.
mod tests {
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};

    use tokio::runtime::{Builder, Runtime};

    use super::*;

    /// For the timers of those that wait, which never fire.
    fn runtime() -> Runtime {
        Builder::new_current_thread().enable_time().build().unwrap()
    }

    fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    fn all_permits(limit: &Arc<ConcurrencyLimit>) -> Vec<Permit> {
        std::iter::from_fn(|| limit.try_acquire(Standing::New)).collect()
    }

    /// Polls those that wait, and takes out those that have got a permit.
    fn given<F: Future<Output = Option<Permit>>>(waiting: &mut Vec<Pin<Box<F>>>) -> Vec<Permit> {
        let mut given = Vec::new();
        waiting.retain_mut(|one| match poll(one.as_mut()) {
            Poll::Ready(permit) => {
                given.extend(permit);
                false
            }
            Poll::Pending => true,
        });
        given
    }

    /// Gives permits back, of attempts that were accepted.
    fn accept(permits: impl IntoIterator<Item = Permit>) {
        permits.into_iter().for_each(Permit::accepted);
    }

    #[test]
    fn waiting_attempts_get_permits_after_a_stall() {
        let (runtime, limit) = (runtime(), Arc::<ConcurrencyLimit>::default());
        let _entered = runtime.enter();
        let mut permits = all_permits(&limit);
        let mut waiting: Vec<_> = (0..7).map(|_| Box::pin(limit.acquire(Standing::New))).collect();
        assert!(given(&mut waiting).is_empty());
        accept(permits.drain(..5));
        permits.extend(given(&mut waiting));
        assert_eq!(waiting.len(), 2);
        assert!(limit.try_acquire(Standing::New).is_none(), "it would overtake those two");
    }

    /// Has an attempt wait for so long that there is overload, as it seems for the next minute.
    fn overload(limit: &ConcurrencyLimit) -> impl Drop {
        let now = Instant::now();
        let (number, _) = limit.lock().wait_list.add(oneshot::channel().0, now).unwrap();
        assert!(limit.lock().wait_list.next(now + Duration::from_secs(60)).is_none());
        Place { limit, number: Number::Listed(number) }
    }

    #[test]
    fn waiting_attempts_get_permits_when_the_overload_may_have_ended() {
        let (runtime, limit) = (runtime(), Arc::<ConcurrencyLimit>::default());
        let _entered = runtime.enter();
        let mut permits = all_permits(&limit);
        let first = overload(&limit);
        let mut waiting: Vec<_> = (0..7).map(|_| Box::pin(limit.acquire(Standing::New))).collect();
        assert!(given(&mut waiting).is_empty());
        drop(first);
        accept(permits.drain(..permits.len() / 2));
        assert!(given(&mut waiting).is_empty(), "although there are permits");
        accept(permits);
        for count in [1, 2, 4] {
            let now = given(&mut waiting);
            assert_eq!(now.len(), count);
            assert!(given(&mut waiting).is_empty());
            accept(now);
        }
    }

    #[test]
    fn permit_that_was_not_used_goes_to_a_waiting_attempt() {
        let (runtime, limit) = (runtime(), Arc::<ConcurrencyLimit>::default());
        let _entered = runtime.enter();
        let mut permits = all_permits(&limit);
        let mut waiting: Vec<_> = (0..2).map(|_| Box::pin(limit.acquire(Standing::New))).collect();
        assert!(given(&mut waiting).is_empty());
        permits.pop();
        assert_eq!(given(&mut waiting).len(), 1);
    }

    #[test]
    fn attempt_with_precedence_gets_the_next_permit() {
        let (runtime, limit) = (runtime(), Arc::<ConcurrencyLimit>::default());
        let _entered = runtime.enter();
        let mut permits = all_permits(&limit);
        let before = overload(&limit);
        let mut newcomer = pin!(limit.acquire(Standing::New));
        assert!(poll(newcomer.as_mut()).is_pending());
        drop(before);
        let mut first: Vec<_> = (0..2).map(|_| Box::pin(limit.acquire(Standing::First))).collect();
        assert!(given(&mut first).is_empty());
        accept(permits.pop());
        assert!(limit.try_acquire(Standing::New).is_none(), "it is for one that waits");
        permits.extend(given(&mut first));
        assert_eq!(first.len(), 1, "the other one waits");
        drop(first);
        accept(permits.drain(..2));
        let permit = limit.try_acquire(Standing::New);
        assert!(permit.is_some(), "none that has precedence waits");
        assert!(poll(newcomer.as_mut()).is_pending());
    }

    #[test]
    fn attempt_that_comes_too_early_takes_no_permit_while_others_wait() {
        let (runtime, limit) = (runtime(), Arc::<ConcurrencyLimit>::default());
        let _entered = runtime.enter();
        let early = Standing::Early(Duration::from_secs(1));
        assert!(limit.try_acquire(early).is_some(), "nothing has had to wait");
        let mut permits = all_permits(&limit);
        let before = overload(&limit);
        let mut newcomer = pin!(limit.acquire(Standing::New));
        assert!(poll(newcomer.as_mut()).is_pending());
        drop(before);
        accept(permits.pop());
        assert!(limit.try_acquire(early).is_none());
        assert!(limit.try_acquire(Standing::New).is_some());
    }

    #[test]
    fn no_more_attempts_with_precedence_wait_than_there_are_permits() {
        let (runtime, limit) = (runtime(), Arc::<ConcurrencyLimit>::default());
        let _entered = runtime.enter();
        let permits = all_permits(&limit);
        let acquire = |_| Box::pin(limit.acquire(Standing::First));
        let mut first: Vec<_> = (0..permits.len() + 3).map(acquire).collect();
        assert!(given(&mut first).is_empty());
        assert_eq!(limit.lock().first.len(), permits.len());
        drop(first);
        assert_eq!(limit.lock().first.len(), 0);
    }

    #[test]
    fn attempt_that_is_given_up_keeps_no_permit_and_no_place() {
        let (runtime, limit) = (runtime(), Arc::<ConcurrencyLimit>::default());
        let _entered = runtime.enter();
        let mut permits = all_permits(&limit);
        let count = permits.len();
        {
            let (mut first, mut second) =
                (pin!(limit.acquire(Standing::New)), pin!(limit.acquire(Standing::New)));
            assert!(poll(first.as_mut()).is_pending());
            assert!(poll(second.as_mut()).is_pending());
            permits.pop();
            assert_eq!(limit.lock().in_use, count, "given, but not yet received");
        }
        assert_eq!(limit.lock().in_use, count - 1);
        drop(permits);
        assert_eq!(all_permits(&limit).len(), count);
    }
}
