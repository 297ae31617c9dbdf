//! An id that is known already: the same answer every time, before anything may refuse it.

use std::pin::pin;

use http_body_util::Full;
use seckill::journal::Durability;
use seckill::sale::Terms;
use seckill::units::Rate;
use serde_json::{Value, json};

use crate::support::{
    Setup, Shop, Told, assert_refused, attempt, id, is_waiting, request, terms, within,
};

#[tokio::test]
async fn a_retry_while_queued_is_the_same_attempt() {
    let shop = Shop::with_stock(5).await;
    for _ in 0..3 {
        let reply = shop.buy("ann", &id(1)).await;
        assert_eq!((reply.code, reply.told(&id(1))), (202, Told::Queued));
    }
    let upper = json!({"uid": "ann", "request_id": id(1).to_uppercase(), "item": "tea"});
    assert_eq!(shop.post(upper).await.code, 202);
    assert_eq!(shop.depth().await, 1);
    assert_eq!(shop.decide_all().await.len(), 1);
    assert_eq!(shop.get("/result").await.json()["orders"], 1);
}

#[tokio::test]
async fn two_at_the_same_moment_are_one_attempt() {
    let shop = Shop::with_stock(5).await;
    let (id, body) = (id(1), |uid: &str| json!({"uid": uid, "request_id": id(1)}));
    let (a, b) = tokio::join!(shop.post(body("ann")), shop.post(body("ann")));
    assert_eq!([a.told(&id), b.told(&id)], [Told::Queued, Told::Queued]);
    assert_eq!(shop.decide_all().await.len(), 1);
}

#[tokio::test]
async fn a_retry_is_not_answered_before_the_first_is_durable() {
    let shop = Shop::open(Setup { durability: Durability::Fsync, ..Setup::stock(9) }).await;
    for number in 0..20 {
        let mut first = pin!(shop.publish(attempt("ann", "tea", &id(number))));
        let _ = is_waiting(first.as_mut()).await;
        shop.accept("ann", &id(number)).await;
        // Only what is durable is handed out.
        let mut subscription = shop.app.queue.subscribe(1);
        let mut next = pin!(subscription.next(1));
        assert!(!is_waiting(next.as_mut()).await, "{number}");
        shop.decide(1).await;
    }
}

#[tokio::test]
async fn of_two_buyers_with_one_id_at_the_same_moment_one_is_refused() {
    let shop = Shop::with_stock(5).await;
    let body = |uid: &str| json!({"uid": uid, "request_id": id(1)});
    let (a, b) = tokio::join!(shop.post(body("ann")), shop.post(body("bob")));
    assert_eq!((a.code, a.told(&id(1))), (202, Told::Queued));
    assert_refused(&b, 422, "request_id_reused");
}

#[tokio::test]
async fn decided_attempts_get_the_same_answer_every_time() {
    let shop = Shop::with_stock(1).await;
    shop.accept("ann", &id(1)).await;
    shop.accept("bob", &id(2)).await;
    shop.decide_all().await;
    let expected = [Told::won("tea-1-1"), Told::lost("sold_out")];
    for ((uid, number), expected) in [("ann", 1), ("bob", 2)].into_iter().zip(expected) {
        let first = shop.buy(uid, &id(number)).await;
        assert_eq!((first.code, first.told(&id(number))), (200, expected));
        assert_eq!(shop.buy(uid, &id(number)).await, first);
        assert_eq!(shop.result(&id(number)).await, first, "and where the result is asked for");
    }
    assert_eq!(shop.depth().await, 0);
}

#[tokio::test]
async fn a_known_id_is_never_refused() {
    // Each case: what makes the server refuse whatever is new, with the code of that refusal.
    type Refuse = fn(&Shop);
    let sale = Terms { closes_us: Some(2_000_000), ..terms("tea", 2) };
    let cases: [(&str, Refuse); 3] = [
        ("closed", |shop| shop.set_clock(3_000_000)),
        ("draining", |shop| shop.app.draining.cancel()),
        ("broker_unavailable", |shop| shop.close_queue()),
    ];
    for (reason, refuse) in cases {
        let shop = Shop::open(Setup { sale: Some(sale.clone()), ..Setup::stock(0) }).await;
        shop.accept("ann", &id(1)).await;
        shop.decide_all().await;
        shop.accept("bob", &id(2)).await;
        refuse(&shop);
        assert_eq!(shop.buy("cat", &id(9)).await.json()["reason"], reason);
        let decided = shop.buy("ann", &id(1)).await;
        assert_eq!((decided.code, decided.told(&id(1))), (200, Told::won("tea-1-1")), "{reason}");
        let queued = shop.buy("bob", &id(2)).await;
        assert_eq!((queued.code, queued.told(&id(2))), (202, Told::Queued), "{reason}");
    }
}

