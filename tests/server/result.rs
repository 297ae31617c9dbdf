//! `GET /result` and `GET /result/{request_id}`, without a socket.

use std::pin::pin;

use seckill::sale::Terms;
use serde_json::json;

use crate::support::{AttemptStatus, Setup, Shop, assert_refused, id, is_waiting, terms, within};

#[tokio::test]
async fn attempt_is_queued_until_its_decision_is_committed() {
    let shop = Shop::with_stock(1).await;
    shop.accept("ann", &id(1)).await;
    shop.accept("bob", &id(2)).await;
    let batch = shop.next(9).await;
    let reply = shop.result(&id(1)).await;
    assert_eq!(
        (reply.code, reply.status_of(&id(1))),
        (200, AttemptStatus::Queued),
        "delivered but undecided"
    );
    shop.settle(batch).await;
    assert_eq!(shop.result(&id(1)).await.status_of(&id(1)), AttemptStatus::won("tea-1-1"));
    assert_eq!(shop.result(&id(2)).await.status_of(&id(2)), AttemptStatus::lost("sold_out"));
}

#[tokio::test]
async fn unknown_and_malformed_ids_are_rejected() {
    let shop = Shop::with_stock(1).await;
    assert_refused(&shop.result(&id(1)).await, 404, "unknown_request");
    // There is no long poll for an attempt that was never accepted.
    assert_refused(&shop.result(&format!("{}?wait=30s", id(1))).await, 404, "unknown_request");
    let twice = format!("/result/{}", id(1));
    for bad in ["42", "", "tea", "%00", "../result", &twice] {
        assert_refused(&shop.result(bad).await, 400, "bad_request_id");
    }
    shop.accept("ann", &id(1)).await;
    for bad in ["", "5", "-1s", "soon", "1e3s", "5%zz"] {
        let path = format!("{}?wait={bad}", id(1));
        assert_refused(&shop.result(&path).await, 400, "bad_wait");
    }
}

#[tokio::test]
async fn long_poll_timeout_answers_queued() {
    let shop = Shop::with_stock(1).await;
    shop.accept("ann", &id(1)).await;
    for wait in ["0s", "1ms", "20ms", "%31ms"] {
        let reply = shop.result(&format!("{}?other=1&wait={wait}", id(1))).await;
        assert_eq!((reply.code, reply.status_of(&id(1))), (200, AttemptStatus::Queued), "{wait}");
    }
}

#[tokio::test]
async fn long_poll_answers_with_the_decision() {
    let shop = Shop::with_stock(1).await;
    shop.accept("ann", &id(1)).await;
    shop.accept("bob", &id(2)).await;
    for wait in ["30s", "1h"] {
        let path = format!("{}?wait={wait}", id(if wait == "30s" { 1 } else { 2 }));
        let mut waiting = pin!(shop.result(&path));
        assert!(is_waiting(waiting.as_mut()).await);
        shop.decide(1).await;
        let reply = within(waiting).await;
        assert_eq!(reply.code, 200);
        assert_ne!(reply.json()["status"], "queued", "{wait}");
    }
}

#[tokio::test]
async fn long_poll_stays_pending_on_another_decision() {
    let shop = Shop::with_stock(2).await;
    shop.accept("ann", &id(1)).await;
    shop.accept("bob", &id(2)).await;
    let path = format!("{}?wait=30s", id(2));
    let mut waiting = pin!(shop.result(&path));
    assert!(is_waiting(waiting.as_mut()).await);
    shop.decide(1).await;
    assert!(is_waiting(waiting.as_mut()).await);
    shop.decide(1).await;
    assert_eq!(within(waiting).await.status_of(&id(2)), AttemptStatus::won("tea-1-2"));
}

#[tokio::test]
async fn shutdown_ends_long_polls() {
    let shop = Shop::with_stock(1).await;
    shop.accept("ann", &id(1)).await;
    let path = format!("{}?wait=30s", id(1));
    let mut waiting = pin!(shop.result(&path));
    assert!(is_waiting(waiting.as_mut()).await);
    shop.app.draining.begin();
    assert_eq!(within(waiting).await.status_of(&id(1)), AttemptStatus::Queued);
    let reply = within(shop.result(&path)).await;
    assert_eq!(reply.status_of(&id(1)), AttemptStatus::Queued, "later long polls end too");
}

#[tokio::test]
async fn sale_figures_add_up_at_every_step() {
    let shop = Shop::with_stock(2).await;
    let status = |status: &str, left: u32, queued: u32, finished: bool| {
        json!({
            "status": status, "item": "tea", "epoch": 1, "stock": 2, "stock_left": left,
            "orders": 2 - left, "queued": queued, "finished": finished, "per_buyer": 1,
        })
    };
    assert_eq!(shop.get("/result").await.json(), status("open", 2, 0, false));
    for (uid, number) in [("ann", 1), ("bob", 2), ("cat", 3)] {
        shop.accept(uid, &id(number)).await;
    }
    assert_eq!(shop.get("/result").await.json(), status("open", 2, 3, false));
    shop.decide(1).await;
    assert_eq!(shop.get("/result?item=tea").await.json(), status("open", 1, 2, false));
    shop.decide(1).await;
    assert_eq!(shop.get("/result").await.json(), status("sold_out", 0, 1, false));
    let held = shop.next(1).await;
    assert_eq!(shop.get("/result").await.json(), status("sold_out", 0, 1, false));
    shop.settle(held).await;
    assert_eq!(shop.get("/result").await.json(), status("sold_out", 0, 0, true));
}

#[tokio::test]
async fn sale_status_shows_its_phase() {
    let sale = Terms { opens_us: Some(100), closes_us: Some(200), ..terms("tea", 1) };
    let shop = Shop::open(Setup { sale: Some(sale), ..Setup::stock(0) }).await;
    for (now_us, expected) in [(99, "not_open"), (100, "open"), (200, "closed")] {
        shop.set_clock(now_us);
        let sale = shop.get("/result").await.json();
        assert_eq!(sale["status"], expected);
        assert_eq!((&sale["opens_us"], &sale["closes_us"]), (&json!(100), &json!(200)));
    }
}

#[tokio::test]
async fn each_item_has_its_own_figures() {
    let shop = Shop::with_stock(1).await;
    within(shop.app.store.open_sale(terms("cup", 7))).await.unwrap();
    let tea = json!({"uid": "ann", "request_id": id(1), "item": "tea"});
    assert_eq!(shop.post(tea).await.code, 202);
    assert_refused(&shop.get("/result").await, 400, "item_required");
    assert_refused(&shop.get("/result?item=pot").await, 404, "unknown_item");
    assert_refused(&shop.get("/result?item=").await, 400, "bad_item");
    let queued = |reply: crate::support::Reply| reply.json()["queued"].clone();
    assert_eq!(queued(shop.get("/result?item=tea").await), 1);
    assert_eq!(queued(shop.get("/result?item=cup").await), 0);
    shop.decide_all().await;
    assert_eq!(shop.get("/result?item=tea").await.json()["finished"], true);
    assert_eq!(shop.get("/result?item=cup").await.json()["stock_left"], 7);
}
