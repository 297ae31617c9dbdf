//! The waiting room: tickets before and after the opening, and attempts with and without them.

use std::time::Duration;

use http_body_util::Full;
use seckill::profile::WaitingRoomPlan;
use seckill::sale::Terms;
use seckill::secret::Secret;
use seckill::server::{AddressRateLimit, Peer, WaitingRoom};
use seckill::settings::RoomOrder;
use seckill::units::Rate;
use serde_json::{Value, json};

use crate::support::{Reply, Setup, Shop, assert_refused, id, post, request, terms};

pub(crate) const SECOND_US: u64 = 1_000_000;
pub(crate) const OPENS_US: u64 = 100 * SECOND_US;

pub(crate) fn plan(order: RoomOrder) -> WaitingRoomPlan {
    let rate = Some(Rate { per_second: 10 });
    WaitingRoomPlan { order, secret: None, rate, ticket_ttl: Duration::from_secs(60) }
}

pub(crate) fn room(plan: &WaitingRoomPlan) -> Option<WaitingRoom> {
    Some(WaitingRoom::new(plan, &Secret("a secret of all processes".into())))
}

/// A shop with a waiting room that admits ten tickets a second after [`OPENS_US`].
pub(crate) async fn shop(order: RoomOrder) -> Shop {
    shop_that_opens(OPENS_US, order).await
}

/// The same, with another moment of opening.
pub(crate) async fn shop_that_opens(opens_us: u64, order: RoomOrder) -> Shop {
    let sale = Some(Terms { opens_us: Some(opens_us), ..terms("tea", 1_000) });
    let mut shop = Shop::open(Setup { sale, ..Setup::stock(0) }).await;
    shop.app.waiting_room = room(&plan(order));
    shop
}

pub(crate) async fn take(shop: &Shop, uid: &str) -> Value {
    let body = json!({"uid": uid}).to_string();
    let reply = shop.send(request("POST", "/waiting-room/tickets").body(Full::from(body)).unwrap());
    let reply = reply.await;
    assert_eq!(reply.code, 200, "{}", reply.json());
    reply.json()
}

pub(crate) async fn ask(shop: &Shop, ticket: &Value) -> Reply {
    shop.get(&format!("/waiting-room/tickets/{}", ticket["ticket"].as_str().unwrap())).await
}

pub(crate) async fn look(shop: &Shop, ticket: &Value) -> Value {
    let reply = ask(shop, ticket).await;
    assert_eq!(reply.code, 200, "{}", reply.json());
    reply.json()
}

/// The number in a ticket.
pub(crate) fn number_of(ticket: &Value) -> u64 {
    let mut fields = ticket["ticket"].as_str().unwrap().split('~');
    fields.nth(3).unwrap().parse().unwrap()
}

pub(crate) async fn buy(shop: &Shop, uid: &str, number: usize, ticket: &Value) -> Reply {
    let body = json!({"uid": uid, "request_id": id(number)}).to_string();
    let mut request = post(body);
    let ticket = ticket["ticket"].as_str().unwrap().parse().unwrap();
    request.headers_mut().insert("waiting-room-ticket", ticket);
    shop.send(request).await
}

#[tokio::test]
async fn buyers_are_admitted_in_the_order_of_their_tickets() {
    let shop = shop(RoomOrder::FirstCome).await;
    let mut tickets = Vec::new();
    for number in 0..30 {
        tickets.push(take(&shop, &format!("ann-{number}")).await);
    }
    assert_eq!((&tickets[29]["status"], &tickets[29]["position"]), (&json!("waiting"), &json!(29)));
    assert_eq!(tickets[29]["eta_ms"], 102_000, "99 s until the opening, and three seconds");
    shop.set_clock(OPENS_US + SECOND_US);
    let late = take(&shop, "bob").await;
    assert_eq!(late["position"], 19, "eleven of thirty are admitted");
    for (number, ticket) in tickets.iter().enumerate() {
        let (state, uid) = (look(&shop, ticket).await, format!("ann-{number}"));
        let is_admitted = number < 11;
        assert_eq!(state["status"], if is_admitted { "admitted" } else { "waiting" });
        let reply = buy(&shop, &uid, number, &state).await;
        match is_admitted {
            true => assert_eq!(reply.code, 202),
            false => assert_refused(&reply, 429, "not_admitted"),
        }
    }
    shop.set_clock(OPENS_US + 3 * SECOND_US);
    let late = look(&shop, &late).await;
    assert_eq!(buy(&shop, "bob", 100, &late).await.code, 202);
}

