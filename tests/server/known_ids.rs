//! A known request id always gets the same answer, before any check may refuse it.

use std::pin::pin;

use http_body_util::Full;
use seckill::journal::Durability;
use seckill::sale::Terms;
use seckill::server::KeyedRateLimit;
use seckill::units::Rate;
use serde_json::{Value, json};

use crate::support::{
    AttemptStatus, Setup, Shop, assert_refused, attempt, first_refused, id, is_waiting, request,
    terms, within,
};

#[tokio::test]
async fn retry_while_queued_is_the_same_attempt() {
    let shop = Shop::with_stock(5).await;
    for _ in 0..3 {
        let reply = shop.buy("ann", &id(1)).await;
        assert_eq!((reply.code, reply.status_of(&id(1))), (202, AttemptStatus::Queued));
    }
    let upper = json!({"uid": "ann", "request_id": id(1).to_uppercase(), "item": "tea"});
    assert_eq!(shop.post(upper).await.code, 202);
    assert_eq!(shop.depth().await, 1);
    assert_eq!(shop.decide_all().await.len(), 1);
    assert_eq!(shop.get("/result").await.json()["orders"], 1);
}

#[tokio::test]
async fn concurrent_duplicates_are_one_attempt() {
    let shop = Shop::with_stock(5).await;
    let (id, body) = (id(1), |uid: &str| json!({"uid": uid, "request_id": id(1)}));
    let (a, b) = tokio::join!(shop.post(body("ann")), shop.post(body("ann")));
    assert_eq!(
        [a.status_of(&id), b.status_of(&id)],
        [AttemptStatus::Queued, AttemptStatus::Queued]
    );
    assert_eq!(shop.decide_all().await.len(), 1);
}

#[tokio::test]
async fn retry_is_not_answered_before_the_attempt_is_durable() {
    let shop = Shop::open(Setup { durability: Durability::Fsync, ..Setup::stock(9) }).await;
    for number in 0..20 {
        let mut first = pin!(shop.publish(attempt("ann", "tea", &id(number))));
        let _ = is_waiting(first.as_mut()).await;
        shop.accept("ann", &id(number)).await;
        // Only durable attempts are delivered.
        let mut subscription = shop.app.queue.subscribe(1);
        let mut next = pin!(subscription.next(1));
        assert!(!is_waiting(next.as_mut()).await, "{number}");
        shop.decide(1).await;
    }
}

#[tokio::test]
async fn concurrent_use_of_one_id_by_two_buyers_refuses_one() {
    let shop = Shop::with_stock(5).await;
    let body = |uid: &str| json!({"uid": uid, "request_id": id(1)});
    let (a, b) = tokio::join!(shop.post(body("ann")), shop.post(body("bob")));
    assert_eq!((a.code, a.status_of(&id(1))), (202, AttemptStatus::Queued));
    assert_refused(&b, 422, "request_id_reused");
}

#[tokio::test]
async fn decided_attempt_always_gets_the_same_answer() {
    let shop = Shop::with_stock(1).await;
    shop.accept("ann", &id(1)).await;
    shop.accept("bob", &id(2)).await;
    shop.decide_all().await;
    let expected = [AttemptStatus::won("tea-1-1"), AttemptStatus::lost("sold_out")];
    for ((uid, number), expected) in [("ann", 1), ("bob", 2)].into_iter().zip(expected) {
        let first = shop.buy(uid, &id(number)).await;
        assert_eq!((first.code, first.status_of(&id(number))), (200, expected));
        assert_eq!(shop.buy(uid, &id(number)).await, first);
        assert_eq!(shop.result(&id(number)).await, first, "the poll has the same answer");
    }
    assert_eq!(shop.depth().await, 0);
}

#[tokio::test]
async fn known_id_is_never_refused() {
    // Each case: a condition under which new attempts are refused, and the code of that refusal.
    type Refuse = fn(&Shop);
    let sale = Terms { closes_us: Some(2_000_000), ..terms("tea", 2) };
    let cases: [(&str, Refuse); 3] = [
        ("closed", |shop| shop.set_clock(3_000_000)),
        ("draining", |shop| shop.app.draining.begin()),
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
        assert_eq!(
            (decided.code, decided.status_of(&id(1))),
            (200, AttemptStatus::won("tea-1-1")),
            "{reason}"
        );
        let queued = shop.buy("bob", &id(2)).await;
        assert_eq!(
            (queued.code, queued.status_of(&id(2))),
            (202, AttemptStatus::Queued),
            "{reason}"
        );
    }
}

#[tokio::test]
async fn known_id_is_not_refused_as_sold_out_or_at_the_limit() {
    let shop = Shop::with_stock(1).await;
    for (uid, number) in [("ann", 1), ("ann", 2), ("bob", 3)] {
        shop.accept(uid, &id(number)).await;
    }
    shop.decide(1).await;
    assert_refused(&shop.buy("cat", &id(9)).await, 410, "sold_out");
    assert_eq!(shop.buy("ann", &id(1)).await.status_of(&id(1)), AttemptStatus::won("tea-1-1"));
    assert_eq!(shop.buy("ann", &id(2)).await.status_of(&id(2)), AttemptStatus::Queued);
    assert_eq!(shop.buy("bob", &id(3)).await.status_of(&id(3)), AttemptStatus::Queued);
}

#[tokio::test]
async fn known_id_is_answered_despite_full_queue_and_rate_limit() {
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
async fn known_id_is_answered_although_its_buyer_is_over_the_limit() {
    let mut shop = Shop::with_stock(9).await;
    shop.app.buyer_rate_limit = Some(KeyedRateLimit::new(Rate { per_second: 1 }));
    shop.accept("ann", &id(1)).await;
    // The limit uses real time, so on a slow machine one more may pass.
    let (number, refused) =
        first_refused(2, async |number| shop.buy("ann", &id(number)).await).await;
    assert_refused(&refused, 429, "rate_limited");
    assert_eq!(shop.result(&id(number)).await.code, 404, "no effect");
    for _ in 0..50 {
        assert_eq!(shop.buy("ann", &id(1)).await.code, 202, "it is queued");
    }
    shop.accept("bob", &id(200)).await;
    shop.decide_all().await;
    for _ in 0..50 {
        assert_eq!(shop.buy("ann", &id(1)).await.code, 200, "it is decided");
    }
}

#[tokio::test]
async fn id_of_a_replaced_sale_keeps_its_answer() {
    let shop = Shop::with_stock(1).await;
    shop.accept("ann", &id(1)).await;
    shop.decide_all().await;
    within(shop.app.store.open_sale(terms("tea", 5))).await.unwrap();
    within(shop.app.store.open_sale(terms("cup", 5))).await.unwrap();
    // The item may be omitted as well, although there are two sales now.
    let reply = shop.buy("ann", &id(1)).await;
    assert_eq!((reply.code, reply.status_of(&id(1))), (200, AttemptStatus::won("tea-1-1")));
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
async fn id_stays_bound_to_one_buyer_and_one_item() {
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
    assert_eq!(restarted.post(first).await.status_of(&id(1)), AttemptStatus::won("tea-1-1"));
}

#[tokio::test]
async fn refused_id_may_be_reused() {
    let sale = Terms { opens_us: Some(2_000_000), ..terms("tea", 1) };
    let shop = Shop::open(Setup { sale: Some(sale), ..Setup::stock(0) }).await;
    assert_refused(&shop.buy("ann", &id(1)).await, 403, "not_open");
    shop.set_clock(2_000_000);
    shop.accept("bob", &id(1)).await;
    assert_eq!(shop.decide_all().await[0].attempt.buyer.as_str(), "bob");
}
