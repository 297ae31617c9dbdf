//! Who gets a permit, and when.

#![allow(clippy::unwrap_used)] // In a test, that is an assertion.

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