#[tokio::test]
async fn attempt_needs_an_admitted_ticket_of_its_buyer_for_this_sale() {
    let shop = shop(RoomOrder::FirstCome).await;
    let taken = take(&shop, "ann").await;
    shop.set_clock(OPENS_US);
    assert_refused(&shop.buy("ann", &id(1)).await, 429, "not_admitted");
    assert_refused(&buy(&shop, "ann", 1, &taken).await, 429, "not_admitted");
    let escaped = json!({"ticket": taken["ticket"].as_str().unwrap().replace('~', "%7E")});
    let admitted = look(&shop, &escaped).await;
    assert_eq!(admitted["status"], "admitted");
    assert_refused(&buy(&shop, "bob", 1, &admitted).await, 429, "not_admitted");
    let forged = admitted["ticket"].as_str().unwrap().replace("~ann~", "~bob~");
    let forged = json!({"ticket": forged});
    assert_refused(&buy(&shop, "bob", 1, &forged).await, 429, "not_admitted");
    assert_eq!(ask(&shop, &forged).await.code, 404);
    assert_eq!(shop.result(&id(1)).await.code, 404, "no refusal has had an effect");

    assert_eq!(buy(&shop, "ann", 1, &admitted).await.code, 202);
    assert_eq!(shop.buy("ann", &id(1)).await.code, 202, "a known attempt needs no ticket");
    let expires_us = admitted["expires_us"].as_u64().unwrap();
    assert_eq!(expires_us, OPENS_US + 60 * SECOND_US);
    shop.set_clock(expires_us);
    assert_refused(&buy(&shop, "ann", 2, &admitted).await, 429, "not_admitted");
    assert_eq!(ask(&shop, &admitted).await.json()["reason"], "unknown_ticket");
}

#[tokio::test]
async fn ticket_that_waits_is_valid_for_as_long_as_its_buyer_asks_for_it() {
    let mut shop = shop(RoomOrder::FirstCome).await;
    shop.app.waiting_room =
        room(&WaitingRoomPlan { rate: Some(Rate { per_second: 1 }), ..plan(RoomOrder::FirstCome) });
    for number in 0..200 {
        take(&shop, &format!("ann-{number}")).await;
    }
    let (mut bob, cat) = (take(&shop, "bob").await, take(&shop, "cat").await);
    for seconds in [50, 100, 150] {
        shop.set_clock(OPENS_US + seconds * SECOND_US);
        bob = look(&shop, &bob).await;
        assert_eq!(bob["position"], 199 - seconds);
    }
    assert_eq!(ask(&shop, &cat).await.code, 404, "nobody has asked for it");
    shop.set_clock(OPENS_US + 200 * SECOND_US);
    assert_eq!(look(&shop, &bob).await["status"], "admitted");
}