#[tokio::test]
async fn a_known_id_is_not_told_that_all_is_sold_nor_that_it_is_at_the_limit() {
    let shop = Shop::with_stock(1).await;
    for (uid, number) in [("ann", 1), ("ann", 2), ("bob", 3)] {
        shop.accept(uid, &id(number)).await;
    }
    shop.decide(1).await;
    assert_refused(&shop.buy("cat", &id(9)).await, 410, "sold_out");
    assert_eq!(shop.buy("ann", &id(1)).await.told(&id(1)), Told::won("tea-1-1"));
    assert_eq!(shop.buy("ann", &id(2)).await.told(&id(2)), Told::Queued);
    assert_eq!(shop.buy("bob", &id(3)).await.told(&id(3)), Told::Queued);
}

#[tokio::test]
async fn a_known_id_is_answered_when_the_queue_is_full_and_over_the_rate() {
    let rate_limit = Some(Rate { per_second: 1 });
    let shop = Shop::open(Setup { queue_max: 1, rate_limit, ..Setup::stock(9) }).await;
    shop.accept("ann", &id(1)).await;
    for _ in 0..50 {
        assert_eq!(shop.buy("ann", &id(1)).await.code, 202);
    }
    let refused = shop.buy("bob", &id(2)).await;
    assert!([429, 503].contains(&refused.code), "{}", refused.json());
    shop.decide_all().await;
    for _ in 0..50 {
        assert_eq!(shop.buy("ann", &id(1)).await.code, 200);
    }
}

#[tokio::test]
async fn an_id_of_a_replaced_sale_keeps_its_answer() {
    let shop = Shop::with_stock(1).await;
    shop.accept("ann", &id(1)).await;
    shop.decide_all().await;
    within(shop.app.store.open_sale(terms("tea", 5))).await.unwrap();
    within(shop.app.store.open_sale(terms("cup", 5))).await.unwrap();
    // Without an item, too, although there are two now.
    let reply = shop.buy("ann", &id(1)).await;
    assert_eq!((reply.code, reply.told(&id(1))), (200, Told::won("tea-1-1")));
    assert_eq!(shop.depth().await, 0);
}

async fn assert_reused_is_refused(shop: &Shop) {
    let others: [Value; 3] = [
        json!({"uid": "bob", "request_id": id(1)}),
        json!({"uid": "ann", "request_id": id(1), "item": "cup"}),
        json!({"uid": "ann", "request_id": id(1), "item": "never-sold"}),
    ];
    for other in others {
        assert_refused(&shop.post(other).await, 422, "request_id_reused");
    }
    let by_header = request("POST", "/seckill").header("idempotency-key", id(1));
    let by_header = by_header.body(Full::from(r#"{"uid":"bob"}"#)).unwrap();
    assert_refused(&shop.send(by_header).await, 422, "request_id_reused");
}

#[tokio::test]
async fn an_id_is_for_one_buyer_and_one_item_while_queued_and_ever_after() {
    let shop = Shop::with_stock(1).await;
    within(shop.app.store.open_sale(terms("cup", 1))).await.unwrap();
    let first = json!({"uid": "ann", "request_id": id(1), "item": "tea"});
    assert_eq!(shop.post(first.clone()).await.code, 202);
    assert_reused_is_refused(&shop).await;
    let held = shop.next(1).await;
    assert_reused_is_refused(&shop).await;
    shop.settle(held).await;
    assert_reused_is_refused(&shop).await;
    assert_eq!(shop.depth().await, 0, "no effect");
    let restarted = shop.restart();
    assert_reused_is_refused(&restarted).await;
    assert_eq!(restarted.post(first).await.told(&id(1)), Told::won("tea-1-1"));
}

#[tokio::test]
async fn a_refused_id_may_be_used_again() {
    let sale = Terms { opens_us: Some(2_000_000), ..terms("tea", 1) };
    let shop = Shop::open(Setup { sale: Some(sale), ..Setup::stock(0) }).await;
    assert_refused(&shop.buy("ann", &id(1)).await, 403, "not_open");
    shop.set_clock(2_000_000);
    shop.accept("bob", &id(1)).await;
    assert_eq!(shop.decide_all().await[0].attempt.buyer.as_str(), "bob");
}
