//! How long tickets of the waiting room are valid, for which sale, and what limits looking at them.

use std::time::Duration;

use http_body_util::Full;
use seckill::profile::WaitingRoomPlan;
use seckill::server::{AddressRateLimit, Peer};
use seckill::settings::RoomOrder;
use seckill::units::Rate;
use serde_json::{Value, json};

use crate::support::{Shop, assert_refused, request};
use crate::waiting_room::{
    OPENS_US, SECOND_US, ask, buy, look, number_of, plan, room, shop, shop_that_opens, take,
};

/// The time after the opening.
fn open_for(seconds: u64) -> u64 {
    OPENS_US + seconds * SECOND_US
}

/// A ticket that waits for no other reason than its place.
fn assert_waits(ticket: &Value, position: u64) {
    assert_eq!((&ticket["status"], &ticket["position"]), (&json!("waiting"), &json!(position)));
}

#[tokio::test]
async fn ticket_is_valid_for_all_of_its_time() {
    let mut shop = shop(RoomOrder::FirstCome).await;
    let ticket_ttl = Duration::from_millis(1_500);
    shop.app.waiting_room = room(&WaitingRoomPlan { ticket_ttl, ..plan(RoomOrder::FirstCome) });
    let ttl_us = ticket_ttl.as_micros() as u64;
    for (index, late_us) in [0, 1, 499_999, 500_000, 500_001, 999_999].into_iter().enumerate() {
        let taken_us = open_for(10 * (1 + index as u64)) + late_us;
        shop.set_clock(taken_us - SECOND_US);
        let first = take(&shop, &format!("ann-{late_us}")).await;
        shop.set_clock(taken_us);
        let first = look(&shop, &first).await;
        let waits = take(&shop, &format!("bob-{late_us}")).await;
        assert_eq!([&first["status"], &waits["status"]], ["admitted", "waiting"]);
        for ticket in [&first, &waits] {
            let valid_us = ticket["expires_us"].as_u64().unwrap() - taken_us;
            assert!((ttl_us..ttl_us + SECOND_US).contains(&valid_us), "{valid_us}");
        }
        shop.set_clock(taken_us + ttl_us - 1);
        let uid = format!("ann-{late_us}");
        assert_eq!(buy(&shop, &uid, index, &first).await.code, 202);
        assert_eq!(look(&shop, &waits).await["status"], "admitted");
    }
}

#[tokio::test]
async fn buyer_who_comes_after_its_ticket_has_expired_is_at_the_end_of_the_line() {
    // The slower one has not admitted the tickets by the time at which they expire.
    for per_second in [10, 1] {
        let mut shop = shop(RoomOrder::FirstCome).await;
        let rate = Some(Rate { per_second });
        let slow = WaitingRoomPlan { rate, ..plan(RoomOrder::FirstCome) };
        shop.app.waiting_room = room(&slow);
        let mut tickets = Vec::new();
        for number in 0..100 {
            tickets.push(take(&shop, &format!("ann-{number}")).await);
        }
        shop.set_clock(open_for(60) - 1);
        let kept = take(&shop, "ann-90").await;
        assert_eq!(number_of(&kept), 90, "it is valid until the next microsecond");
        shop.set_clock(open_for(60));
        assert_eq!(ask(&shop, &tickets[0]).await.code, 404);
        let taken = take(&shop, "ann-0").await;
        assert_eq!(taken["status"], "waiting", "{taken}");
        assert!(number_of(&taken) >= 100, "{taken}");
        assert_eq!(number_of(&take(&shop, "ann-90").await), 90);
    }
}

#[tokio::test]
async fn admitted_buyer_who_asks_again_gets_no_more_time() {
    let shop = shop(RoomOrder::FirstCome).await;
    take(&shop, "ann").await;
    shop.set_clock(OPENS_US);
    let admitted = take(&shop, "ann").await;
    shop.set_clock(open_for(30));
    let again = take(&shop, "ann").await;
    assert_eq!(again["status"], "admitted");
    assert_eq!(again["expires_us"], admitted["expires_us"]);
    shop.set_clock(open_for(60));
    assert_waits(&take(&shop, "ann").await, 0);
}

#[tokio::test]
async fn ticket_that_its_buyer_has_looked_at_is_the_one_that_is_given_again() {
    let mut shop = shop(RoomOrder::FirstCome).await;
    for number in 0..30 {
        take(&shop, &format!("ann-{number}")).await;
    }
    let bob = take(&shop, "bob").await;
    // Another process, or a restarted one.
    shop.app.waiting_room = room(&plan(RoomOrder::FirstCome));
    look(&shop, &bob).await;
    assert_waits(&take(&shop, "bob").await, 30);
}

