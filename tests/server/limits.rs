//! Limits on what is admitted that flags set.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use seckill::server::{AddressRateLimit, Peer};
use seckill::units::Rate;
use serde_json::json;

use crate::support::{
    Reply, Setup, Shop, assert_refused, attempt, first_refused, id, post, terms, within,
};

/// Sends a purchase over a connection from this address.
async fn buy_from(shop: &Shop, address: &str, uid: &str, request_id: &str) -> Reply {
    let body = json!({"uid": uid, "request_id": request_id});
    let mut request: Request<Full<Bytes>> = post(body.to_string());
    request.extensions_mut().insert(Peer(address.parse::<IpAddr>().unwrap()));
    shop.send(request).await
}

#[tokio::test]
async fn address_over_its_limit_is_refused_unless_the_id_is_known() {
    let mut shop = Shop::with_stock(9).await;
    let limit = AddressRateLimit::new(Rate { per_second: 1 }, Vec::new());
    shop.app.limits.address_rate = Some(limit);
    let (ann, bob) = ("203.0.113.1", "203.0.113.2");
    assert_eq!(buy_from(&shop, ann, "ann", &id(1)).await.code, 202);
    // The limit uses real time, so on a slow machine one more may pass.
    let buy = async |number| buy_from(&shop, ann, &format!("ann-{number}"), &id(number)).await;
    let (number, refused) = first_refused(2, buy).await;
    assert_refused(&refused, 429, "rate_limited");
    assert_eq!(shop.result(&id(number)).await.code, 404, "no effect");
    for _ in 0..50 {
        assert_eq!(buy_from(&shop, ann, "ann", &id(1)).await.code, 202, "it is queued");
    }
    assert_eq!(buy_from(&shop, bob, "bob", &id(200)).await.code, 202);
    shop.accept("cat", &id(201)).await;
}

fn retry_after_s(reply: &Reply) -> u64 {
    reply.header("retry-after").unwrap().parse().unwrap()
}

/// A shop whose queued attempts at an item are limited to this many for each unit that is left.
async fn with_admit_factor(stock: u32, factor: usize) -> Shop {
    let mut shop = Shop::with_stock(stock).await;
    shop.app.limits.admit_factor = Some(factor);
    shop
}

#[tokio::test]
async fn no_more_attempts_wait_than_the_units_that_are_left_allow() {
    let shop = with_admit_factor(10, 3).await;
    for number in 0..30 {
        shop.accept(&format!("ann-{number}"), &id(number)).await;
    }
    let refused = shop.buy("bob", &id(100)).await;
    assert_refused(&refused, 503, "queue_full");
    assert_eq!(shop.result(&id(100)).await.code, 404, "no effect");
    assert_eq!(shop.buy("ann-0", &id(0)).await.code, 202, "it is known");
    // Four units are sold: 18 may wait for the six that are left, and 26 do.
    shop.decide(4).await;
    assert_refused(&shop.buy("cat", &id(101)).await, 503, "queue_full");
}

#[tokio::test]
async fn limit_by_what_is_left_leaves_no_unit_unsold() {
    let shop = with_admit_factor(3, 1).await;
    // One buyer fills the queue again and again, and may have only one unit.
    let mut number = 0;
    while shop.sale().await.left > 0 {
        assert!(number < 1_000, "the last units are not sold");
        while shop.buy("ann", &id(number)).await.code == 202 {
            number += 1;
        }
        number += 1;
        shop.decide(1).await;
        for buyer in ["bob", "cat"] {
            number += 1;
            shop.buy(buyer, &id(number)).await;
        }
        shop.set_clock(1_000_000 * number as u64);
    }
    assert_eq!(shop.sale().await.orders, 3);
}

#[tokio::test]
async fn attempt_that_would_wait_too_long_is_refused_before_it_is_accepted() {
    let mut shop = Shop::with_stock(9).await;
    shop.app.limits.wait_max = Some(Duration::from_secs(2));
    shop.accept("ann", &id(1)).await;
    shop.set_clock(2_900_000);
    shop.accept("bob", &id(2)).await;
    // The oldest one has waited for 6 s.
    shop.set_clock(7_000_000);
    let refused = shop.buy("cat", &id(3)).await;
    assert_refused(&refused, 503, "queue_full");
    assert!((4..=6).contains(&retry_after_s(&refused)), "{refused:?}");
    assert_eq!(shop.result(&id(3)).await.code, 404, "no effect");
    assert_eq!(shop.decide_all().await.len(), 2, "what was accepted is decided");
    shop.accept("cat", &id(3)).await;
}

