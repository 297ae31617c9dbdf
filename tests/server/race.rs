//! While attempts move from the queue to the store, lookups find them in one of the two.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use seckill::sut::LedgerReader;

use crate::support::{Shop, id, within};

const ATTEMPTS: usize = 300;

/// A shop in which attempts are accepted and decided one after another, and its progress.
struct Busy {
    shop: Shop,
    accepted: AtomicUsize,
    done: AtomicBool,
}

impl Busy {
    async fn sell(&self) {
        for number in 0..ATTEMPTS {
            self.shop.accept(&format!("buyer-{number}"), &id(number)).await;
            self.accepted.store(number + 1, Ordering::SeqCst);
            self.shop.decide(1).await;
        }
        self.done.store(true, Ordering::SeqCst);
    }

    /// The latest accepted attempt; `None` once all are accepted.
    async fn latest(&self) -> Option<usize> {
        // Lets the loop end if another task of the test has failed.
        tokio::task::yield_now().await;
        let accepted = self.accepted.load(Ordering::SeqCst);
        (!self.done.load(Ordering::SeqCst)).then(|| accepted.saturating_sub(1))
    }

    async fn retry(&self) {
        while let Some(number) = self.latest().await {
            // The value before the first is accepted.
            let reply = self.shop.buy(&format!("buyer-{number}"), &id(number)).await;
            assert!([200, 202].contains(&reply.code), "{number}: {}", reply.json());
        }
    }

    async fn ask(&self) {
        while let Some(number) = self.latest().await {
            let is_accepted = self.accepted.load(Ordering::SeqCst) > number;
            let reply = self.shop.result(&id(number)).await;
            assert!(!is_accepted || reply.code == 200, "{number}: {}", reply.json());
        }
    }

    async fn audit(&self) {
        while self.latest().await.is_some() {
            let accepted = self.accepted.load(Ordering::SeqCst);
            let reply = self.shop.admin("GET", "/admin/ledger", "").await;
            let mut reader = LedgerReader::default();
            reader.feed(&reply.body).unwrap();
            let rows = reader.finish().unwrap().rows;
            let ids: Vec<_> = rows.iter().map(|row| row.request_id.to_string()).collect();
            assert!(ids.len() >= accepted, "{} of {accepted}", ids.len());
            assert_eq!(ids, (0..ids.len()).map(id).collect::<Vec<_>>());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn accepted_attempts_are_always_visible_while_being_decided() {
    let (accepted, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    let shop = Shop::with_stock(ATTEMPTS as u32).await;
    let busy = Arc::new(Busy { shop, accepted, done });
    let [a, b, c, d] = [(); 4].map(|()| Arc::clone(&busy));
    let tasks = [
        tokio::spawn(async move { a.sell().await }),
        tokio::spawn(async move { b.retry().await }),
        tokio::spawn(async move { c.ask().await }),
        tokio::spawn(async move { d.audit().await }),
    ];
    for task in tasks {
        within(task).await.unwrap();
    }
    assert_eq!(busy.shop.sale().await.left, 0);
}
