//! The queue is first in, first out per item, however consumers receive, drop or share the work.

use std::pin::pin;
use std::sync::{Arc, Mutex};

use seckill::queue::PublishError;
use seckill::sale::Decision;

use crate::support::{Setup, Shop, attempt, id, is_waiting, terms, within};

/// Puts the attempts `numbers` at `item` into the queue.
async fn publish(shop: &Shop, item: &str, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let attempt = attempt(&format!("buyer-{number}"), item, &id(number));
        shop.publish(attempt).await.unwrap();
    }
}

fn ids(batch: &seckill::queue::Batch) -> Vec<String> {
    batch.attempts().iter().map(|attempt| attempt.request_id.to_string()).collect()
}

#[tokio::test]
async fn attempts_are_delivered_in_order_and_at_most_max() {
    let shop = Shop::with_stock(9).await;
    publish(&shop, "tea", 0..5).await;
    let batch = shop.next(3).await;
    assert_eq!(ids(&batch), [id(0), id(1), id(2)]);
    let seqs: Vec<_> = batch.attempts().iter().map(|attempt| attempt.seq).collect();
    assert!(seqs.is_sorted_by(|a, b| a < b), "{seqs:?}");
    shop.settle(batch).await;
    assert_eq!(ids(&shop.next(3).await), [id(3), id(4)]);
}

#[tokio::test]
async fn item_is_delivered_to_one_consumer_until_ordered() {
    let shop = Shop::with_stock(9).await;
    publish(&shop, "tea", 0..3).await;
    let mut first = shop.next(1).await;
    let mut subscription = shop.app.queue.subscribe(1);
    let mut next = pin!(subscription.next(1));
    assert!(is_waiting(next.as_mut()).await, "the first is not decided");
    first.release_item();
    assert_eq!(ids(&within(next).await.unwrap()), [id(1)], "before the first is acked");
}

#[tokio::test]
async fn items_are_delivered_independently() {
    let shop = Shop::with_stock(9).await;
    within(shop.app.store.open_sale(terms("cup", 9))).await.unwrap();
    publish(&shop, "tea", 0..2).await;
    publish(&shop, "cup", 2..4).await;
    let teas = shop.next(1).await;
    let cups = shop.next(9).await;
    assert_eq!((ids(&teas), ids(&cups)), (vec![id(0)], vec![id(2), id(3)]));
    let mut subscription = shop.app.queue.subscribe(9);
    let mut next = pin!(subscription.next(9));
    assert!(is_waiting(next.as_mut()).await, "both items are delivered");
    drop(teas);
    assert_eq!(ids(&within(next).await.unwrap()), [id(0), id(1)]);
}

#[tokio::test]
async fn longest_waiting_item_is_delivered_first() {
    let shop = Shop::with_stock(9).await;
    publish(&shop, "tea", 0..1).await;
    publish(&shop, "cup", 1..2).await;
    publish(&shop, "tea", 2..4).await;
    assert_eq!(ids(&shop.next(1).await), [id(0)], "it is returned to the queue");
    let teas = shop.next(1).await;
    assert_eq!(ids(&teas), [id(0)]);
    shop.settle(teas).await;
    let cups = shop.next(1).await;
    assert_eq!(ids(&cups), [id(1)], "the cup has waited longer than the next tea");
}

#[tokio::test]
async fn dropped_batch_is_redelivered_in_its_place() {
    let shop = Shop::with_stock(9).await;
    publish(&shop, "tea", 0..4).await;
    for _ in 0..3 {
        assert_eq!(ids(&shop.next(2).await), [id(0), id(1)]);
    }
    assert_eq!(shop.depth().await, 4);
    let all = shop.next(9).await;
    assert_eq!(ids(&all), [id(0), id(1), id(2), id(3)]);
    shop.settle(all).await;
    assert_eq!(shop.depth().await, 0);
}

#[tokio::test]
async fn batch_dropped_after_ordering_keeps_its_decisions() {
    let shop = Shop::with_stock(1).await;
    publish(&shop, "tea", 0..2).await;
    let mut first = shop.next(1).await;
    let reserved = within(shop.app.store.reserve(first.attempts(), 1)).await.unwrap();
    first.release_item();
    let second = shop.next(1).await;
    drop((first, reserved));
    let lost = shop.settle(second).await;
    assert_eq!(lost[0].decision.to_string(), "lost sold_out");
    let won = shop.decide(9).await;
    assert_eq!((won[0].attempt.seq, won[0].decision.to_string()), (1, "won tea-1-1".into()));
}

