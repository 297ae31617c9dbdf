//! Everything that was acknowledged survives, after a graceful shutdown and after a crash.

use std::fs;
use std::pin::pin;

use seckill::journal::Durability;
use serde_json::json;

use crate::support::{AttemptStatus, JOURNAL, Setup, Shop, attempt, id, is_waiting, terms, within};

/// The next attempt's position in the queue, found by publishing one.
async fn next_seq(shop: &Shop, number: usize) -> u64 {
    shop.publish(attempt("seq", "tea", &id(number))).await.unwrap();
    shop.app.queue.find(&id(number).parse().unwrap()).unwrap().seq
}

async fn assert_nothing_lost(shop: &Shop) {
    assert_eq!(shop.result(&id(1)).await.status_of(&id(1)), AttemptStatus::won("tea-1-1"));
    assert_eq!(shop.result(&id(2)).await.status_of(&id(2)), AttemptStatus::lost("already_bought"));
    for number in [3, 4] {
        assert_eq!(shop.result(&id(number)).await.status_of(&id(number)), AttemptStatus::Queued);
    }
    let sale = shop.get("/result").await.json();
    assert_eq!((&sale["stock_left"], &sale["orders"]), (&1.into(), &1.into()));
    assert_eq!((&sale["queued"], shop.depth().await), (&2.into(), 2));
}

