//! Attempts that find no permit, because too many are being accepted.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use crate::support::{Reply, Setup, Shop, id, within};

/// Attempts that are begun and not continued: more than there are permits at the start.
const BUSY: usize = 1_000;

type InProgress<'a> = Vec<Pin<Box<dyn Future<Output = Reply> + 'a>>>;

fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Takes all permits, until the attempts are dropped.
fn take_all_permits(shop: &Shop) -> InProgress<'_> {
    let begin = |number: usize| -> Pin<Box<dyn Future<Output = Reply> + '_>> {
        Box::pin(async move { shop.buy(&format!("busy-{number}"), &id(number)).await })
    };
    let mut attempts: InProgress<'_> = (0..BUSY).map(begin).collect();
    attempts.retain_mut(|attempt| poll(attempt.as_mut()).is_pending());
    attempts
}

#[tokio::test]
async fn known_attempts_and_refusals_need_no_permit() {
    let shop = Shop::open(Setup::stock(10)).await;
    let (waiting, decided) = (id(BUSY), id(BUSY + 1));
    shop.accept("ann", &decided).await;
    shop.decide(1).await;
    shop.accept("bob", &waiting).await;
    let _busy = take_all_permits(&shop);
    assert_eq!(shop.buy("bob", &waiting).await.code, 202);
    assert_eq!(shop.buy("ann", &decided).await.code, 200);
    let refused = shop.buy("ann", &id(BUSY + 2)).await;
    assert_eq!(refused.json()["reason"], "already_bought");
}

#[tokio::test]
async fn attempt_without_a_permit_is_refused_after_a_wait_without_effect() {
    let shop = Shop::open(Setup::stock(10)).await;
    let _busy = take_all_permits(&shop);
    let refused = shop.buy("ann", &id(BUSY)).await;
    assert_eq!((refused.code, refused.json()["reason"].as_str().unwrap()), (503, "queue_full"));
    assert!(refused.header("retry-after").is_some());
    assert_eq!(shop.result(&id(BUSY)).await.code, 404);
}

#[tokio::test]
async fn attempt_is_checked_again_after_its_wait() {
    let shop = Shop::open(Setup::stock(1)).await;
    let busy = take_all_permits(&shop);
    let id = id(BUSY);
    let mut waiting = pin!(shop.buy("ann", &id));
    assert!(poll(waiting.as_mut()).is_pending());
    shop.decide(1).await;
    drop(busy);
    assert_eq!(within(waiting).await.json()["reason"], "sold_out");
}

#[tokio::test]
async fn shutdown_ends_the_wait() {
    let shop = Shop::open(Setup::stock(10)).await;
    let _busy = take_all_permits(&shop);
    let id = id(BUSY);
    let mut waiting = pin!(shop.buy("ann", &id));
    assert!(poll(waiting.as_mut()).is_pending());
    shop.app.draining.begin();
    let refused = within(waiting).await;
    assert_eq!(refused.json()["reason"], "draining");
    assert_eq!(refused.header("connection"), Some("close"));
}