#[tokio::test]
async fn neither_tickets_nor_the_draw_are_those_of_another_sale_with_the_same_secret() {
    let rehearsal = shop(RoomOrder::Shuffled).await;
    let sale = shop_that_opens(open_for(1), RoomOrder::Shuffled).await;
    let mut drawn = Vec::new();
    for (own, other, opens_us) in [(&rehearsal, &sale, OPENS_US), (&sale, &rehearsal, open_for(1))]
    {
        let mut tickets = Vec::new();
        for number in 0..100 {
            tickets.push(take(own, &format!("ann-{number}")).await);
        }
        own.set_clock(opens_us);
        other.set_clock(open_for(1));
        let mut positions = Vec::new();
        for (number, ticket) in tickets.iter().enumerate() {
            assert_eq!(ask(other, ticket).await.json()["reason"], "unknown_ticket");
            let state = look(own, ticket).await;
            positions.push(state["position"].as_u64());
            if state["status"] == "admitted" {
                let uid = format!("ann-{number}");
                assert_refused(&buy(other, &uid, number, &state).await, 429, "not_admitted");
                assert_eq!(buy(own, &uid, number, &state).await.code, 202);
            }
        }
        drawn.push(positions);
    }
    assert_ne!(drawn[0], drawn[1]);
}

#[tokio::test]
async fn restarted_server_learns_from_one_ticket_how_far_the_line_had_come() {
    let measured = WaitingRoomPlan { rate: None, ..plan(RoomOrder::FirstCome) };
    let mut shop = shop(RoomOrder::FirstCome).await;
    shop.app.waiting_room = room(&measured);
    for number in 0..2_000 {
        take(&shop, &format!("ann-{number}")).await;
    }
    let mut bob = take(&shop, "bob").await;
    shop.set_clock(OPENS_US);
    take(&shop, "cat").await;
    for seconds in 1..=3 {
        shop.set_clock(open_for(seconds));
        bob = look(&shop, &bob).await;
    }
    assert_waits(&bob, 500);
    let mut restarted = async || {
        shop.app.waiting_room = room(&measured);
        assert_waits(&look(&shop, &bob).await, 500);
        // Behind the one that was taken after the opening.
        assert_waits(&take(&shop, "dan").await, 502);
    };
    restarted().await;
    restarted().await;
    shop.set_clock(open_for(4));
    assert_waits(&look(&shop, &bob).await, 0);
    shop.set_clock(open_for(5));
    assert_eq!(look(&shop, &bob).await["status"], "admitted");
}

#[tokio::test]
async fn restarted_server_learns_from_one_ticket_how_many_draw_and_how_many_came_late() {
    let mut shop = shop(RoomOrder::Shuffled).await;
    let mut tickets = Vec::new();
    for number in 0..100 {
        tickets.push(take(&shop, &format!("ann-{number}")).await);
    }
    shop.set_clock(open_for(1));
    let first_late = take(&shop, "bob").await;
    take(&shop, "cat").await;
    let first_late = look(&shop, &first_late).await;
    let mut before = Vec::new();
    for ticket in &tickets {
        before.push(look(&shop, ticket).await);
    }
    let waiting = before.iter().find(|state| state["status"] == "waiting").unwrap();
    shop.app.waiting_room = room(&plan(RoomOrder::Shuffled));
    look(&shop, waiting).await;
    for state in &before {
        assert_eq!(look(&shop, state).await["position"], state["position"]);
    }
    look(&shop, &first_late).await;
    assert_eq!(number_of(&take(&shop, "dan").await), 102, "behind the two that came late");
}

#[tokio::test]
async fn looking_at_tickets_counts_towards_the_limit_of_an_address() {
    let mut shop = shop(RoomOrder::FirstCome).await;
    let ticket = take(&shop, "ann").await;
    shop.app.limits.address_rate = Some(AddressRateLimit::new(Rate { per_second: 1 }, vec![]));
    let look_from = async |shop: &Shop, address: &str, ticket: &str| {
        let request = request("GET", &format!("/waiting-room/tickets/{ticket}"));
        let mut request = request.body(Full::default()).unwrap();
        request.extensions_mut().insert(Peer(address.parse().unwrap()));
        shop.send(request).await
    };
    let ticket = ticket["ticket"].as_str().unwrap();
    let mut refused = None;
    for number in 0..100 {
        // Also those that are no tickets.
        let shown = if number % 2 == 0 { ticket } else { "none" };
        let reply = look_from(&shop, "203.0.113.1", shown).await;
        if reply.code == 429 {
            refused = Some(reply);
            break;
        }
    }
    assert_refused(&refused.expect("no request was refused"), 429, "rate_limited");
    assert_eq!(look_from(&shop, "203.0.113.2", ticket).await.code, 200);
}