/// Whether the journal has this text on disk.
fn has(shop: &Shop, text: &str) -> bool {
    let bytes = fs::read(shop.folder.path().join(JOURNAL)).unwrap();
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Whether the journal has an accepted attempt on disk.
fn has_attempt(shop: &Shop, number: usize) -> bool {
    has(shop, &format!("+ {}", id(number)))
}

/// Whether the journal has a decision on disk that was made at the time 1.
fn has_decision(shop: &Shop, number: usize) -> bool {
    has(shop, &format!("decided 1 {}", id(number)))
}

#[tokio::test]
async fn sale_accepts_only_after_it_is_on_disk() {
    for _ in 0..20 {
        let shop = Shop::open(Setup { durability: Durability::Fsync, ..Setup::stock(1) }).await;
        let mut first = pin!(shop.app.store.open_sale(terms("pot", 1)));
        let _ = is_waiting(first.as_mut()).await;
        within(async {
            while !has(&shop, "pot") {
                tokio::task::yield_now().await;
            }
        })
        .await;
        // The disk is still busy with the first, so the second waits.
        let mut second = pin!(shop.app.store.open_sale(terms("cup", 1)));
        let _ = is_waiting(second.as_mut()).await;
        let order = json!({"uid": "ann", "request_id": id(1), "item": "cup"});
        let mut order = pin!(shop.post(order));
        let _ = is_waiting(order.as_mut()).await;
        let is_queued = shop.depth().await > 0;
        assert!(!is_queued || has(&shop, "cup"), "a crash now loses the sale");
    }
}

#[tokio::test]
async fn nothing_is_answered_or_delivered_before_it_is_on_disk() {
    let shop = Shop::with_stock(50).await;
    for number in 0..50 {
        let uid = format!("buyer-{number}");
        if number % 2 == 0 {
            shop.accept(&uid, &id(number)).await;
        } else {
            let publish = shop.publish(attempt(&uid, "tea", &id(number)));
            let mut publish = pin!(publish);
            // The write has begun, and may not be finished.
            let _ = is_waiting(publish.as_mut()).await;
        }
        assert!(number % 2 == 1 || has_attempt(&shop, number), "accepted");
        let mut batch = shop.next(1).await;
        assert!(has_attempt(&shop, number), "delivered");
        let reserved = within(shop.app.store.reserve(batch.attempts(), 1)).await.unwrap();
        let is_told = shop.decided(&id(number)).await.is_some();
        assert!(!is_told || has_decision(&shop, number), "answered before it was on disk");
        batch.release_item();
        within(shop.app.store.commit(reserved)).await.unwrap();
        assert!(has_decision(&shop, number), "committed");
        within(batch.ack()).await;
    }
}

async fn half_decided() -> Shop {
    let shop = Shop::with_stock(2).await;
    for (uid, number) in [("ann", 1), ("ann", 2), ("bob", 3), ("cat", 4)] {
        shop.accept(uid, &id(number)).await;
    }
    shop.decide(2).await;
    shop
}

#[tokio::test]
async fn results_ledger_and_queue_survive_restart() {
    let shop = half_decided().await;
    assert_nothing_lost(&shop).await;
    let before = shop.admin("GET", "/admin/ledger", "").await;
    let shop = shop.restart();
    assert_nothing_lost(&shop).await;
    assert_eq!(shop.admin("GET", "/admin/ledger", "").await, before);
    let batch = shop.next(9).await;
    let ids: Vec<_> = batch.attempts().iter().map(|a| a.request_id.to_string()).collect();
    assert_eq!(ids, [id(3), id(4)], "acked attempts are not redelivered");
    shop.settle(batch).await;
    assert_eq!(shop.result(&id(3)).await.status_of(&id(3)), AttemptStatus::won("tea-1-2"));
    assert_eq!(shop.result(&id(4)).await.status_of(&id(4)), AttemptStatus::lost("sold_out"));
    assert_eq!(shop.get("/result").await.json()["finished"], true);
}

#[tokio::test]
async fn redelivery_after_a_crash_keeps_its_decision() {
    let shop = half_decided().await.after_crash();
    for number in 1..=4 {
        let reply = shop.result(&id(number)).await;
        assert_eq!(reply.code, 200, "{number} was acknowledged: {}", reply.json());
    }
    shop.decide_all().await;
    let status = async |number: usize| shop.result(&id(number)).await.status_of(&id(number));
    assert_eq!(status(1).await, AttemptStatus::won("tea-1-1"));
    assert_eq!(status(2).await, AttemptStatus::lost("already_bought"));
    assert_eq!(status(3).await, AttemptStatus::won("tea-1-2"));
    assert_eq!(status(4).await, AttemptStatus::lost("sold_out"));
    assert_eq!(shop.get("/result").await.json()["orders"], 2);
}

#[tokio::test]
async fn crash_before_the_commit_sells_nothing_twice() {
    let shop = Shop::with_stock(1).await;
    shop.accept("ann", &id(1)).await;
    let batch = shop.next(1).await;
    let crashed = shop.after_crash();
    shop.settle(batch).await;
    assert_eq!(crashed.result(&id(1)).await.status_of(&id(1)), AttemptStatus::Queued);
    crashed.decide_all().await;
    assert_eq!(crashed.result(&id(1)).await.status_of(&id(1)), AttemptStatus::won("tea-1-1"));
    assert_eq!(crashed.get("/result").await.json()["stock_left"], 0);
}

#[tokio::test]
async fn torn_write_loses_only_unacknowledged_records() {
    let shop = half_decided().await;
    let crashed = shop.after_crash();
    let path = crashed.folder.path().join(JOURNAL);
    let promised = fs::read(&path).unwrap();
    // Half of a record's header, as after a power cut.
    fs::write(&path, [&promised[..], &promised[28..38]].concat()).unwrap();
    let crashed = crashed.after_crash();
    for number in 1..=4 {
        assert_eq!(crashed.result(&id(number)).await.code, 200, "{number}");
    }
    assert_eq!(fs::read(crashed.folder.path().join(JOURNAL)).unwrap(), promised);
}

#[tokio::test]
async fn buyer_limit_survives_restart() {
    let shop = half_decided().await.restart();
    assert_eq!(shop.buy("ann", &id(5)).await.json()["reason"], "already_bought");
    assert_eq!(
        shop.buy("ann", &id(2)).await.status_of(&id(2)),
        AttemptStatus::lost("already_bought")
    );
}

#[tokio::test]
async fn restart_keeps_more_attempts_than_the_new_queue_limit() {
    let shop = Shop::open(Setup { queue_max: 3, ..Setup::stock(9) }).await;
    for (uid, number) in [("ann", 1), ("bob", 2), ("cat", 3)] {
        shop.accept(uid, &id(number)).await;
    }
    let folder = shop.after_crash().folder;
    let shop = Shop::open_in(folder, Setup { queue_max: 1, ..Setup::stock(9) });
    assert_eq!(shop.buy("dan", &id(4)).await.json()["reason"], "queue_full");
    assert_eq!(shop.decide_all().await.len(), 3);
    shop.accept("dan", &id(4)).await;
}

#[tokio::test]
async fn restart_does_not_confuse_sale_epochs() {
    let mut shop = Shop::with_stock(1).await;
    for epoch in 2..5 {
        shop.accept("ann", &id(epoch)).await;
        let opened = within(shop.app.store.open_sale(terms("tea", 1))).await.unwrap();
        assert_eq!(opened.epoch, epoch as u64);
        shop = shop.restart();
        assert_eq!(shop.sale().await, opened);
        shop.decide_all().await;
        let status = shop.result(&id(epoch)).await.status_of(&id(epoch));
        assert_eq!(status, AttemptStatus::lost("sale_replaced"), "epoch {epoch}");
    }
}

#[tokio::test]
async fn queue_positions_are_never_reused() {
    let mut shop = Shop::with_stock(100).await;
    let mut last = None;
    for number in 0..6 {
        let seq = next_seq(&shop, number).await;
        assert!(Some(seq) > last, "{seq} after {last:?}");
        last = Some(seq);
        // Every other time nothing of the queue is left in the compacted journal.
        if number % 2 == 1 {
            shop.decide_all().await;
        }
        shop.compact().await;
        shop = shop.restart();
    }
    shop.compact().await;
    let shop = shop.restart().restart().after_crash();
    assert!(Some(next_seq(&shop, 9).await) > last);
}
