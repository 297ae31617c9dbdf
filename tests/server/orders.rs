//! Orders that need a payment: paid, cancelled or expired, each of them once, and how that is
//! answered and shown.

use seckill::sale::Terms;
use seckill::server::App;
use serde_json::{Value, json};

use crate::support::{
    AttemptStatus, Reply, Setup, Shop, assert_refused, id, request, terms, within,
};

/// How long an order is held.
const HOLD_US: u64 = 60_000_000;

/// When the shop's clock begins.
const NOW_US: u64 = 1_000_000;

async fn shop(stock: u32) -> Shop {
    let sale = Terms { hold_us: Some(HOLD_US), ..terms("tea", stock) };
    Shop::open(Setup { sale: Some(sale), ..Setup::stock(0) }).await
}

async fn end(shop: &Shop, order_id: &str, word: &str, request_id: &str) -> Reply {
    let body = json!({"request_id": request_id}).to_string();
    let path = format!("/orders/{order_id}/{word}");
    shop.send(request("POST", &path).body(body.into()).unwrap()).await
}

async fn pay(shop: &Shop, number: usize, buyer: usize) -> Reply {
    end(shop, &format!("tea-1-{number}"), "pay", &id(buyer)).await
}

async fn cancel(shop: &Shop, number: usize, buyer: usize) -> Reply {
    end(shop, &format!("tea-1-{number}"), "cancel", &id(buyer)).await
}

/// Has attempts of these numbers decided; the buyer of each is `buyer-NUMBER`.
async fn buy(shop: &Shop, numbers: std::ops::RangeInclusive<usize>) {
    for number in numbers {
        shop.accept(&format!("buyer-{number}"), &id(number)).await;
    }
    shop.decide_all().await;
}

async fn sweep(app: &App) -> usize {
    within(app.store.expire_due(app.clock.now_us(), 100)).await.unwrap()
}

/// What the state of the sale counts: left, orders, held, paid.
async fn counts(shop: &Shop) -> [u64; 4] {
    let sale = shop.get("/result").await.json();
    ["stock_left", "orders", "held", "paid"].map(|key| sale[key].as_u64().unwrap())
}

#[track_caller]
fn assert_ended(reply: &Reply, status: &str, order_id: &str, request_id: &str) {
    let expected = json!({"status": status, "order_id": order_id, "request_id": request_id});
    assert_eq!((reply.code, reply.json()), (200, expected));
}

#[tokio::test]
async fn paid_order_stays_and_cancelled_one_comes_back() {
    let shop = shop(2).await;
    buy(&shop, 1..=3).await;
    assert_eq!(counts(&shop).await, [0, 2, 2, 0]);
    assert_refused(&shop.buy("buyer-4", &id(4)).await, 410, "sold_out");
    // Each may be repeated, and nothing else ends the order any more.
    for _ in 0..2 {
        assert_ended(&pay(&shop, 1, 1).await, "paid", "tea-1-1", &id(1));
        assert_refused(&cancel(&shop, 1, 1).await, 409, "paid");
        assert_ended(&cancel(&shop, 2, 2).await, "cancelled", "tea-1-2", &id(2));
        assert_refused(&pay(&shop, 2, 2).await, 409, "cancelled");
    }
    assert_eq!(counts(&shop).await, [1, 1, 0, 1]);
    shop.set_clock(NOW_US + 2 * HOLD_US);
    assert_eq!(sweep(&shop.app).await, 0, "nothing is held");
    // The unit is sold again, and the buyer who gave it back may have it.
    assert_refused(&shop.buy("buyer-1", &id(5)).await, 409, "already_bought");
    shop.accept("buyer-2", &id(6)).await;
    shop.decide_all().await;
    assert_eq!(shop.result(&id(6)).await.status_of(&id(6)), AttemptStatus::won("tea-1-3"));
    assert_eq!(shop.result(&id(3)).await.status_of(&id(3)), AttemptStatus::lost("sold_out"));
    assert_eq!(counts(&shop).await, [0, 2, 1, 1]);
}

#[tokio::test]
async fn id_of_an_order_may_be_escaped() {
    let shop = shop(1).await;
    buy(&shop, 1..=1).await;
    let paid = end(&shop, "tea%2D1%2d1", "pay", &id(1)).await;
    assert_ended(&paid, "paid", "tea-1-1", &id(1));
}