#[tokio::test]
async fn order_is_drawn_and_not_told_before_the_opening() {
    let shop = shop(RoomOrder::Shuffled).await;
    let mut tickets = Vec::new();
    for number in 0..200 {
        tickets.push(take(&shop, &format!("ann-{number}")).await);
    }
    for ticket in &tickets {
        assert!(ticket.get("position").is_none(), "{ticket}");
        assert_eq!(ticket["eta_ms"], 99_100, "until the opening, and for the first place");
    }
    // A second ticket is the same one, so it is no second chance.
    let again = take(&shop, "ann-7").await;
    assert_eq!(number_of(&again), number_of(&tickets[7]));

    shop.set_clock(OPENS_US + 4 * SECOND_US);
    let late = take(&shop, "bob").await;
    assert_eq!(late["position"], 200 - 41, "who comes late is behind all others");
    let mut admitted = Vec::new();
    for (number, ticket) in tickets.iter().enumerate() {
        let state = look(&shop, ticket).await;
        if state["status"] == "admitted" {
            admitted.push(number);
        } else {
            assert!(state["position"].as_u64().unwrap() < 159, "{state}");
        }
    }
    // Places are drawn, so that two may be the same: about 41 of 200 are admitted.
    assert!((20..70).contains(&admitted.len()), "{admitted:?}");
    let first_half = admitted.iter().filter(|number| **number < 100).count();
    assert!(first_half > 0 && first_half < admitted.len(), "not in their order: {admitted:?}");
    shop.set_clock(OPENS_US + 20 * SECOND_US - SECOND_US / 10);
    for ticket in &tickets {
        assert_eq!(look(&shop, ticket).await["status"], "admitted", "the late one waits");
    }
    assert_eq!(look(&shop, &late).await["status"], "waiting");
}

#[tokio::test]
async fn another_process_and_a_restarted_one_answer_alike() {
    for order in [RoomOrder::FirstCome, RoomOrder::Shuffled] {
        let mut shop = shop(order).await;
        let mut tickets = Vec::new();
        for number in 0..50 {
            tickets.push(take(&shop, &format!("ann-{number}")).await);
        }
        shop.set_clock(OPENS_US + 2 * SECOND_US);
        let mut before = Vec::new();
        for ticket in &tickets {
            before.push(look(&shop, ticket).await);
        }
        // It has the secret, and knows nothing else.
        shop.app.waiting_room = room(&plan(order));
        for (number, state) in before.iter().enumerate() {
            if state["status"] == "admitted" {
                let uid = format!("ann-{number}");
                assert_eq!(buy(&shop, &uid, number, state).await.code, 202);
            }
        }
        for before in before {
            let now = look(&shop, &before).await;
            assert_eq!(
                (&now["status"], &now["position"]),
                (&before["status"], &before["position"])
            );
        }
        assert_eq!(take(&shop, "bob").await["position"], 50 - 21, "behind all of them");
    }
}

#[tokio::test]
async fn measured_pace_admits_more_as_long_as_there_is_no_overload() {
    let mut shop = shop(RoomOrder::FirstCome).await;
    shop.app.waiting_room = room(&WaitingRoomPlan { rate: None, ..plan(RoomOrder::FirstCome) });
    let first = take(&shop, "ann").await;
    for number in 0..600 {
        take(&shop, &format!("ann-{number}")).await;
    }
    let last = take(&shop, "bob").await;
    shop.set_clock(OPENS_US + SECOND_US / 100);
    assert_eq!(look(&shop, &first).await["status"], "admitted");
    assert_eq!(look(&shop, &last).await["status"], "waiting");
    for (seconds, status) in [(1, "waiting"), (2, "admitted")] {
        shop.set_clock(OPENS_US + seconds * SECOND_US);
        assert_eq!(look(&shop, &last).await["status"], status);
    }
}

