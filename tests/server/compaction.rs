//! Replaced sales leave the embedded store after a while, and the journal is compacted: what is
//! still promised survives both.

use std::fs;
use std::time::Duration;

use seckill::api::OrderStatus;
use seckill::ids::OrderId;
use seckill::sale::Ending;
use seckill::server::Engines;
use seckill::store::{Announced, Embedded, Known, OrderRef, Store};

use crate::support::{self, AttemptStatus, JOURNAL, Setup, Shop, id, terms, within};

/// The embedded store of a shop.
fn store(shop: &Shop) -> &Embedded {
    let Store::Embedded(store) = &*shop.app.store else { panic!("it is elsewhere") };
    store
}

/// Drops the sales that were replaced.
fn drop_replaced(shop: &Shop) {
    while store(shop).drop_replaced(Duration::ZERO, 1).unwrap() {}
}

fn journal_len(shop: &Shop) -> u64 {
    fs::metadata(shop.folder.path().join(JOURNAL)).unwrap().len()
}

/// A shop whose first sale has two decided attempts and was replaced, and whose second has two as
/// well.
async fn with_replaced_sale() -> Shop {
    let shop = Shop::with_stock(1).await;
    for (uid, number) in [("ann", 1), ("bob", 2)] {
        shop.accept(uid, &id(number)).await;
    }
    shop.decide_all().await;
    within(shop.app.store.open_sale(terms("tea", 1))).await.unwrap();
    for (uid, number) in [("cat", 3), ("dan", 4)] {
        shop.accept(uid, &id(number)).await;
    }
    shop.decide_all().await;
    shop
}

async fn assert_only_second_sale_is_known(shop: &Shop) {
    for number in [1, 2] {
        assert_eq!(shop.result(&id(number)).await.code, 404, "{number}");
    }
    assert_eq!(shop.result(&id(3)).await.status_of(&id(3)), AttemptStatus::won("tea-2-1"));
    assert_eq!(shop.result(&id(4)).await.status_of(&id(4)), AttemptStatus::lost("sold_out"));
    assert_eq!(shop.admin("GET", "/admin/ledger?epoch=1", "").await.code, 404);
    assert_eq!(shop.admin("GET", "/admin/ledger?epoch=2", "").await.code, 200);
    let sale = shop.get("/result").await.json();
    assert_eq!((&sale["epoch"], &sale["stock_left"]), (&2.into(), &0.into()));
}

#[tokio::test]
async fn replaced_sale_is_kept_for_its_time_and_then_dropped_for_good() {
    let shop = with_replaced_sale().await;
    assert!(!store(&shop).drop_replaced(Duration::from_secs(60), 9).unwrap(), "too early");
    assert_eq!(shop.result(&id(1)).await.status_of(&id(1)), AttemptStatus::won("tea-1-1"));
    drop_replaced(&shop);
    assert_only_second_sale_is_known(&shop).await;
    let before = journal_len(&shop);
    shop.compact().await;
    assert!(journal_len(&shop) < before, "the dropped records are gone");
    assert_only_second_sale_is_known(&shop).await;
    for shop in [shop.after_crash(), shop.restart()] {
        assert_only_second_sale_is_known(&shop).await;
        let third = within(shop.app.store.open_sale(terms("tea", 1))).await.unwrap();
        assert_eq!(third.epoch, 3, "epochs never fall");
    }
}

#[tokio::test]
async fn dropped_sale_stays_dropped_after_a_restart_without_compaction() {
    let shop = with_replaced_sale().await;
    drop_replaced(&shop);
    assert_only_second_sale_is_known(&shop.restart()).await;
}

#[tokio::test]
async fn replaced_sale_with_a_held_order_is_kept() {
    let held = |item| seckill::sale::Terms { hold_us: Some(1_000), ..terms(item, 1) };
    let shop = Shop::open(Setup { sale: Some(held("tea")), ..Setup::stock(1) }).await;
    shop.accept("ann", &id(1)).await;
    shop.decide_all().await;
    within(shop.app.store.open_sale(held("tea"))).await.unwrap();
    drop_replaced(&shop);
    assert_eq!(shop.result(&id(1)).await.code, 200, "its order is held");
    shop.compact().await;
    let shop = shop.restart();
    let decided = shop.decided(&id(1)).await.unwrap();
    let order_id = OrderId::from_text("tea-1-1");
    let order = OrderRef { order_id, request_id: decided.attempt.request_id };
    let paid = within(shop.app.store.end_order(&order, Ending::Pay, 1)).await.unwrap();
    assert_eq!(paid, Some(OrderStatus::Paid));
    shop.compact().await;
    let shop = shop.restart();
    let decided = shop.decided(&id(1)).await.unwrap();
    let order = within(shop.app.store.order(&decided)).await.unwrap().unwrap();
    assert_eq!(order.status, OrderStatus::Paid);
    drop_replaced(&shop);
    assert_eq!(shop.result(&id(1)).await.code, 404);
    shop.compact().await;
    shop.restart();
}

