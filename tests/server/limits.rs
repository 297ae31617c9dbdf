//! Limits on what is admitted that flags set.

use std::net::IpAddr;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use seckill::server::{AddressRateLimit, Peer};
use seckill::units::Rate;
use serde_json::json;

use crate::support::{Reply, Shop, assert_refused, id, post};

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
    let mut number = 2;
    let refused = loop {
        let reply = buy_from(&shop, ann, &format!("ann-{number}"), &id(number)).await;
        assert!(number < 100, "no attempt was refused");
        if reply.code != 202 {
            break reply;
        }
        number += 1;
    };
    assert_refused(&refused, 429, "rate_limited");
    assert_eq!(shop.result(&id(number)).await.code, 404, "no effect");
    for _ in 0..50 {
        assert_eq!(buy_from(&shop, ann, "ann", &id(1)).await.code, 202, "it is queued");
    }
    assert_eq!(buy_from(&shop, bob, "bob", &id(200)).await.code, 202);
    shop.accept("cat", &id(201)).await;
}
