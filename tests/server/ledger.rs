//! `GET /admin/ledger`: every accepted attempt in order; a truncated ledger is recognizable.

use http_body_util::{BodyExt, Full};
use seckill::history::{Ledger, Loss, Status};
use seckill::ids::OrderId;
use seckill::server::{Body, route};
use seckill::sut::LedgerReader;
use serde_json::{Value, json};

use crate::support::{Reply, Shop, TOKEN, assert_refused, id, is_waiting, request, terms, within};

async fn ledger(shop: &Shop, query: &str) -> Reply {
    shop.admin("GET", &format!("/admin/ledger{query}"), "").await
}

fn lines(reply: &Reply) -> Vec<Value> {
    assert_eq!((reply.code, reply.header("content-type")), (200, Some("application/x-ndjson")));
    let text = str::from_utf8(&reply.body).unwrap();
    assert!(text.ends_with('\n'), "{text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn read(reply: &Reply) -> Ledger {
    let mut reader = LedgerReader::default();
    reader.feed(&reply.body).unwrap();
    reader.finish().unwrap()
}

/// The state of an attempt that lost since no unit was left.
const SOLD_OUT: Status = Status::Lost(Loss::SoldOut);

#[tokio::test]
async fn ledger_lists_sale_then_attempts_then_counts() {
    let shop = Shop::with_stock(1).await;
    for (uid, number) in [("ann", 9), ("bob", 3), ("cat", 7)] {
        shop.accept(uid, &id(number)).await;
    }
    shop.set_clock(1_000_250);
    shop.decide(2).await;
    let held = shop.next(1).await;
    let reply = ledger(&shop, "").await;
    let line = |uid: &str, number: usize, seq: u64| {
        json!({
            "request_id": id(number), "uid": uid, "item": "tea", "seq": seq,
            "accepted_us": 1_000_000, "status": "queued",
        })
    };
    let mut expected = [line("ann", 9, 1), line("bob", 3, 2), line("cat", 7, 3)];
    expected[0]["status"] = "won".into();
    expected[0]["order_id"] = "tea-1-1".into();
    expected[1]["status"] = "lost".into();
    expected[1]["reason"] = "sold_out".into();
    for decided in &mut expected[..2] {
        decided["decided_us"] = 1_000_250.into();
    }
    let lines = lines(&reply);
    let sale = json!({"item": "tea", "epoch": 1, "stock": 1, "stock_left": 0, "per_buyer": 1});
    assert_eq!(lines[0], json!({"sale": sale}));
    assert_eq!(lines[1..4], expected);
    let counts = json!({"accepted": 3, "won": 1, "lost": 1, "queued": 1});
    assert_eq!(lines[4..], [json!({"counts": counts})]);
    shop.settle(held).await;
    assert_eq!(read(&ledger(&shop, "").await).rows[2].status, SOLD_OUT);
}

#[tokio::test]
async fn decided_but_unacked_attempt_appears_once() {
    let shop = Shop::with_stock(1).await;
    shop.accept("ann", &id(1)).await;
    let batch = shop.next(1).await;
    let reserved = within(shop.app.store.reserve(batch.attempts(), 7)).await.unwrap();
    within(shop.app.store.commit(reserved)).await.unwrap();
    let rows = read(&ledger(&shop, "").await).rows;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].status, Status::Won(OrderId::from_text("tea-1-1")));
    drop(batch);
    assert_eq!(read(&ledger(&shop, "").await).rows, rows, "a redelivery adds no row");
}

#[tokio::test]
async fn long_ledger_is_complete_and_in_order() {
    let shop = Shop::with_stock(100).await;
    for number in 0..1_000 {
        shop.accept(&format!("buyer-{number}"), &id(number)).await;
    }
    assert_eq!(shop.decide(150).await.len(), 150);
    let reply = ledger(&shop, "").await;
    assert!(reply.body.len() > 2 * (64 << 10), "several pieces: {} bytes", reply.body.len());
    let rows = read(&reply).rows;
    let ids: Vec<_> = rows.iter().map(|row| row.request_id.to_string()).collect();
    assert_eq!(ids, (0..1_000).map(id).collect::<Vec<_>>());
    let won = rows.iter().take_while(|row| matches!(row.status, Status::Won(_))).count();
    let lost = rows.iter().skip(won).take_while(|row| row.status == SOLD_OUT).count();
    let queued = rows.iter().filter(|row| row.status == Status::Queued).count();
    assert_eq!((won, lost, queued), (100, 50, 850));
}

#[tokio::test]
async fn ledger_covers_one_item() {
    let shop = Shop::with_stock(1).await;
    shop.accept("ann", &id(1)).await;
    within(shop.app.store.open_sale(terms("cup", 1))).await.unwrap();
    assert_refused(&ledger(&shop, "").await, 400, "item_required");
    assert_refused(&ledger(&shop, "?item=pot").await, 404, "unknown_item");
    assert_refused(&ledger(&shop, "?epoch=3").await, 404, "unknown_item");
    assert_refused(&ledger(&shop, "?epoch=tea").await, 400, "bad_epoch");
    assert_eq!(read(&ledger(&shop, "?item=tea").await).rows.len(), 1);
    let cups = read(&ledger(&shop, "?item=cup").await);
    assert_eq!((cups.sale.item.as_str(), cups.rows.len()), ("cup", 0));
    assert_eq!(read(&ledger(&shop, "?epoch=2").await), cups);
}

/// Requests the ledger; its body is not read yet.
async fn unread(shop: &Shop) -> hyper::Response<Body> {
    let request =
        request("GET", "/admin/ledger").header("authorization", format!("Bearer {TOKEN}"));
    route(&shop.app, request.body(Full::default()).unwrap()).await
}

#[tokio::test]
async fn ledger_is_not_made_on_the_thread_that_answers_buyers() {
    let shop = Shop::with_stock(1).await;
    shop.accept("ann", &id(1)).await;
    shop.decide_all().await;
    // This test has one thread: what is done while it polls is done on that of the requests.
    // Another thread may have made the ledger before this one looks again.
    for _ in 0..100 {
        let mut ledger = std::pin::pin!(unread(&shop));
        if is_waiting(ledger.as_mut()).await {
            let response = within(ledger).await;
            assert_eq!(response.status(), 200);
            let body = within(response.into_body().collect()).await.unwrap().to_bytes();
            assert_eq!(body.split(|byte| *byte == b'\n').count(), 1 + 3, "three lines");
            return;
        }
    }
    panic!("each ledger was made while it was polled");
}

#[tokio::test]
async fn two_ledgers_are_read_at_a_time() {
    let shop = Shop::with_stock(1).await;
    for number in 0..2_000 {
        shop.accept(&format!("buyer-{number}"), &id(number)).await;
    }
    let first = within(unread(&shop)).await;
    let second = within(unread(&shop)).await;
    let third = within(unread(&shop)).await;
    assert_eq!((first.status().as_u16(), second.status().as_u16()), (200, 200));
    assert_eq!(third.status(), 503);
    assert!(third.headers().contains_key("retry-after"));
    let refused = within(third.into_body().collect()).await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&refused).contains("ledger_busy"), "{refused:?}");
    shop.accept("dan", &id(2_000)).await;
    // A client that leaves makes room.
    drop(first);
    assert_eq!(within(unread(&shop)).await.status(), 200);
    let body = within(second.into_body().collect()).await.unwrap().to_bytes();
    let mut reader = LedgerReader::default();
    reader.feed(&body).unwrap();
    assert_eq!(reader.finish().unwrap().rows.len(), 2_000, "those of its beginning");
}