#[tokio::test]
async fn order_expires_at_its_deadline_and_a_late_payment_is_refused() {
    let shop = shop(3).await;
    buy(&shop, 1..=3).await;
    shop.set_clock(NOW_US + HOLD_US - 1);
    assert_eq!(sweep(&shop.app).await, 0);
    assert_ended(&pay(&shop, 1, 1).await, "paid", "tea-1-1", &id(1));
    shop.set_clock(NOW_US + HOLD_US);
    // Before the sweep: from then on no payment can be honoured, whatever a clock says.
    assert_refused(&pay(&shop, 2, 2).await, 409, "expired");
    shop.set_clock(NOW_US);
    assert_refused(&pay(&shop, 2, 2).await, 409, "expired");
    shop.set_clock(NOW_US + HOLD_US);
    assert_eq!(sweep(&shop.app).await, 1);
    assert_eq!(sweep(&shop.app).await, 0, "it expires once");
    for word in ["pay", "cancel"] {
        assert_refused(&end(&shop, "tea-1-3", word, &id(3)).await, 409, "expired");
    }
    assert_eq!(counts(&shop).await, [2, 1, 0, 1]);
    assert_eq!(shop.sale().await.left, 2);
}

#[tokio::test]
async fn only_who_knows_the_attempt_can_end_its_order() {
    let shop = shop(2).await;
    buy(&shop, 1..=2).await;
    // Ids of orders can be guessed.
    for word in ["pay", "cancel"] {
        for (order_id, request_id) in [("tea-1-1", id(2)), ("tea-1-9", id(1)), ("tea-1-1", id(9))] {
            assert_refused(&end(&shop, order_id, word, &request_id).await, 404, "unknown_order");
        }
        assert_refused(&end(&shop, "tea-1-1", word, "x").await, 400, "bad_request_id");
    }
    let request = |body: &str| {
        let request = request("POST", "/orders/tea-1-1/cancel");
        request.body(body.to_owned().into()).unwrap()
    };
    assert_refused(&shop.send(request("{}")).await, 400, "bad_body");
    let reply = shop.get("/orders/tea-1-1/pay").await;
    assert_refused(&reply, 405, "method_not_allowed");
    assert_eq!(reply.allow(), Some("POST"));
    for path in ["/orders/tea-1-1/refund", "/orders//pay", "/orders/a/b/pay", "/orders/pay"] {
        assert_refused(&shop.get(path).await, 404, "no_such_path");
    }
    assert_eq!(counts(&shop).await, [0, 2, 2, 0]);
}

#[tokio::test]
async fn order_of_an_undecided_or_lost_attempt_is_unknown() {
    let shop = shop(1).await;
    shop.accept("buyer-1", &id(1)).await;
    shop.accept("buyer-2", &id(2)).await;
    assert_refused(&pay(&shop, 1, 1).await, 404, "unknown_order");
    shop.decide_all().await;
    assert_refused(&pay(&shop, 1, 2).await, 404, "unknown_order");
    assert_ended(&pay(&shop, 1, 1).await, "paid", "tea-1-1", &id(1));
}

/// A shop with an order that is paid for, one that is cancelled, one that has expired, and one that
/// is held until now.
async fn shop_with_each_end() -> Shop {
    let shop = shop(4).await;
    buy(&shop, 1..=4).await;
    pay(&shop, 1, 1).await;
    cancel(&shop, 2, 2).await;
    shop.set_clock(NOW_US + HOLD_US);
    assert_refused(&pay(&shop, 3, 3).await, 409, "expired");
    shop
}

#[tokio::test]
async fn results_and_ledger_say_what_has_become_of_an_order() {
    let shop = shop_with_each_end().await;
    let (until_us, words) = (NOW_US + HOLD_US, ["paid", "cancelled", "expired", "held"]);
    for (number, word) in (1..).zip(words) {
        let result = shop.result(&id(number)).await.json();
        let order_id = format!("tea-1-{number}");
        let expected = json!({
            "status": "won", "request_id": id(number), "order_id": order_id,
            "order": word, "held_until_us": until_us,
        });
        assert_eq!(result, expected);
    }
    let sale = shop.get("/result").await.json();
    assert_eq!((&sale["hold_us"], &sale["status"]), (&json!(HOLD_US), &json!("open")));
    let ledger = shop.admin("GET", "/admin/ledger", "").await;
    let text = String::from_utf8(ledger.body).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["sale"]["hold_us"], json!(HOLD_US));
    assert_eq!(lines[0]["sale"]["stock_left"], json!(2));
    let ended_us = [json!(NOW_US), json!(NOW_US), json!(NOW_US + HOLD_US), Value::Null];
    for ((line, word), ended_us) in lines[1..=4].iter().zip(words).zip(ended_us) {
        assert_eq!((&line["status"], &line["order"]), (&json!("won"), &json!(word)));
        assert_eq!((&line["held_until_us"], &line["order_us"]), (&json!(until_us), &ended_us));
    }
}