#[tokio::test]
async fn refused_buyer_who_comes_back_when_told_is_admitted_before_newcomers() {
    let shop = Shop::open(Setup { queue_max: 10, ..Setup::stock(99) }).await;
    for number in 0..10 {
        shop.accept(&format!("ann-{number}"), &id(number)).await;
    }
    let refused = shop.buy("bob", &id(100)).await;
    assert_refused(&refused, 503, "queue_full");
    let told_s = retry_after_s(&refused);
    shop.decide(1).await;
    // Clicking again does not help, nor does it cost anything.
    let again = shop.buy("bob", &id(101)).await;
    assert_refused(&again, 503, "queue_full");
    assert_eq!(retry_after_s(&again), told_s);
    assert_refused(&shop.buy("cat", &id(102)).await, 503, "queue_full");
    shop.set_clock(1_000_000 + 1_000_000 * told_s);
    assert_refused(&shop.buy("dan", &id(103)).await, 503, "queue_full");
    shop.accept("bob", &id(100)).await;
    // Its precedence is used up.
    shop.decide(1).await;
    assert_refused(&shop.buy("bob", &id(104)).await, 503, "queue_full");
}

/// The position of each attempt, in order; `None` once it is decided.
#[tokio::test]
async fn buyer_refused_by_the_rate_limit_is_admitted_before_newcomers() {
    let rate_limit = Some(Rate { per_second: 100 });
    let shop = Shop::open(Setup { rate_limit, ..Setup::stock(9_999) }).await;
    let newcomers = async |from, code| {
        for number in from..100_000 {
            let reply = shop.buy(&format!("newcomer-{number}"), &id(number)).await;
            if reply.code == code {
                return (number + 1, reply);
            }
        }
        panic!("no answer {code}");
    };
    let (next, _) = newcomers(0, 429).await;
    let refused = shop.buy("bob", &id(100_000)).await;
    assert_refused(&refused, 429, "rate_limited");
    shop.set_clock(1_000_000 + 1_000_000 * retry_after_s(&refused));
    newcomers(next, 429).await;
    shop.accept("bob", &id(100_000)).await;
}

async fn positions(shop: &Shop, ids: std::ops::Range<usize>) -> Vec<Option<u64>> {
    let mut positions = Vec::new();
    for number in ids {
        let result = shop.result(&id(number)).await;
        assert_eq!(result.code, 200);
        positions.push(result.json()["position"].as_u64());
    }
    positions
}

#[tokio::test]
async fn queued_attempt_is_told_how_many_are_before_it() {
    let shop = Shop::with_stock(99).await;
    within(shop.app.store.open_sale(terms("cup", 9))).await.unwrap();
    for number in 0..5 {
        let buyer = format!("ann-{number}");
        within(shop.publish(attempt(&buyer, "tea", &id(number)))).await.unwrap();
        within(shop.publish(attempt(&buyer, "cup", &id(100 + number)))).await.unwrap();
    }
    let now = async || positions(&shop, 0..5).await;
    assert_eq!(now().await, [0, 1, 2, 3, 4].map(Some));
    assert_eq!(positions(&shop, 100..105).await, [0, 1, 2, 3, 4].map(Some));
    // Two batches are delivered and given back in the other order: nothing has changed.
    let mut first = shop.next(2).await;
    first.release_item();
    let cups = shop.next(2).await;
    let second = shop.next(2).await;
    assert_eq!(now().await, [0, 1, 2, 3, 4].map(Some));
    drop(first);
    assert_eq!(now().await, [0, 1, 2, 3, 4].map(Some));
    shop.settle(second).await;
    assert_eq!(now().await, [Some(0), Some(1), None, None, Some(2)]);
    drop(cups);
    assert_eq!(positions(&shop, 100..105).await, [0, 1, 2, 3, 4].map(Some));
    let accepted = shop.buy("ann-4", &id(4)).await.json();
    assert!(accepted.get("position").is_none(), "only a result has it: {accepted}");
}

#[tokio::test]
async fn estimate_follows_from_the_rate_of_decisions() {
    let shop = Shop::with_stock(99).await;
    for number in 0..4 {
        shop.accept(&format!("ann-{number}"), &id(number)).await;
    }
    assert!(shop.result(&id(3)).await.json().get("eta_ms").is_none(), "nothing is known yet");
    shop.decide(2).await;
    let eta_ms = async || shop.result(&id(3)).await.json()["eta_ms"].as_u64();
    // A rate is known when a second has passed, and only for some seconds.
    let eta_ms = within(async {
        loop {
            if let Some(eta_ms) = eta_ms().await {
                return eta_ms;
            }
            tokio::task::yield_now().await;
        }
    });
    // Two in a second, or fewer on a slow machine, and two are to be decided.
    assert!((900..=5_100).contains(&eta_ms.await));
}
