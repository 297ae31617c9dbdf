//! Waiting for decisions: a waiter is woken by the decision on its own attempt only, regardless of
//! how many others wait and are decided.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::ids::RequestId;

use super::Decided;

/// The attempts that have waiters. Each waiter is a held request, so the number of connections
/// bounds them, and dropping a waiter removes its entry.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    by_id: Mutex<HashMap<RequestId, Decisions>>,
}

/// The channel by which the waiters of one attempt get its decision.
type Decisions = watch::Sender<Option<Arc<Decided>>>;

/// Waits for the decision on an attempt.
#[derive(Debug)]
#[must_use = "a waiter does nothing unless awaited"]
pub struct Waiter<'a> {
    // Declared before `_place`, so that it is dropped first: dropping the place counts the
    // receivers.
    decision: watch::Receiver<Option<Arc<Decided>>>,
    _place: Place<'a>,
}

/// Keeps the attempt's entry until its last waiter is dropped.
#[derive(Debug)]
struct Place<'a> {
    waiters: &'a Waiters,
    request_id: RequestId,
}

impl Waiters {
    /// Starts waiting for a decision; a notification from now on is not missed.
    pub(super) fn wait(&self, request_id: RequestId) -> Waiter<'_> {
        let decision = self.lock().entry(request_id).or_default().subscribe();
        Waiter { decision, _place: Place { waiters: self, request_id } }
    }

    /// Notifies the waiters of committed decisions.
    pub(super) fn notify(&self, decided: &[Arc<Decided>]) {
        let awaited: Vec<_> = {
            let mut by_id = self.lock();
            let mut remove = |decided: &Arc<Decided>| by_id.remove(&decided.attempt.request_id);
            decided.iter().filter_map(|decided| Some((remove(decided)?, decided))).collect()
        };
        // Not under the lock, since a woken waiter may take it.
        for (awaited, decided) in awaited {
            awaited.send_replace(Some(Arc::clone(decided)));
        }
    }

    /// Wakes the waiters of an attempt without a decision, so that they look it up again.
    pub(super) fn wake(&self, request_id: &RequestId) {
        let awaited = self.lock().remove(request_id);
        // Dropping the sender wakes them; not under the lock either.
        drop(awaited);
    }

    /// The attempts that have waiters.
    pub(super) fn ids(&self) -> Vec<RequestId> {
        self.lock().keys().copied().collect()
    }

    /// How many attempts have waiters.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RequestId, Decisions>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiter<'_> {
    /// Waits for the committed decision on the attempt, which a lookup has found waiting. `None`
    /// when the attempt has to be looked up again.
    pub async fn decided(mut self) -> Option<Arc<Decided>> {
        self.decision.wait_for(Option::is_some).await.ok()?.clone()
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut by_id = self.waiters.lock();
        // After a notification, the entry of this id may belong to later waiters.
        let is_left = |decisions: &Decisions| decisions.receiver_count() == 0;
        if by_id.get(&self.request_id).is_some_and(is_left) {
            by_id.remove(&self.request_id);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // In a test, that is an assertion.
mod tests {
    use std::pin::{Pin, pin};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll, Wake, Waker};

    use crate::api::LostReason;
    use crate::sale::{Attempt, Decision};

    use super::*;

    /// Counts its wake-ups.
    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn decided(number: u128) -> Arc<Decided> {
        let attempt = Arc::new(Attempt {
            request_id: id(number),
            buyer: "ann".parse().unwrap(),
            item: "tea".parse().unwrap(),
            epoch: 1,
            seq: 1,
            accepted_us: 1,
        });
        let decision = Decision::Lost(LostReason::SoldOut);
        Arc::new(Decided { attempt, decision, decided_us: 2, held_until_us: None })
    }

    fn id(number: u128) -> RequestId {
        RequestId(uuid::Uuid::from_u128(number))
    }

    fn poll<F: Future>(future: Pin<&mut F>, woken: &Arc<Woken>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(&Waker::from(Arc::clone(woken))))
    }

    #[test]
    fn waiter_is_woken_only_by_its_own_decision() {
        let (waiters, woken) = (Waiters::default(), Arc::new(Woken::default()));
        let (own, others) = (decided(0), (1..1_000).map(decided).collect::<Vec<_>>());
        let mut waiting = pin!(waiters.wait(id(0)).decided());
        assert!(poll(waiting.as_mut(), &woken).is_pending());
        let of_others = others.iter().map(|other| waiters.wait(other.attempt.request_id));
        let of_others: Vec<_> = of_others.collect();
        for other in &others {
            waiters.notify(std::slice::from_ref(other));
        }
        drop(of_others);
        assert_eq!(woken.0.load(Ordering::Relaxed), 0);
        waiters.notify(std::slice::from_ref(&own));
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
        assert_eq!(poll(waiting, &woken), Poll::Ready(Some(Arc::clone(&own))));
    }

    #[test]
    fn all_waiters_of_an_attempt_are_notified_even_before_their_lookup() {
        let (waiters, woken, own) = (Waiters::default(), Arc::default(), decided(0));
        let waiting = [(); 3].map(|()| waiters.wait(id(0)));
        waiters.notify(std::slice::from_ref(&own));
        // It starts after the notification, so it has an entry of its own, which the others keep.
        let mut late = pin!(waiters.wait(id(0)).decided());
        for waiter in waiting {
            let decision = poll(pin!(waiter.decided()), &woken);
            assert_eq!(decision, Poll::Ready(Some(Arc::clone(&own))));
        }
        assert!(poll(late.as_mut(), &woken).is_pending());
        assert_eq!(waiters.len(), 1);
        waiters.wake(&id(0));
        assert_eq!(poll(late, &woken), Poll::Ready(None));
    }

    #[test]
    fn dropped_waiter_removes_its_own_entry_only() {
        let (waiters, woken) = (Waiters::default(), Arc::default());
        let (first, second) = (waiters.wait(id(0)), waiters.wait(id(0)));
        drop(waiters.wait(id(1)));
        drop(first);
        {
            let mut second = pin!(second.decided());
            assert!(poll(second.as_mut(), &woken).is_pending());
            assert_eq!(waiters.ids(), [id(0)]);
        }
        assert_eq!(waiters.len(), 0);
    }
}