#[tokio::test]
async fn sale_without_a_hold_has_no_orders_to_pay_for() {
    let shop = Shop::with_stock(1).await;
    buy(&shop, 1..=1).await;
    assert_refused(&pay(&shop, 1, 1).await, 404, "unknown_order");
    assert_refused(&cancel(&shop, 1, 1).await, 404, "unknown_order");
    let result = shop.result(&id(1)).await.json();
    let expected = json!({"status": "won", "request_id": id(1), "order_id": "tea-1-1"});
    assert_eq!(result, expected);
    let sale = shop.get("/result").await.json();
    for key in ["hold_us", "held", "paid"] {
        assert!(sale.get(key).is_none(), "{sale}");
    }
    let ledger = shop.admin("GET", "/admin/ledger", "").await;
    assert!(!String::from_utf8(ledger.body).unwrap().contains("hold"));
}

#[tokio::test]
async fn admin_opens_a_sale_with_or_without_a_hold() {
    let mut shop = Shop::with_stock(1).await;
    shop.app.hold_us = Some(HOLD_US);
    let open = async |hold: Value| {
        let body = json!({"item": "tea", "stock": 1, "hold": hold}).to_string();
        shop.admin("PUT", "/admin/sale", &body).await
    };
    for (hold, hold_us) in [
        (json!("15m"), json!(900_000_000)),
        (Value::Null, json!(HOLD_US)),
        (json!("0s"), Value::Null),
    ] {
        let reply = open(hold).await.json();
        assert_eq!((&reply["status"], &reply["hold_us"]), (&json!("opened"), &hold_us), "{reply}");
        assert_eq!(shop.get("/result").await.json()["hold_us"], hold_us);
    }
    for hold in ["15", "x", "999ns", "169h"] {
        assert_refused(&open(json!(hold)).await, 400, "bad_sale");
    }
}

#[tokio::test]
async fn ends_of_orders_survive_a_restart_and_a_crash() {
    let shop = shop_with_each_end().await;
    // One of the units that came back is sold again.
    shop.accept("buyer-5", &id(5)).await;
    shop.decide_all().await;
    let check = async |shop: &Shop| {
        // As the shop's clock begins anew, only the recorded times say that order 4 is overdue.
        shop.set_clock(NOW_US + HOLD_US);
        assert_eq!(counts(shop).await, [1, 3, 2, 1]);
        assert_ended(&pay(shop, 1, 1).await, "paid", "tea-1-1", &id(1));
        assert_ended(&cancel(shop, 2, 2).await, "cancelled", "tea-1-2", &id(2));
        assert_refused(&pay(shop, 3, 3).await, 409, "expired");
        assert_eq!(sweep(&shop.app).await, 1, "it is overdue");
        assert_eq!(counts(shop).await, [2, 2, 1, 1]);
        assert_ended(&pay(shop, 5, 5).await, "paid", "tea-1-5", &id(5));
        assert_eq!(counts(shop).await, [2, 2, 0, 2]);
    };
    check(&shop.after_crash()).await;
    let shop = shop.restart();
    check(&shop).await;
    let shop = shop.restart();
    assert_eq!(counts(&shop).await, [2, 2, 0, 2]);
}

#[tokio::test]
async fn payment_that_the_store_cannot_write_has_no_effect() {
    let shop = shop(2).await;
    buy(&shop, 1..=2).await;
    assert_ended(&pay(&shop, 1, 1).await, "paid", "tea-1-1", &id(1));
    shop.app.store.close().unwrap();
    for _ in 0..2 {
        assert_refused(&pay(&shop, 2, 2).await, 503, "store_unavailable");
        assert_refused(&cancel(&shop, 2, 2).await, 503, "store_unavailable");
    }
    assert_eq!(counts(&shop).await, [0, 2, 1, 1]);
    shop.set_clock(NOW_US + HOLD_US);
    let refused = within(shop.app.store.expire_due(NOW_US + HOLD_US, 9)).await;
    assert!(refused.is_err(), "{refused:?}");
    let shop = shop.restart();
    assert_eq!(counts(&shop).await, [0, 2, 1, 1]);
}

#[tokio::test]
async fn order_of_a_replaced_sale_can_still_be_ended() {
    let shop = shop(1).await;
    buy(&shop, 1..=1).await;
    shop.admin("PUT", "/admin/sale", r#"{"item":"tea","stock":5,"hold":"1m"}"#).await;
    assert_ended(&cancel(&shop, 1, 1).await, "cancelled", "tea-1-1", &id(1));
    assert_eq!(counts(&shop).await, [5, 0, 0, 0], "the unit is one of the replaced sale");
    let ledger = shop.admin("GET", "/admin/ledger?epoch=1", "").await;
    let text = String::from_utf8(ledger.body).unwrap();
    assert!(text.contains(r#""stock":1,"stock_left":1"#), "{text}");
}
