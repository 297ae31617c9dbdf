//! `POST /seckill` without a socket: accepted and malformed requests.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame};
use seckill::server::route;
use serde_json::json;

use crate::support::{
    AttemptStatus, Setup, Shop, assert_refused, get, id, post, request, terms, within,
};

fn post_with(name: &str, value: &str, body: &str) -> hyper::Request<Full<Bytes>> {
    let request = request("POST", "/seckill").header(name, value);
    request.body(Full::from(body.to_owned())).unwrap()
}

#[tokio::test]
async fn accepted_attempt_is_queued_under_its_id() {
    let shop = Shop::with_stock(1).await;
    let reply = shop.buy("ann", &id(1)).await;
    assert_eq!((reply.code, reply.status_of(&id(1))), (202, AttemptStatus::Queued));
    let waiting = shop.app.queue.find(&id(1).parse().unwrap()).unwrap();
    assert_eq!((waiting.buyer.as_str(), waiting.item.as_str()), ("ann", "tea"));
    assert_eq!((waiting.accepted_us, waiting.epoch), (1_000_000, 1));
}

#[tokio::test]
async fn request_id_may_be_given_in_the_header() {
    let shop = Shop::with_stock(3).await;
    let body = r#"{"uid":"ann"}"#;
    let reply = shop.send(post_with("idempotency-key", &id(1), body)).await;
    assert_eq!((reply.code, reply.status_of(&id(1))), (202, AttemptStatus::Queued));
    let quoted = format!("\"{}\"", id(2));
    let reply = shop.send(post_with("idempotency-key", &quoted, body)).await;
    assert_eq!((reply.code, reply.status_of(&id(2))), (202, AttemptStatus::Queued));
    let both = json!({"uid": "ann", "request_id": id(3)}).to_string();
    let reply = shop.send(post_with("idempotency-key", &id(3), &both)).await;
    assert_eq!((reply.code, reply.status_of(&id(3))), (202, AttemptStatus::Queued));
    let reply = shop.send(post_with("idempotency-key", &id(4), &both)).await;
    assert_refused(&reply, 400, "bad_request_id");
    assert_eq!(shop.depth().await, 3);
}

#[tokio::test]
async fn header_and_body_must_agree_on_the_request_id() {
    let shop = Shop::with_stock(3).await;
    let keys = |a: &str, b: &str| {
        let request = request("POST", "/seckill").header("idempotency-key", a);
        let body = Full::from(json!({"uid": "ann", "request_id": id(1)}).to_string());
        request.header("idempotency-key", b).body(body).unwrap()
    };
    assert_refused(&shop.send(keys(&id(1), &id(2))).await, 400, "bad_request_id");
    assert_refused(&shop.send(keys(&id(2), &id(1))).await, 400, "bad_request_id");
    assert_refused(&shop.send(keys(&id(1), "nonsense")).await, 400, "bad_request_id");
    assert_eq!(shop.depth().await, 0);
    let plain = id(1).replace('-', "");
    let reply = shop.send(keys(&id(1).to_uppercase(), &plain)).await;
    assert_eq!((reply.code, reply.status_of(&id(1))), (202, AttemptStatus::Queued));
}

#[tokio::test]
async fn server_generates_a_missing_request_id() {
    let shop = Shop::with_stock(5).await;
    let mut made = Vec::new();
    for _ in 0..2 {
        let reply = shop.post(json!({"uid": "ann"})).await;
        assert_eq!(reply.code, 202);
        made.push(reply.json()["request_id"].as_str().unwrap().to_owned());
    }
    assert_ne!(made[0], made[1], "two attempts, two ids");
    assert_eq!(shop.result(&made[1]).await.status_of(&made[1]), AttemptStatus::Queued);
    shop.decide_all().await;
    assert_eq!(shop.result(&made[0]).await.status_of(&made[0]), AttemptStatus::won("tea-1-1"));
    assert_eq!(
        shop.result(&made[1]).await.status_of(&made[1]),
        AttemptStatus::lost("already_bought")
    );
}

