//! Who waits for which decision: a waiter is woken by that of its own attempt and by no other,
//! however many wait and whatever is decided meanwhile.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::ids::{ItemId, RequestId};
use crate::sale::Attempt;

use super::Decided;

/// The attempts that somebody waits for. Each waiter is a held request, so there are no more of
/// them than connections, and one that goes away for whatever reason leaves nothing behind.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    by_id: Mutex<HashMap<RequestId, Awaited>>,
}

/// An attempt that somebody waits for.
#[derive(Debug, Default)]
struct Awaited {
    told: watch::Sender<Option<Arc<Decided>>>,
    /// Its item, once a waiter knows it: where a store that has to be asked is asked.
    item: Option<ItemId>,
}

/// One who waits for the decision of an attempt.
#[derive(Debug)]
#[must_use = "whoever waits is told"]
pub struct Waiter<'a> {
    // Dropped before the place is, which looks whether it was the last.
    told: watch::Receiver<Option<Arc<Decided>>>,
    place: Place<'a>,
}

/// Keeps an attempt among those that are waited for, until the last one who waits has gone.
#[derive(Debug)]
struct Place<'a> {
    waiters: &'a Waiters,
    request_id: RequestId,
}

impl Waiters {
    /// Begins to wait for a decision: what is told from now on is not missed.
    pub(super) fn wait(&self, request_id: RequestId) -> Waiter<'_> {
        let told = self.lock().entry(request_id).or_default().told.subscribe();
        Waiter { told, place: Place { waiters: self, request_id } }
    }

    /// Tells committed decisions to those who wait for them.
    pub(super) fn tell(&self, decided: &[Arc<Decided>]) {
        let awaited: Vec<_> = {
            let mut by_id = self.lock();
            let mut remove = |decided: &Arc<Decided>| by_id.remove(&decided.attempt.request_id);
            decided.iter().filter_map(|decided| Some((remove(decided)?, decided))).collect()
        };
        // Not under the lock: whoever is woken may want it.
        for (awaited, decided) in awaited {
            awaited.told.send_replace(Some(Arc::clone(decided)));
        }
    }

    /// Sends those who wait for an attempt to look what has become of it.
    pub(super) fn send_to_look(&self, request_id: &RequestId) {
        let awaited = self.lock().remove(request_id);
        // Who waits notices; not under the lock either.
        drop(awaited);
    }

    /// The attempts that are waited for, where their item is known.
    pub(super) fn by_item(&self) -> HashMap<ItemId, Vec<RequestId>> {
        let mut by_item: HashMap<ItemId, Vec<RequestId>> = HashMap::new();
        for (request_id, awaited) in self.lock().iter() {
            let Some(item) = &awaited.item else { continue };
            match by_item.get_mut(item) {
                Some(ids) => ids.push(*request_id),
                None => drop(by_item.insert(item.clone(), vec![*request_id])),
            }
        }
        by_item
    }

    /// How many attempts are waited for.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RequestId, Awaited>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiter<'_> {
    /// The decision of the attempt, which was seen to wait, once it is committed. `None` when it
    /// waits no longer for another reason: then look.
    pub async fn decided(mut self, attempt: &Attempt) -> Option<Arc<Decided>> {
        if let Some(awaited) = self.place.waiters.lock().get_mut(&self.place.request_id) {
            awaited.item = Some(attempt.item.clone());
        }
        self.told.wait_for(Option::is_some).await.ok()?.clone()
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut by_id = self.waiters.lock();
        // After the decision was told, there may be another's place under this id.
        let is_left = |awaited: &Awaited| awaited.told.receiver_count() == 0;
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
    use crate::sale::Decision;

    use super::*;

    /// Counts how often it is woken.
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
        Arc::new(Decided { attempt, decision: Decision::Lost(LostReason::SoldOut), decided_us: 2 })
    }

    fn id(number: u128) -> RequestId {
        RequestId(uuid::Uuid::from_u128(number))
    }

    fn poll<F: Future>(future: Pin<&mut F>, woken: &Arc<Woken>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(&Waker::from(Arc::clone(woken))))
    }

    #[test]
    fn a_waiter_is_woken_by_its_own_decision_alone() {
        let (waiters, woken) = (Waiters::default(), Arc::new(Woken::default()));
        let (own, others) = (decided(0), (1..1_000).map(decided).collect::<Vec<_>>());
        let mut waiting = pin!(waiters.wait(id(0)).decided(&own.attempt));
        assert!(poll(waiting.as_mut(), &woken).is_pending());
        let of_others = others.iter().map(|other| waiters.wait(other.attempt.request_id));
        let of_others: Vec<_> = of_others.collect();
        for other in &others {
            waiters.tell(std::slice::from_ref(other));
        }
        drop(of_others);
        assert_eq!(woken.0.load(Ordering::Relaxed), 0);
        waiters.tell(std::slice::from_ref(&own));
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
        assert_eq!(poll(waiting, &woken), Poll::Ready(Some(Arc::clone(&own))));
    }

    #[test]
    fn all_who_wait_for_one_attempt_are_told_even_before_they_look() {
        let (waiters, woken, own) = (Waiters::default(), Arc::default(), decided(0));
        let waiting = [(); 3].map(|()| waiters.wait(id(0)));
        waiters.tell(std::slice::from_ref(&own));
        // Comes after it, and so has a place of its own, which the others leave alone.
        let mut late = pin!(waiters.wait(id(0)).decided(&own.attempt));
        for waiter in waiting {
            let told = poll(pin!(waiter.decided(&own.attempt)), &woken);
            assert_eq!(told, Poll::Ready(Some(Arc::clone(&own))));
        }
        assert!(poll(late.as_mut(), &woken).is_pending());
        assert_eq!(waiters.len(), 1);
        waiters.send_to_look(&id(0));
        assert_eq!(poll(late, &woken), Poll::Ready(None));
    }

    #[test]
    fn who_goes_leaves_nothing_behind_and_takes_nothing_from_others() {
        let (waiters, woken, own) = (Waiters::default(), Arc::default(), decided(0));
        let (first, second) = (waiters.wait(id(0)), waiters.wait(id(0)));
        drop(waiters.wait(id(1)));
        drop(first);
        assert!(waiters.by_item().is_empty(), "nobody has said where to ask");
        {
            let mut second = pin!(second.decided(&own.attempt));
            assert!(poll(second.as_mut(), &woken).is_pending());
            assert_eq!(waiters.by_item()[&own.attempt.item], [id(0)]);
        }
        assert_eq!(waiters.len(), 0);
    }
}
