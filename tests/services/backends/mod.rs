//! The same tests for every combination of queue and store.

mod acknowledgements;
mod blocked;
mod brokers;
mod confirms;
mod leftovers;
mod limits;
mod long_poll;
mod lookups;
mod many_items;
mod refused_login;
mod tombstones;
mod unusable_redis;

use seckill::sale::Terms;
use serde_json::json;

use crate::support::backend::Backend;
use crate::support::manual_server::ManualServer;
use crate::support::rabbitmq_cluster;
use crate::support::{AttemptStatus, assert_refused, get, id, is_waiting, post, terms, within};

/// Runs a test on every combination that can run here, and on a quorum queue of a cluster.
async fn everywhere(stock: u32, test: impl AsyncFn(ManualServer)) {
    for backend in Backend::all() {
        test(ManualServer::open(backend, stock).await).await;
    }
    if let Some((backend, _in_use)) = rabbitmq_cluster::backend() {
        test(ManualServer::open(backend, stock).await).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_are_decided_in_order_of_acceptance() {
    everywhere(3, async |mut server| {
        for number in 1..=6 {
            server.accept(&format!("buyer-{number}"), &id(number)).await;
        }
        let sale = server.sale().await;
        assert_eq!((&sale["queued"], &sale["finished"]), (&json!(6), &json!(false)));
        let decided = server.decide(6, 2).await;
        let decisions: Vec<_> = decided.iter().map(|d| d.decision.to_string()).collect();
        assert_eq!(decisions[..3], ["won tea-1-1", "won tea-1-2", "won tea-1-3"]);
        assert_eq!(decisions[3..], ["lost sold_out"; 3]);
        let seqs: Vec<_> = decided.iter().map(|d| d.attempt.seq).collect();
        assert!(seqs.is_sorted_by(|a, b| a < b), "{seqs:?}");
        let expected = [
            "buyer-1 won tea-1-1",
            "buyer-2 won tea-1-2",
            "buyer-3 won tea-1-3",
            "buyer-4 lost sold_out",
            "buyer-5 lost sold_out",
            "buyer-6 lost sold_out",
        ];
        assert_eq!(server.ledger("item=tea").await, expected);
        let sale = server.sale().await;
        assert_eq!((&sale["orders"], &sale["stock_left"]), (&json!(3), &json!(0)));
        assert_eq!((&sale["queued"], &sale["finished"]), (&json!(0), &json!(true)));
        assert_refused(&server.buy("late", &id(9)).await, 410, "sold_out");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attempt_is_accepted_once_and_keeps_its_answer() {
    everywhere(1, async |mut server| {
        assert_eq!(server.result(&id(1)).await.code, 404);
        server.accept("ann", &id(1)).await;
        server.confirmed().await;
        for _ in 0..3 {
            let again = server.buy("ann", &id(1)).await;
            assert_eq!((again.code, again.status_of(&id(1))), (202, AttemptStatus::Queued));
            assert_eq!(server.result(&id(1)).await.status_of(&id(1)), AttemptStatus::Queued);
        }
        assert_eq!(server.sale().await["queued"], 1);
        assert_refused(&server.buy("bob", &id(1)).await, 422, "request_id_reused");
        server.accept("bob", &id(2)).await;
        server.decide(2, 9).await;
        for _ in 0..3 {
            let won = server.buy("ann", &id(1)).await;
            assert_eq!((won.code, won.status_of(&id(1))), (200, AttemptStatus::won("tea-1-1")));
            let lost = server.buy("bob", &id(2)).await;
            assert_eq!((lost.code, lost.status_of(&id(2))), (200, AttemptStatus::lost("sold_out")));
            assert_eq!(server.result(&id(2)).await, lost);
        }
        assert_refused(&server.buy("bob", &id(1)).await, 422, "request_id_reused");
        assert_eq!(server.ledger("item=tea").await, ["ann won tea-1-1", "bob lost sold_out"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn buyer_limit_holds_at_admission_and_in_the_store() {
    everywhere(9, async |mut server| {
        server.open_sale(&Terms { per_buyer: 2, ..terms("tea", 9) }).await;
        for number in 1..=3 {
            server.accept("ann", &id(number)).await;
        }
        server.accept("bob", &id(4)).await;
        server.decide(4, 9).await;
        let status = async |number: usize| server.result(&id(number)).await.status_of(&id(number));
        assert_eq!(status(1).await, AttemptStatus::won("tea-2-1"));
        assert_eq!(status(2).await, AttemptStatus::won("tea-2-2"));
        assert_eq!(status(3).await, AttemptStatus::lost("already_bought"));
        assert_eq!(status(4).await, AttemptStatus::won("tea-2-3"));
        assert_refused(&server.buy("ann", &id(5)).await, 409, "already_bought");
        assert_eq!(server.result(&id(5)).await.code, 404, "no effect");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unacked_attempt_is_redelivered_and_decided_once() {
    everywhere(2, async |mut server| {
        for (uid, number) in [("ann", 1), ("bob", 2), ("cat", 3)] {
            server.accept(uid, &id(number)).await;
        }
        // First dropped undecided, then decided by a consumer that died before its ack.
        drop(server.next(9).await);
        let batch = server.next(2).await;
        let (batch, first) = server.commit(batch).await;
        let count = first.len();
        drop(batch);
        server.die();
        // One at a time: several buckets may decide a batch in another order.
        let again = server.decide(3, 1).await;
        assert_eq!(again[..count], first, "the same decisions");
        let expected = ["ann won tea-1-1", "bob won tea-1-2", "cat lost sold_out"];
        assert_eq!(server.ledger("item=tea").await, expected);
        let sale = server.sale().await;
        assert_eq!((&sale["orders"], &sale["stock_left"]), (&json!(2), &json!(0)));
        assert_eq!(sale["queued"], 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_and_decisions_survive_restart() {
    everywhere(2, async |mut server| {
        for (uid, number) in [("ann", 1), ("bob", 2)] {
            server.accept(uid, &id(number)).await;
        }
        server.decide(1, 1).await;
        server.accept("cat", &id(3)).await;
        server.confirmed().await;
        let mut server = server.restart().await;
        assert_eq!(
            server.buy("ann", &id(1)).await.status_of(&id(1)),
            AttemptStatus::won("tea-1-1")
        );
        assert_eq!(server.buy("bob", &id(2)).await.status_of(&id(2)), AttemptStatus::Queued);
        let waiting = ["ann won tea-1-1", "bob queued", "cat queued"];
        assert_eq!(server.ledger("item=tea").await, waiting);
        assert_eq!(server.sale().await["queued"], 2);
        // One at a time: several buckets may decide a batch in another order.
        server.decide(2, 1).await;
        let mut server = server.restart().await;
        let decided = ["ann won tea-1-1", "bob won tea-1-2", "cat lost sold_out"];
        assert_eq!(server.ledger("item=tea").await, decided);
        assert_eq!(server.sale().await["finished"], true);
        let mut next = std::pin::pin!(server.next(1));
        assert!(is_waiting(next.as_mut()).await, "an attempt is still queued");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_sale_replaces_the_old_and_the_ledger_keeps_both() {
    everywhere(5, async |mut server| {
        server.accept("ann", &id(1)).await;
        server.decide(1, 1).await;
        server.accept("bob", &id(2)).await;
        server.open_sale(&terms("tea", 3)).await;
        assert_eq!(server.sale().await["epoch"], 2);
        server.accept("ann", &id(3)).await;
        server.decide(2, 9).await;
        assert_eq!(
            server.result(&id(2)).await.status_of(&id(2)),
            AttemptStatus::lost("sale_replaced")
        );
        assert_eq!(
            server.buy("ann", &id(1)).await.status_of(&id(1)),
            AttemptStatus::won("tea-1-1")
        );
        assert_eq!(server.ledger("item=tea").await, ["ann won tea-2-1"]);
        assert_eq!(server.ledger("epoch=1").await, ["ann won tea-1-1", "bob lost sale_replaced"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn items_are_sold_independently_and_an_id_belongs_to_one() {
    everywhere(1, async |mut server| {
        server.open_sale(&terms("cup", 1)).await;
        server.accept("ann", &id(1)).await;
        assert_eq!(server.buy_item("ann", &id(2), "cup").await.code, 202);
        let reused = server.buy_item("ann", &id(1), "cup").await;
        assert_refused(&reused, 422, "request_id_reused");
        server.decide(2, 9).await;
        assert_eq!(server.result(&id(1)).await.status_of(&id(1)), AttemptStatus::won("tea-1-1"));
        assert_eq!(server.result(&id(2)).await.status_of(&id(2)), AttemptStatus::won("cup-2-1"));
        let unnamed = server.get("/result").await;
        assert_refused(&unnamed, 400, "item_required");
        let unsold = server.buy_item("bob", &id(3), "pot").await;
        assert_refused(&unsold, 404, "unknown_item");
        assert_eq!(server.ledger("item=cup").await, ["ann won cup-2-1"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn full_queue_refuses_without_effect() {
    for backend in Backend::all() {
        let mut server = ManualServer::open_with(backend, |config| {
            config.queue_max = 2;
        })
        .await;
        // A consumer would remove messages that count towards the queue's length.
        let number = fill(&server).await;
        assert_eq!(server.result(&id(number)).await.code, 404, "no effect");
        assert!(!server.ledger("item=tea").await.contains(&format!("buyer-{number} queued")));
        assert_eq!(server.sale().await["queued"], number - 1);
        let is_broker = server.backend.queue.is_some();
        assert_eq!(server.app.queue.is_full(), is_broker, "a broker is not asked again");
        server.decide(number - 1, 9).await;
        // A broker's queue counts as full until it is counted again.
        within(async {
            while server.buy(&format!("buyer-{number}"), &id(number)).await.code != 202 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert_eq!(server.decide(1, 9).await.len(), 1, "the queue has room again");
    }
}

/// Buys until the queue is full, and returns the number of the refused attempt.
async fn fill(server: &ManualServer) -> usize {
    for number in 1.. {
        let reply = server.buy(&format!("buyer-{number}"), &id(number)).await;
        if reply.code != 202 {
            assert_refused(&reply, 503, "queue_full");
            return number;
        }
        assert!(number < 500, "the queue is never full: {:?}", server.backend);
    }
    unreachable!()
}

#[tokio::test(flavor = "multi_thread")]
async fn long_poll_is_answered_when_the_decision_is_made() {
    everywhere(1, async |mut server| {
        server.accept("ann", &id(1)).await;
        let app = std::sync::Arc::clone(&server.app);
        let held = tokio::spawn(async move {
            let path = format!("/result/{}?wait=20s", id(1));
            within(seckill::server::route(&app, get(&path))).await.status()
        });
        server.decide(1, 1).await;
        assert_eq!(within(held).await.unwrap(), 200);
        assert_eq!(server.result(&id(1)).await.status_of(&id(1)), AttemptStatus::won("tea-1-1"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_consumers_sell_exactly_the_stock() {
    const ATTEMPTS: usize = 400;
    everywhere(50, async |server| {
        let mut buying = tokio::task::JoinSet::new();
        let app = std::sync::Arc::clone(&server.app);
        for number in 0..ATTEMPTS {
            let app = std::sync::Arc::clone(&app);
            buying.spawn(async move {
                let body = json!({"uid": format!("b-{number}"), "request_id": id(number)});
                seckill::server::route(&app, post(body.to_string())).await.status()
            });
        }
        let codes = within(buying.join_all()).await;
        assert!(codes.iter().all(|code| *code == 202), "{codes:?}");
        let mut deciding = tokio::task::JoinSet::new();
        for _ in 0..8 {
            deciding.spawn(consume(std::sync::Arc::clone(&app)));
        }
        within(async {
            while server.sale().await["queued"] != 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        deciding.shutdown().await;
        let rows = server.ledger("item=tea").await;
        let won = rows.iter().filter(|row| row.contains(" won ")).count();
        assert_eq!((rows.len(), won), (ATTEMPTS, 50));
        assert_eq!(server.sale().await["stock_left"], 0);
    })
    .await;
}

async fn consume(app: std::sync::Arc<seckill::server::App>) {
    let mut consumer = app.queue.subscribe(7);
    while let Some(mut batch) = consumer.next(7).await {
        let reserved = app.store.reserve(batch.attempts(), 1).await.unwrap();
        batch.release_item();
        app.store.commit(reserved).await.unwrap();
        batch.ack().await;
    }
}