#[tokio::test]
async fn malformed_body_is_rejected_with_the_field_and_has_no_effect() {
    let shop = Shop::with_stock(1).await;
    let long = "x".repeat(65);
    let cases = [
        ("", "bad_body"),
        ("{", "bad_body"),
        (r#"["ann"]"#, "bad_body"),
        ("\u{0}\u{1}", "bad_body"),
        (r#"{"request_id":"00000000-0000-4000-8000-000000000001"}"#, "bad_body"),
        (r#"{"uid":7}"#, "bad_body"),
        (r#"{"uid":"ann","uid":"bob"}"#, "bad_body"),
        (r#"{"uid":"ann"} {"uid":"ann"}"#, "bad_body"),
        (r#"{"uid":""}"#, "bad_uid"),
        (r#"{"uid":"a b"}"#, "bad_uid"),
        (r#"{"uid":"a\nb"}"#, "bad_uid"),
        (&format!(r#"{{"uid":"{long}"}}"#), "bad_uid"),
        (r#"{"uid":"ann","request_id":"42"}"#, "bad_request_id"),
        (r#"{"uid":"ann","request_id":""}"#, "bad_request_id"),
        (r#"{"uid":"ann","request_id":"00000000-0000-0000-0000-000000000000"}"#, "bad_request_id"),
        (r#"{"uid":"ann","request_id":"ffffffff-ffff-ffff-ffff-ffffffffffff"}"#, "bad_request_id"),
        (r#"{"uid":"ann","item":""}"#, "bad_item"),
        (r#"{"uid":"ann","item":"../tea"}"#, "bad_item"),
    ];
    for (body, reason) in cases {
        assert_refused(&shop.send(post(body.to_owned())).await, 400, reason);
    }
    let reply = shop.send(post_with("idempotency-key", "caf\u{e9}", r#"{"uid":"ann"}"#)).await;
    assert_refused(&reply, 400, "bad_request_id");
    assert_eq!(shop.depth().await, 0);
}

#[tokio::test]
async fn only_json_is_accepted() {
    let shop = Shop::with_stock(9).await;
    let body = r#"{"uid":"ann"}"#;
    for wrong in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""] {
        assert_refused(&shop.send(post_with("content-type", wrong, body)).await, 415, "not_json");
    }
    for right in ["application/json", "Application/JSON; charset=utf-8"] {
        assert_eq!(shop.send(post_with("content-type", right, body)).await.code, 202, "{right}");
    }
    assert_eq!(shop.send(post_with("x-other", "1", body)).await.code, 202, "no type at all");
}

#[tokio::test]
async fn body_over_the_limit_is_rejected_with_or_without_content_length() {
    let shop = Shop::with_stock(9).await;
    let body = |len: usize| {
        let body = r#"{"uid":"ann"}"#.to_owned();
        let spaces = len - body.len();
        body + &" ".repeat(spaces)
    };
    assert_eq!(shop.send(post(body(4096))).await.code, 202);
    assert_refused(&shop.send(post(body(4097))).await, 413, "body_too_large");
    let announced = post_with("content-length", "4097", "");
    assert_refused(&shop.send(announced).await, 413, "body_too_large");
    assert_eq!(shop.depth().await, 1);
}

/// A body that breaks off, as when a client dies while sending it.
struct Broken(Option<Bytes>);

impl Body for Broken {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = self.0.take().map(Frame::data);
        Poll::Ready(Some(frame.ok_or_else(|| std::io::ErrorKind::UnexpectedEof.into())))
    }
}

#[tokio::test]
async fn truncated_body_has_no_effect_even_if_it_parses() {
    let shop = Shop::with_stock(1).await;
    let body = Broken(Some(Bytes::from_static(br#"{"uid":"ann"}"#)));
    let request = request("POST", "/seckill").body(body).unwrap();
    let response = within(route(&shop.app, request)).await;
    assert_eq!(response.status(), 400);
    let body = within(response.into_body().collect()).await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&body).contains("body_incomplete"), "{body:?}");
    assert_eq!(shop.depth().await, 0);
}

#[tokio::test]
async fn unknown_path_is_404_and_wrong_method_405_with_allow() {
    let shop = Shop::with_stock(1).await;
    for path in ["/", "/seckill/", "/Seckill", "/results", "/admin", "/admin/sale/tea", "//"] {
        assert_refused(&shop.send(get(path)).await, 404, "no_such_path");
    }
    let result = format!("/result/{}", id(1));
    let paths = [
        ("/seckill", "POST"),
        ("/result", "GET, HEAD"),
        (&result, "GET, HEAD"),
        ("/admin/sale", "PUT"),
        ("/admin/ledger", "GET, HEAD"),
        ("/healthz", "GET, HEAD"),
        ("/readyz", "GET, HEAD"),
    ];
    for (path, allowed) in paths {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"] {
            if allowed.split(", ").any(|allowed| allowed == method) {
                continue;
            }
            let request = request(method, path).body(Full::default()).unwrap();
            let reply = shop.send(request).await;
            assert_refused(&reply, 405, "method_not_allowed");
            assert_eq!(reply.allow(), Some(allowed), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn item_is_required_with_several_sales() {
    let shop = Shop::with_stock(1).await;
    within(shop.app.store.open_sale(terms("cup", 1))).await.unwrap();
    assert_refused(&shop.buy("ann", &id(1)).await, 400, "item_required");
    let named = |item: &str| json!({"uid": "ann", "request_id": id(1), "item": item});
    assert_refused(&shop.post(named("pot")).await, 404, "unknown_item");
    assert_eq!(shop.depth().await, 0);
    assert_eq!(shop.post(named("cup")).await.code, 202);
    assert_eq!(shop.decide(9).await[0].attempt.item.as_str(), "cup");
}

#[tokio::test]
async fn item_is_unknown_without_a_sale() {
    let shop = Shop::open(Setup { sale: None, ..Setup::stock(0) }).await;
    assert_refused(&shop.buy("ann", &id(1)).await, 404, "unknown_item");
}
