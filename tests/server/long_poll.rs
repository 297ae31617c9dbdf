//! Long polls: how often each wakes up, and that none leaves a waiter behind.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use seckill::queue::Batch;

use crate::support::{
    AttemptStatus, Running, Setup, Shop, attempt, config, id, is_waiting, publish, within,
};

/// Counts its wake-ups.
#[derive(Default)]
struct WakeCounter(AtomicUsize);

impl Wake for WakeCounter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl WakeCounter {
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

fn poll<F: Future>(future: Pin<&mut F>, woken: &Arc<WakeCounter>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(&Waker::from(Arc::clone(woken))))
}

fn long_poll_path(number: usize) -> String {
    format!("{}?wait=30s", id(number))
}

#[tokio::test]
async fn long_poll_is_not_woken_by_other_decisions() {
    const OTHERS: usize = 100;
    let shop = Shop::open(Setup::stock(200)).await;
    for number in 0..=OTHERS {
        shop.accept(&format!("buyer-{number}"), &id(number)).await;
    }
    let (path, woken) = (long_poll_path(OTHERS), Arc::new(WakeCounter::default()));
    let mut held = pin!(shop.result(&path));
    assert!(poll(held.as_mut(), &woken).is_pending());
    for _ in 0..OTHERS {
        shop.decide(1).await;
    }
    assert_eq!(woken.count(), 0);
    shop.decide(1).await;
    assert_eq!(woken.count(), 1);
    let Poll::Ready(reply) = poll(held, &woken) else { panic!("the attempt was decided") };
    assert_eq!(reply.status_of(&id(OTHERS)), AttemptStatus::won(&format!("tea-1-{}", OTHERS + 1)));
}

#[tokio::test]
async fn decision_made_during_the_lookup_is_returned() {
    let shop = Shop::with_stock(2).await;
    for number in [1, 2] {
        shop.accept(&format!("buyer-{number}"), &id(number)).await;
        let waiter = shop.app.store.wait(id(number).parse().unwrap());
        let decided = shop.decide(1).await;
        // A request that looked before the decision starts waiting only now.
        let received = within(waiter.decided()).await;
        assert_eq!(received.as_ref(), Some(&decided[0]));
    }
}

#[tokio::test]
async fn finished_long_poll_leaves_no_waiter_behind() {
    let shop = Shop::with_stock(9).await;
    for number in [1, 2, 3] {
        shop.accept(&format!("buyer-{number}"), &id(number)).await;
    }
    let path = [1, 1, 2, 3].map(long_poll_path);
    {
        let [mut one, mut twin, mut two, _] =
            path.each_ref().map(|path| Box::pin(shop.result(path)));
        for held in [&mut one, &mut twin, &mut two] {
            assert!(is_waiting(held.as_mut()).await);
        }
        assert_eq!(shop.app.store.awaited(), 2);
        drop(twin);
        assert_eq!(shop.app.store.awaited(), 2, "another request waits for the same attempt");
        drop(one);
        assert_eq!(shop.app.store.awaited(), 1);
        shop.decide(2).await;
        assert_eq!(shop.app.store.awaited(), 0, "after the decisions");
    }
    assert_eq!(shop.app.store.awaited(), 0, "after the requests were dropped");
    let reply = within(shop.result(&format!("{}?wait=1ms", id(3)))).await;
    assert_eq!(reply.status_of(&id(3)), AttemptStatus::Queued);
    assert_eq!(shop.app.store.awaited(), 0, "after the poll timed out");
    assert_eq!(shop.result(&long_poll_path(4)).await.code, 404);
    assert_eq!(shop.app.store.awaited(), 0, "an unknown attempt has no waiter");
    let mut held = pin!(shop.result(&path[3]));
    assert!(is_waiting(held.as_mut()).await);
    shop.app.draining.begin();
    assert_eq!(within(held).await.status_of(&id(3)), AttemptStatus::Queued);
    assert_eq!(shop.app.store.awaited(), 0, "after the shutdown began");
}

#[tokio::test]
async fn disconnected_client_leaves_no_waiter_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (server, held): (_, Batch) = Running::start_with_one_delivered(config(folder.path())).await;
    publish(&server.app, attempt("bob", "tea", &id(1))).await.unwrap();
    let awaited = async |expected: usize| {
        within(async {
            while server.app.store.awaited() != expected {
                tokio::task::yield_now().await;
            }
        })
        .await;
    };
    let mut wires = Vec::new();
    for number in [0, 1] {
        let mut wire = server.connect().await;
        let path = long_poll_path(number);
        wire.send(format!("GET /result/{path} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
        wires.push(wire);
    }
    awaited(2).await;
    drop(wires.pop());
    awaited(1).await;
    drop(held);
    assert_eq!(wires[0].reply().await.status_of(&id(0)), AttemptStatus::won("tea-1-1"));
    assert_eq!(server.app.store.awaited(), 0);
    server.end().await;
}
