//! Admin requests: authorization, and the effect of opening a sale on the previous one.

use http_body_util::Full;
use seckill::secret::Secret;
use seckill::server::AdminToken;
use serde_json::json;

use crate::support::{
    AttemptStatus, Setup, Shop, TOKEN, assert_refused, id, request, terms, within,
};

const ROUTES: [(&str, &str); 2] = [("PUT", "/admin/sale"), ("GET", "/admin/ledger")];

#[tokio::test]
async fn admin_routes_require_the_token() {
    let shop = Shop::with_stock(1).await;
    let body = r#"{"item":"cup","stock":1}"#;
    let longer = format!("Bearer {TOKEN}x");
    let shorter = format!("Bearer {}", &TOKEN[..TOKEN.len() - 1]);
    let cases = [
        (None, 401, "no_token"),
        (Some("Basic czNjcmV0"), 401, "no_token"),
        (Some(TOKEN), 401, "no_token"),
        (Some("Bearer "), 403, "wrong_token"),
        (Some("Bearer wrong"), 403, "wrong_token"),
        (Some(&longer), 403, "wrong_token"),
        (Some(&shorter), 403, "wrong_token"),
    ];
    for (method, path) in ROUTES {
        for (given, code, reason) in cases {
            let mut request = request(method, path).header("x-forwarded-for", "127.0.0.1");
            if let Some(given) = given {
                request = request.header("authorization", given);
            }
            let reply = shop.send(request.body(Full::from(body)).unwrap()).await;
            assert_refused(&reply, code, reason);
            assert_eq!(reply.header("www-authenticate").is_some(), code == 401);
            assert!(!String::from_utf8_lossy(&reply.body).contains(TOKEN));
        }
        assert_eq!(shop.admin(method, path, r#"{"item":"tea","stock":1}"#).await.code, 200);
    }
    assert_refused(&shop.get("/result?item=cup").await, 404, "unknown_item");
}

#[tokio::test]
async fn bearer_scheme_is_case_insensitive() {
    let shop = Shop::with_stock(1).await;
    for scheme in ["bearer", "BEARER"] {
        let request = request("GET", "/admin/ledger");
        let request = request.header("authorization", format!("{scheme} {TOKEN}"));
        assert_eq!(shop.send(request.body(Full::default()).unwrap()).await.code, 200, "{scheme}");
    }
}

#[tokio::test]
async fn empty_admin_token_grants_no_access() {
    let mut shop = Shop::with_stock(1).await;
    shop.app.admin_token = AdminToken::new(Secret(String::new()));
    for (method, path) in ROUTES {
        let request = request(method, path).header("authorization", "Bearer ");
        let reply = shop.send(request.body(Full::default()).unwrap()).await;
        assert_refused(&reply, 403, "wrong_token");
    }
}

#[tokio::test]
async fn invalid_sale_terms_are_rejected_with_the_reason() {
    let shop = Shop::with_stock(1).await;
    let cases = [
        ("", "bad_body", ""),
        (r#"{"item":"cup"}"#, "bad_body", "stock"),
        (r#"{"stock":1}"#, "bad_body", "item"),
        (r#"{"item":"cup","stock":-1}"#, "bad_body", "-1"),
        (r#"{"item":"cup","stock":1.5}"#, "bad_body", "1.5"),
        (r#"{"item":"cup","stock":4294967296}"#, "bad_body", "4294967296"),
        (r#"{"item":"cup","stock":1,"stocks":1}"#, "bad_body", "stocks"),
        (r#"{"item":"c u p","stock":1}"#, "bad_sale", "item"),
        (r#"{"item":"cup","stock":1,"per_buyer":0}"#, "bad_sale", "per_buyer"),
        (r#"{"item":"cup","stock":1,"opens_at":"soon"}"#, "bad_sale", "opens_at"),
        (r#"{"item":"cup","stock":1,"closes_at":"2030"}"#, "bad_sale", "closes_at"),
        (r#"{"item":"cup","stock":1,"opens_at":"+9223372036854775807s"}"#, "bad_sale", "opens_at"),
        (
            r#"{"item":"cup","stock":1,"opens_at":"2030-01-01T00:00:01Z",
                "closes_at":"2030-01-01T00:00:01Z"}"#,
            "bad_sale",
            "closes before it opens",
        ),
    ];
    for (body, reason, named) in cases {
        let reply = shop.admin("PUT", "/admin/sale", body).await;
        assert_refused(&reply, 400, reason);
        let message = reply.json()["message"].as_str().unwrap_or_default().to_owned();
        assert!(message.contains(named), "{body}: {message}");
    }
    assert_refused(&shop.get("/result?item=cup").await, 404, "unknown_item");
    let sale = r#"{"item":"cup","stock":1}"#;
    let request = request("PUT", "/admin/sale").header("authorization", format!("Bearer {TOKEN}"));
    let request = request.header("content-type", "text/plain").body(Full::from(sale)).unwrap();
    assert_refused(&shop.send(request).await, 415, "not_json");
}

#[tokio::test]
async fn sale_is_opened_on_the_given_terms() {
    let shop = Shop::open(Setup { sale: None, ..Setup::stock(0) }).await;
    let body = json!({
        "item": "tea", "stock": 3, "per_buyer": 2,
        "opens_at": "1970-01-01T00:00:02Z", "closes_at": "1970-01-01T00:00:03Z",
    });
    let reply = shop.admin("PUT", "/admin/sale", &body.to_string()).await;
    let opened = json!({"status": "opened", "item": "tea", "epoch": 1, "stock": 3, "per_buyer": 2});
    assert_eq!((reply.code, reply.json()), (200, opened));
    assert_refused(&shop.buy("ann", &id(1)).await, 403, "not_open");
    shop.set_clock(2_000_000);
    for number in 1..=3 {
        shop.accept("ann", &id(number)).await;
    }
    shop.set_clock(3_000_000);
    assert_refused(&shop.buy("ann", &id(4)).await, 403, "closed");
    shop.decide_all().await;
    assert_eq!(shop.result(&id(2)).await.status_of(&id(2)), AttemptStatus::won("tea-1-2"));
    assert_eq!(shop.result(&id(3)).await.status_of(&id(3)), AttemptStatus::lost("already_bought"));
}

#[tokio::test]
async fn sale_without_buyer_limit_uses_the_servers_default() {
    let mut shop = Shop::with_stock(0).await;
    shop.app.per_buyer = 2;
    let reply = shop.admin("PUT", "/admin/sale", r#"{"item":"tea","stock":9}"#).await;
    assert_eq!(reply.json()["per_buyer"], 2);
    for number in 1..=3 {
        shop.accept("ann", &id(number)).await;
    }
    shop.decide_all().await;
    assert_eq!(shop.get("/result").await.json()["orders"], 2);
}

#[tokio::test]
async fn new_sale_inherits_nothing_from_the_one_it_replaces() {
    let shop = Shop::with_stock(2).await;
    shop.accept("ann", &id(1)).await;
    shop.decide_all().await;
    shop.accept("bob", &id(2)).await;
    let held = shop.next(1).await;
    shop.accept("cat", &id(3)).await;
    let reply = shop.admin("PUT", "/admin/sale", r#"{"item":"tea","stock":2}"#).await;
    assert_eq!(reply.code, 200);
    shop.accept("ann", &id(4)).await;
    shop.settle(held).await;
    shop.decide_all().await;
    assert_eq!(
        shop.result(&id(1)).await.status_of(&id(1)),
        AttemptStatus::won("tea-1-1"),
        "results of the replaced sale stay readable"
    );
    for number in [2, 3] {
        assert_eq!(
            shop.result(&id(number)).await.status_of(&id(number)),
            AttemptStatus::lost("sale_replaced")
        );
    }
    assert_eq!(
        shop.result(&id(4)).await.status_of(&id(4)),
        AttemptStatus::won("tea-2-1"),
        "the new sale counts the limit from zero"
    );
    let lines = async |path: &str| {
        let ledger = shop.admin("GET", path, "").await.body;
        let ledger = String::from_utf8(ledger).unwrap();
        ledger.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let fresh = lines("/admin/ledger").await;
    assert_eq!(fresh.len(), 3, "{fresh:?}");
    assert!(fresh[1].contains(&id(4)), "{fresh:?}");
    let replaced = lines("/admin/ledger?epoch=1").await;
    assert_eq!(replaced.len(), 5, "{replaced:?}");
    assert!(replaced[3].contains(&id(3)) && replaced[3].contains("sale_replaced"), "{replaced:?}");
    assert_eq!(shop.get("/result").await.json()["stock_left"], 1);
    let restarted = shop.restart();
    assert_eq!(
        restarted.result(&id(3)).await.status_of(&id(3)),
        AttemptStatus::lost("sale_replaced")
    );
    assert_eq!(restarted.get("/result").await.json()["stock_left"], 1);
}

#[tokio::test]
async fn sale_of_another_item_does_not_affect_the_first() {
    let shop = Shop::with_stock(1).await;
    shop.accept("ann", &id(1)).await;
    let reply = shop.admin("PUT", "/admin/sale", r#"{"item":"cup","stock":5}"#).await;
    assert_eq!(reply.code, 200);
    shop.decide_all().await;
    assert_eq!(shop.result(&id(1)).await.status_of(&id(1)), AttemptStatus::won("tea-1-1"));
    let sale =
        seckill::store::SaleView { terms: terms("tea", 1), epoch: 1, left: 0, orders: 1, paid: 0 };
    assert_eq!(within(shop.app.store.sale(Some(&sale.terms.item))).await, Ok(sale));
}
