//! `POST /seckill`: well-formed requests that are refused, without any effect.

use seckill::sale::Terms;
use seckill::units::Rate;

use crate::support::{Setup, Shop, assert_refused, id, terms};

#[tokio::test]
async fn sale_accepts_from_opening_until_just_before_closing() {
    let sale = Terms { opens_us: Some(100), closes_us: Some(200), ..terms("tea", 9) };
    let shop = Shop::open(Setup { sale: Some(sale), ..Setup::stock(0) }).await;
    for (now_us, number, expected) in [(0, 1, "not_open"), (99, 1, "not_open"), (200, 4, "closed")]
    {
        shop.set_clock(now_us);
        assert_refused(&shop.buy("ann", &id(number)).await, 403, expected);
    }
    for (now_us, number) in [(100, 1), (199, 2)] {
        shop.set_clock(now_us);
        shop.accept("ann", &id(number)).await;
    }
    shop.set_clock(10_000);
    let decided = shop.decide_all().await;
    assert!(
        matches!(decided[0].decision, seckill::sale::Decision::Won(_)),
        "it was accepted in time"
    );
    assert_eq!(decided[0].decided_us, 10_000);
}

#[tokio::test]
async fn buyer_at_the_limit_is_refused_while_others_buy() {
    let sale = Terms { per_buyer: 2, ..terms("tea", 3) };
    let shop = Shop::open(Setup { sale: Some(sale), ..Setup::stock(0) }).await;
    for number in 1..=2 {
        shop.accept("ann", &id(number)).await;
        shop.decide_all().await;
    }
    assert_refused(&shop.buy("ann", &id(3)).await, 409, "already_bought");
    shop.accept("bob", &id(4)).await;
}

#[tokio::test]
async fn sold_out_sale_refuses() {
    let shop = Shop::with_stock(1).await;
    shop.accept("ann", &id(1)).await;
    shop.accept("bob", &id(2)).await;
    shop.decide(1).await;
    assert_refused(&shop.buy("cat", &id(3)).await, 410, "sold_out");
    assert_refused(&shop.result(&id(3)).await, 404, "unknown_request");
    assert_refused(&Shop::with_stock(0).await.buy("ann", &id(1)).await, 410, "sold_out");
}

#[tokio::test]
async fn rate_limited_request_gets_retry_after() {
    let rate_limit = Some(Rate { per_second: 1 });
    let shop = Shop::open(Setup { rate_limit, ..Setup::stock(1_000) }).await;
    shop.accept("ann", &id(0)).await;
    let mut last = None;
    // The limit uses real time, so on a slow machine one more or one fewer may pass.
    for number in 1..100 {
        let reply = shop.buy("ann", &id(number)).await;
        let is_limited = reply.code == 429;
        last = Some(reply);
        if is_limited {
            break;
        }
    }
    assert_refused(&last.unwrap(), 429, "rate_limited");
}

#[tokio::test]
async fn full_queue_refuses_until_an_attempt_is_decided() {
    let shop = Shop::open(Setup { queue_max: 2, ..Setup::stock(9) }).await;
    shop.accept("ann", &id(1)).await;
    shop.accept("bob", &id(2)).await;
    let reply = shop.buy("cat", &id(3)).await;
    assert_refused(&reply, 503, "queue_full");
    let held = shop.next(1).await;
    assert_refused(&shop.buy("cat", &id(3)).await, 503, "queue_full");
    shop.settle(held).await;
    assert_refused(&shop.result(&id(3)).await, 404, "unknown_request");
    shop.accept("cat", &id(3)).await;
}

#[tokio::test]
async fn unavailable_queue_or_store_refuses_without_effect() {
    let shop = Shop::with_stock(1).await;
    shop.close_queue();
    assert_refused(&shop.buy("ann", &id(1)).await, 503, "broker_unavailable");
    assert_refused(&shop.result(&id(1)).await, 404, "unknown_request");
    shop.app.store.close().unwrap();
    let reply = shop.admin("PUT", "/admin/sale", r#"{"item":"cup","stock":1}"#).await;
    assert_refused(&reply, 503, "store_unavailable");
    assert_refused(&shop.get("/result?item=cup").await, 404, "unknown_item");
}

#[tokio::test]
async fn refused_clients_do_not_all_return_in_the_same_second() {
    let shop = Shop::open(Setup { queue_max: 1, ..Setup::stock(9) }).await;
    shop.accept("ann", &id(1)).await;
    let mut seconds = std::collections::BTreeSet::new();
    for number in 2..10 {
        let reply = shop.buy(&format!("bob-{number}"), &id(number)).await;
        assert_refused(&reply, 503, "queue_full");
        seconds.insert(reply.header("retry-after").unwrap().parse::<u64>().unwrap());
    }
    // How fast the queue becomes shorter is not known yet.
    assert_eq!(seconds, [1, 2].into());
}

#[tokio::test]
async fn draining_server_refuses_and_is_not_ready() {
    let shop = Shop::with_stock(1).await;
    assert_eq!(shop.get("/readyz").await.code, 200);
    shop.app.draining.begin();
    assert_refused(&shop.buy("ann", &id(1)).await, 503, "draining");
    assert_refused(&shop.get("/readyz").await, 503, "draining");
    let reply = shop.admin("PUT", "/admin/sale", r#"{"item":"cup","stock":1}"#).await;
    assert_refused(&reply, 503, "draining");
    assert_eq!(shop.get("/healthz").await.code, 200, "the process is alive");
    assert_eq!(shop.depth().await, 0);
}