#[tokio::test]
async fn id_of_a_dropped_sale_is_a_new_one() {
    let held = |item| seckill::sale::Terms { hold_us: Some(1_000), ..terms(item, 1) };
    let shop = Shop::open(Setup { sale: Some(held("tea")), ..Setup::stock(1) }).await;
    for epoch in 1..=2 {
        shop.accept("ann", &id(1)).await;
        shop.decide_all().await;
        let decided = shop.decided(&id(1)).await.unwrap();
        assert_eq!(decided.attempt.epoch, epoch);
        let order_id = OrderId::from_text(format!("tea-{epoch}-1"));
        let order = OrderRef { order_id, request_id: decided.attempt.request_id };
        within(shop.app.store.end_order(&order, Ending::Pay, 1)).await.unwrap();
        within(shop.app.store.open_sale(held("tea"))).await.unwrap();
        if epoch == 1 {
            drop_replaced(&shop);
        }
    }
    shop.compact().await;
    let shop = shop.restart();
    assert_eq!(shop.decided(&id(1)).await.unwrap().attempt.epoch, 2);
    assert_eq!(shop.admin("GET", "/admin/ledger?epoch=1", "").await.code, 404);
}

#[tokio::test]
async fn register_survives_compaction() {
    let shop = Shop::with_stock(9).await;
    let store = &shop.app.store;
    let mut attempts = Vec::new();
    for number in 1..=5 {
        let new = support::attempt("ann", "tea", &id(number));
        let announced = within(store.announce(&new)).await.unwrap();
        let Announced::Fresh(attempt) = announced else { panic!("{announced:?}") };
        attempts.push(attempt);
    }
    // The first is withdrawn, the second decided, the third confirmed, and the last is decided, so
    // that the highest position is that of a decision.
    assert_eq!(within(store.withdraw(&attempts[0])).await, Ok(true));
    for decided in [1, 4] {
        let reserved = within(store.reserve(&attempts[decided..=decided], 1)).await.unwrap();
        within(store.commit(reserved)).await.unwrap();
    }
    within(store.confirm(&attempts[2..=2])).await.unwrap();
    let before = journal_len(&shop);
    shop.compact().await;
    assert!(journal_len(&shop) < before);
    let shop = shop.restart();
    let store = &shop.app.store;
    let known = async |number| within(store.known(&id(number).parse().unwrap())).await.unwrap();
    assert_eq!(known(1).await, None);
    assert!(matches!(known(2).await, Some(Known::Decided(_))));
    assert!(matches!(known(3).await, Some(Known::Waiting(_))));
    assert!(matches!(known(4).await, Some(Known::Announced(_))));
    let reserved = within(store.reserve(&attempts[..1], 1)).await.unwrap();
    assert_eq!(within(store.commit(reserved)).await.unwrap(), [], "it was withdrawn");
    let new = support::attempt("eve", "tea", &id(6));
    let announced = within(store.announce(&new)).await.unwrap();
    let Announced::Fresh(attempt) = announced else { panic!("{announced:?}") };
    assert!(attempt.seq > attempts[4].seq, "positions are never used again");
}

#[tokio::test]
async fn waiting_attempts_survive_compaction() {
    let shop = Shop::with_stock(9).await;
    for (uid, number) in [("ann", 1), ("bob", 2), ("cat", 3)] {
        shop.accept(uid, &id(number)).await;
    }
    shop.decide(1).await;
    shop.compact().await;
    // One that is written while the next copy is made, and one that is delivered meanwhile.
    shop.accept("dan", &id(4)).await;
    let batch = shop.next(1).await;
    Engines::of(&shop.app).compact().unwrap();
    drop(batch);
    let shop = shop.after_crash();
    let decided = shop.decide_all().await;
    let ids: Vec<_> = decided.iter().map(|it| it.attempt.request_id.to_string()).collect();
    assert_eq!(ids, [id(2), id(3), id(4)]);
}
