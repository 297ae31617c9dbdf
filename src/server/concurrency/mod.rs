//! The limit on attempts that are being accepted at a time.
//!
//! Under overload, more attempts in progress do not become more accepted ones: each takes longer,
//! and all cost memory and CPU. So as many as the server can use have a permit ([`estimate`]). Who
//! finds none waits [`aside`](Aside), which costs next to nothing, until the overload has ended or
//! the attempt is refused.

mod aside;
mod estimate;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use aside::Aside;
use estimate::Estimate;

/// Gives permits to accept an attempt.
#[derive(Debug)]
pub struct ConcurrencyLimit {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    in_use: usize,
    estimate: Estimate,
    aside: Aside<Permit>,
}

/// Allows one attempt to be accepted, until it is dropped.
#[derive(Debug)]
#[must_use = "a permit that is dropped goes to the next attempt"]
pub(super) struct Permit {
    limit: Arc<ConcurrencyLimit>,
    since: Instant,
    is_accepted: bool,
}

impl Default for ConcurrencyLimit {
    fn default() -> Self {
        let estimate = Estimate::new(Instant::now());
        Self { state: Mutex::new(State { in_use: 0, estimate, aside: Aside::new() }) }
    }
}

impl ConcurrencyLimit {
    /// A permit, if there is one.
    pub(super) fn try_acquire(self: &Arc<Self>) -> Option<Permit> {
        self.lock().take().then(|| self.permit())
    }

    /// Waits for a permit. `None` when there was none in time (2 to 8 s, see [`Aside`]), or too
    /// many wait.
    pub(super) async fn acquire(self: &Arc<Self>) -> Option<Permit> {
        let (sender, permit) = oneshot::channel();
        let patience = {
            let mut state = self.lock();
            if state.take() {
                drop(state);
                return Some(self.permit());
            }
            state.aside.add(sender)?
        };
        tokio::time::timeout(patience, permit).await.ok()?.ok()
    }

    fn permit(self: &Arc<Self>) -> Permit {
        Permit { limit: Arc::clone(self), since: Instant::now(), is_accepted: false }
    }

    /// Takes a permit back, and gives as many as there are now to those that may have one.
    fn release(self: &Arc<Self>, accepted: Option<Duration>) {
        let mut next = {
            let mut state = self.lock();
            state.release(accepted);
            state.take_for_waiting()
        };
        while let Some(waiting) = next {
            // One that has just given up drops its permit, which then goes to the next.
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

    /// Takes a permit for one that waits, if there is a permit, and one that may have it.
    fn take_for_waiting(&mut self) -> Option<oneshot::Sender<Permit>> {
        if self.in_use >= self.estimate.limit() {
            return None;
        }
        let next = self.aside.next()?;
        self.in_use += 1;
        Some(next)
    }

    fn release(&mut self, accepted: Option<Duration>) {
        self.in_use -= 1;
        if let Some(duration) = accepted {
            self.estimate.add(duration, Instant::now());
            self.aside.accepted(self.estimate.limit());
        }
        if self.in_use == 0 {
            self.aside.idle();
        }
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
        self.limit.release(self.is_accepted.then(|| self.since.elapsed()));
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

    #[test]
    fn those_that_wait_are_let_in_when_the_overload_may_have_ended() {
        let (runtime, limit) = (runtime(), Arc::<ConcurrencyLimit>::default());
        let _entered = runtime.enter();
        let mut permits = all_permits(&limit);
        let mut waiting: Vec<_> = (0..7).map(|_| Box::pin(limit.acquire())).collect();
        assert!(given(&mut waiting).is_empty());
        permits.truncate(permits.len() / 2);
        assert!(given(&mut waiting).is_empty(), "although there are permits");
        drop(permits);
        for count in [1, 2, 4] {
            let now = given(&mut waiting);
            assert_eq!(now.len(), count);
            assert!(given(&mut waiting).is_empty());
        }
    }

    #[test]
    fn those_that_give_up_keep_no_permit_and_no_place() {
        let (runtime, limit) = (runtime(), Arc::<ConcurrencyLimit>::default());
        let _entered = runtime.enter();
        let permits = all_permits(&limit);
        {
            let (mut given, mut waiting) = (pin!(limit.acquire()), pin!(limit.acquire()));
            assert!(poll(given.as_mut()).is_pending());
            drop(permits);
            assert_eq!(limit.lock().in_use, 1, "given, but not yet received");
            let _permits = all_permits(&limit);
            assert!(poll(waiting.as_mut()).is_pending());
        }
        assert_eq!(limit.lock().in_use, 0);
        let permits = all_permits(&limit);
        let mut last = pin!(limit.acquire());
        assert!(poll(last.as_mut()).is_pending());
        drop(permits);
        assert!(poll(last).is_ready());
    }

    #[test]
    fn number_of_those_that_wait_is_bounded() {
        let (runtime, limit) = (runtime(), Arc::<ConcurrencyLimit>::default());
        let _entered = runtime.enter();
        let _permits = all_permits(&limit);
        let mut waiting: Vec<_> = (0..aside::MAX).map(|_| Box::pin(limit.acquire())).collect();
        assert!(waiting.iter_mut().all(|waiting| poll(waiting.as_mut()).is_pending()));
        assert!(matches!(poll(pin!(limit.acquire())), Poll::Ready(None)));
    }
}
