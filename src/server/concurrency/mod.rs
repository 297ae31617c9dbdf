//! The limit on attempts that are being accepted at a time.
//!
//! Beyond some concurrency, throughput no longer rises and latency does. So there are as many
//! permits as the server can use ([`estimate`]). An attempt that finds none joins the wait list
//! ([`wait_list`]), which costs next to no CPU, until the overload has ended or it is refused.

mod estimate;
mod wait_list;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

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
}

/// Allows one attempt to be accepted, until it is dropped.
#[derive(Debug)]
#[must_use = "a permit that is dropped goes to the next attempt"]
pub(super) struct Permit {
    limit: Arc<ConcurrencyLimit>,
    acquired_at: Instant,
    is_accepted: bool,
}

/// The place of an attempt on the wait list, until it is dropped.
struct Place<'a> {
    limit: &'a ConcurrencyLimit,
    number: u64,
}

impl Default for ConcurrencyLimit {
    fn default() -> Self {
        let now = Instant::now();
        let (estimate, wait_list) = (Estimate::new(now), WaitList::new(now));
        Self { state: Mutex::new(State { in_use: 0, estimate, wait_list }) }
    }
}

impl ConcurrencyLimit {
    /// A permit, if there is one.
    pub(super) fn try_acquire(self: &Arc<Self>) -> Option<Permit> {
        self.lock().take().then(|| self.permit())
    }

    /// Waits for a permit. `None` when there was none within 2 to 8 s (see [`wait_list`]), or when
    /// the wait list is full.
    pub(super) async fn acquire(self: &Arc<Self>) -> Option<Permit> {
        let (sender, permit) = oneshot::channel();
        let (number, patience) = {
            let mut state = self.lock();
            if state.take() {
                drop(state);
                return Some(self.permit());
            }
            state.wait_list.add(sender, Instant::now())?
        };
        let _place = Place { limit: self, number };
        tokio::time::timeout(patience, permit).await.ok()?.ok()
    }

    fn permit(self: &Arc<Self>) -> Permit {
        Permit { limit: Arc::clone(self), acquired_at: Instant::now(), is_accepted: false }
    }

    /// Takes a permit back, and gives as many to the wait list as it may have now.
    fn release(self: &Arc<Self>, accepted: Option<Duration>) {
        let mut next = {
            let mut state = self.lock();
            state.release(accepted, Instant::now());
            state.take_for_waiting()
        };
        while let Some(waiting) = next {
            // If the attempt has just been given up, its permit is dropped and goes to the next.
            let _ = waiting.send(self.permit());
            next = self.lock().take_for_waiting();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes a permit for an attempt that has just arrived.
    fn take(&mut self) -> bool {
        let may_take = self.in_use < self.estimate.limit();
        self.in_use += usize::from(may_take);
        may_take
    }

    /// Takes a permit for an attempt on the wait list, if there is one for it.
    fn take_for_waiting(&mut self) -> Option<oneshot::Sender<Permit>> {
        if self.in_use >= self.estimate.limit() {
            return None;
        }
        let next = self.wait_list.next()?;
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
        self.limit.lock().wait_list.remove(self.number);
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
        std::iter::from_fn(|| limit.try_acquire()).collect()
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
    fn waiting_attempts_get_permits_when_the_overload_may_have_ended() {
        let (runtime, limit) = (runtime(), Arc::<ConcurrencyLimit>::default());
        let _entered = runtime.enter();
        let mut permits = all_permits(&limit);
        let mut waiting: Vec<_> = (0..7).map(|_| Box::pin(limit.acquire())).collect();
        assert!(given(&mut waiting).is_empty());
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
        let mut waiting: Vec<_> = (0..2).map(|_| Box::pin(limit.acquire())).collect();
        assert!(given(&mut waiting).is_empty());
        permits.pop();
        assert_eq!(given(&mut waiting).len(), 1);
    }

    #[test]
    fn attempt_that_is_given_up_keeps_no_permit_and_no_place() {
        let (runtime, limit) = (runtime(), Arc::<ConcurrencyLimit>::default());
        let _entered = runtime.enter();
        let mut permits = all_permits(&limit);
        let count = permits.len();
        {
            let (mut first, mut second) = (pin!(limit.acquire()), pin!(limit.acquire()));
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