/// One of several consumers: receives three at a time, and abandons some of them at every stage.
async fn consume(shop: Arc<Shop>, decided: Arc<Mutex<Vec<(u64, Decision)>>>, mut turn: usize) {
    while let Some(mut batch) = within(shop.app.queue.subscribe(3).next(3)).await {
        turn += 1;
        if turn.is_multiple_of(3) {
            continue;
        }
        let reserved = within(shop.app.store.reserve(batch.attempts(), 1)).await.unwrap();
        batch.release_item();
        if turn.is_multiple_of(5) {
            continue;
        }
        let committed = within(shop.app.store.commit(reserved)).await.unwrap();
        if turn.is_multiple_of(7) {
            continue;
        }
        within(batch.ack()).await;
        let committed = committed.iter().map(|d| (d.attempt.seq, d.decision.clone()));
        decided.lock().unwrap().extend(committed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_consumers_decide_in_order_of_acceptance() {
    const STOCK: u32 = 100;
    let shop = Arc::new(Shop::with_stock(STOCK).await);
    publish(&shop, "tea", 0..500).await;
    shop.app.queue.close_when_empty();
    let decided = Arc::new(Mutex::new(Vec::new()));
    let consumers: Vec<_> = (0..8)
        .map(|turn| tokio::spawn(consume(Arc::clone(&shop), Arc::clone(&decided), turn)))
        .collect();
    for consumer in consumers {
        within(consumer).await.unwrap();
    }
    let mut decided = decided.lock().unwrap().clone();
    decided.sort_by_key(|(seq, _)| *seq);
    assert_eq!(decided.len(), 500, "each is acked once");
    for (place, (seq, decision)) in (0..).zip(&decided) {
        let expected = if place < STOCK {
            format!("won tea-1-{}", place + 1)
        } else {
            "lost sold_out".to_owned()
        };
        assert_eq!(decision.to_string(), expected, "seq {seq} was delivered at position {place}");
    }
}

#[tokio::test]
async fn closed_queue_ends_only_after_the_last_ack() {
    let shop = Shop::with_stock(9).await;
    publish(&shop, "tea", 0..1).await;
    let batch = shop.next(1).await;
    shop.app.queue.close_when_empty();
    let mut subscription = shop.app.queue.subscribe(1);
    let mut next = pin!(subscription.next(1));
    assert!(is_waiting(next.as_mut()).await, "the unacked attempt may return");
    drop(batch);
    let batch = within(next).await.expect("the dropped batch was not redelivered");
    let mut subscription = shop.app.queue.subscribe(1);
    let mut next = pin!(subscription.next(1));
    assert!(is_waiting(next.as_mut()).await);
    shop.settle(batch).await;
    assert!(within(next).await.is_none());
}

#[tokio::test]
async fn duplicate_publish_is_queued_once_and_an_id_belongs_to_one_buyer() {
    let shop = Shop::open(Setup { queue_max: 1, ..Setup::stock(9) }).await;
    shop.publish(attempt("ann", "tea", &id(1))).await.unwrap();
    assert_eq!(shop.publish(attempt("ann", "tea", &id(1))).await, Ok(()));
    let bob = shop.publish(attempt("bob", "tea", &id(1))).await;
    assert_eq!(bob, Err(PublishError::Reused));
    let cup = shop.publish(attempt("ann", "cup", &id(1))).await;
    assert_eq!(cup, Err(PublishError::Reused));
    let full = shop.publish(attempt("bob", "tea", &id(2))).await;
    assert_eq!(full, Err(PublishError::Full));
    let queue = shop.queue();
    assert_eq!((queue.depth(), queue.depth_of(&"tea".parse().unwrap())), (1, 1));
    assert_eq!(queue.depth_of(&"cup".parse().unwrap()), 0);
    let first = shop.decide_all().await;
    // Queued again, it keeps its decision.
    shop.publish(attempt("ann", "tea", &id(1))).await.unwrap();
    assert_eq!(shop.decide_all().await, first);
}