#[tokio::test]
async fn tickets_are_refused_where_they_are_of_no_use() {
    let mut shop = shop(RoomOrder::FirstCome).await;
    let take_from = async |shop: &Shop, address: &str, body: &str| {
        let request = request("POST", "/waiting-room/tickets");
        let mut request = request.body(Full::from(body.to_owned())).unwrap();
        request.extensions_mut().insert(Peer(address.parse().unwrap()));
        shop.send(request).await
    };
    let ann = take(&shop, "ann").await;
    for (body, reason) in [
        ("[]", "bad_body"),
        (r#"{"uid":"a~b"}"#, "bad_uid"),
        (r#"{"uid":"a","item":"~"}"#, "bad_item"),
        (r#"{"uid":"a","item":"cup"}"#, "unknown_item"),
    ] {
        assert_eq!(take_from(&shop, "::1", body).await.json()["reason"], reason);
    }
    for ticket in ["", "x", "e~tea~1~0~9999999999~ann~", "%7e%00", &"~".repeat(4_000)] {
        let reply = shop.get(&format!("/waiting-room/tickets/{ticket}")).await;
        assert_eq!((reply.code, &reply.json()["reason"]), (404, &json!("unknown_ticket")));
    }
    assert_eq!(shop.get("/waiting-room/tickets").await.allow(), Some("POST"));
    let put = request("PUT", "/waiting-room/tickets/x").body(Full::default()).unwrap();
    assert_eq!(shop.send(put).await.allow(), Some("GET, HEAD"));

    shop.app.limits.address_rate = Some(AddressRateLimit::new(Rate { per_second: 1 }, vec![]));
    let mut number = 0;
    let limited = loop {
        let reply = take_from(&shop, "203.0.113.1", r#"{"uid":"a"}"#).await;
        assert!(number < 100, "no request was refused");
        number += 1;
        if reply.code != 200 {
            break reply;
        }
    };
    assert_refused(&limited, 429, "rate_limited");
    assert_eq!(take_from(&shop, "203.0.113.2", r#"{"uid":"a"}"#).await.code, 200);

    shop.app.limits.address_rate = None;
    let fresh = r#"{"item":"tea","stock":0}"#;
    assert_eq!(shop.admin("PUT", "/admin/sale", fresh).await.code, 200);
    assert_refused(&take_from(&shop, "::1", r#"{"uid":"a"}"#).await, 410, "sold_out");
    let fresh = r#"{"item":"tea","stock":1}"#;
    assert_eq!(shop.admin("PUT", "/admin/sale", fresh).await.code, 200);
    assert_eq!(ask(&shop, &ann).await.json()["reason"], "unknown_ticket", "of an earlier sale");
    shop.app.draining.begin();
    assert_refused(&take_from(&shop, "::1", r#"{"uid":"a"}"#).await, 503, "draining");
}

#[tokio::test]
async fn tickets_stay_valid_while_units_may_come_back() {
    let sale = Some(Terms { hold_us: Some(SECOND_US), ..terms("tea", 1) });
    let mut shop = Shop::open(Setup { sale, ..Setup::stock(0) }).await;
    shop.app.waiting_room = room(&plan(RoomOrder::FirstCome));
    let (ann, mut bob) = (take(&shop, "ann").await, take(&shop, "bob").await);
    shop.set_clock(2 * SECOND_US);
    let ann = look(&shop, &ann).await;
    assert_eq!(buy(&shop, "ann", 1, &ann).await.code, 202);
    shop.decide_all().await;
    assert_eq!(shop.get("/result").await.json()["status"], "sold_out");
    // Two minutes, longer than a ticket is valid that nobody asks for.
    for second in 0..120 {
        shop.set_clock((2 + second) * SECOND_US);
        bob = look(&shop, &bob).await;
        take(&shop, "carl").await;
    }
    let body = json!({"request_id": id(1)}).to_string();
    shop.set_clock(2 * SECOND_US);
    let pay = request("POST", "/orders/tea-1-1/pay").body(Full::from(body)).unwrap();
    assert_eq!(shop.send(pay).await.code, 200);
    assert_refused(&ask(&shop, &bob).await, 410, "sold_out");
}

#[tokio::test]
async fn server_without_a_waiting_room_has_no_tickets() {
    let shop = Shop::with_stock(1).await;
    for path in ["/waiting-room/tickets", "/waiting-room/tickets/x"] {
        assert_eq!(shop.get(path).await.json()["reason"], "no_such_path");
    }
    let ticket = json!({"ticket": "anything"});
    assert_eq!(buy(&shop, "ann", 1, &ticket).await.code, 202, "it is not looked at");
}
