//! All units are sold, each once, whichever buckets their buyers are in.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use seckill::api::OrderStatus;
use seckill::ids::OrderId;
use seckill::sale::{Ending, Terms};
use seckill::store::{OrderRef, RegisterScan, StoreError};

use super::{
    announce_all, buyers_of, count, decide, everywhere, ledger, left, look_up, new, words,
};
use crate::support::{self, id, terms, within};

#[tokio::test(flavor = "multi_thread")]
async fn no_unit_is_left_in_buckets_without_buyers() {
    everywhere(async |place| {
        let (store, mut client) = (place.open(3).await, place.client());
        within(store.open_sale(terms("tea", 10))).await.unwrap();
        assert_eq!(left(&store).await, (10, 0));
        let buyers = buyers_of(&store, &mut client, 1, 12).await;
        let attempts = announce_all(&store, &buyers, 1).await;
        let mut decided = Vec::new();
        for some in attempts.chunks(5) {
            decided.extend(decide(&store, some, 7).await);
        }
        assert_eq!((count(&decided, "won"), count(&decided, "lost sold_out")), (10, 2));
        assert_eq!(left(&store).await, (0, 10));
        let again = decide(&store, &attempts, 8).await;
        assert_eq!(again, decided, "decisions stay");
        let orders: HashSet<_> = decided.iter().map(|one| one.decision.to_string()).collect();
        assert_eq!(orders.len(), 11, "ids of orders are unique");
        assert_eq!(ledger(&store, 1).await, decided, "in the order of acceptance");
        // A buyer of another bucket is refused, too, with certainty.
        assert_eq!(look_up(&store, "zoe", 90, None).await.sale.unwrap().left, 0);
    })
    .await;
}

/// A queue with a lookup of its own announces nothing: ids are claimed with the decisions.
#[tokio::test(flavor = "multi_thread")]
async fn attempts_that_were_not_announced_lose_when_all_units_are_held() {
    everywhere(async |place| {
        let store = place.open(3).await;
        let held = Terms { hold_us: Some(60_000_000), ..terms("tea", 3) };
        within(store.open_sale(held)).await.unwrap();
        let attempt = |number| Arc::new(new(&format!("buyer-{number}"), number).at(number as u64));
        let attempts: Vec<_> = (1..=40).map(attempt).collect();
        let decided = decide(&store, &attempts, 7).await;
        assert_eq!((count(&decided, "won"), count(&decided, "lost sold_out")), (3, 37));
        assert_eq!(decide(&store, &attempts, 8).await, decided, "decisions stay");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_sell_each_unit_once() {
    const STOCK: usize = 60;
    const BUYERS: usize = 300;
    everywhere(async |place| {
        let stores = [Arc::new(place.open(7).await), Arc::new(place.open(7).await)];
        within(stores[0].open_sale(terms("tea", STOCK as u32))).await.unwrap();
        let mut deciding = tokio::task::JoinSet::new();
        for worker in 0..4 {
            let store = Arc::clone(&stores[worker % 2]);
            deciding.spawn(async move {
                let mine: Vec<_> = (0..BUYERS).filter(|number| number % 4 == worker).collect();
                let mut decided = Vec::new();
                for some in mine.chunks(1 + 3 * worker) {
                    let buyers: Vec<_> = some.iter().map(|n| format!("buyer-{n}")).collect();
                    let mut attempts = Vec::new();
                    for (buyer, number) in buyers.iter().zip(some) {
                        attempts.push(super::announce(&store, &new(buyer, 1 + number)).await);
                    }
                    decided.extend(decide(&store, &attempts, 7).await);
                }
                decided
            });
        }
        let decided: Vec<_> = deciding.join_all().await.concat();
        assert_eq!(count(&decided, "won"), STOCK);
        assert_eq!(count(&decided, "lost sold_out"), BUYERS - STOCK);
        assert_eq!(left(&stores[1]).await, (0, STOCK as u64));
        let rows = ledger(&stores[1], 1).await;
        assert_eq!((rows.len(), count(&rows, "won")), (BUYERS, STOCK));
        assert!(rows.is_sorted_by(|a, b| a.attempt.seq < b.attempt.seq));
        let orders: HashSet<_> = rows.iter().map(|row| row.decision.to_string()).collect();
        assert_eq!(orders.len(), STOCK + 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unit_that_comes_back_is_sold_in_any_bucket() {
    everywhere(async |place| {
        let (store, mut client) = (place.open(3).await, place.client());
        let sale = Terms { hold_us: Some(1_000), ..terms("tea", 2) };
        within(store.open_sale(sale)).await.unwrap();
        let here = buyers_of(&store, &mut client, 0, 3).await;
        let there = buyers_of(&store, &mut client, 2, 2).await;
        let first = announce_all(&store, &here, 1).await;
        let decided = decide(&store, &first, 10).await;
        assert_eq!(words(&decided), ["won", "won", "lost sold_out"]);
        let second = announce_all(&store, &there, 11).await;
        // One is paid for, the other one expires.
        let order = OrderRef {
            order_id: OrderId::from_text(decided[0].decision.to_string().replace("won ", "")),
            request_id: decided[0].attempt.request_id,
        };
        let paid = within(store.end_order(&order, Ending::Pay, 500)).await;
        assert_eq!(paid, Ok(Some(OrderStatus::Paid)));
        assert_eq!(within(store.expire_due(5_000, 10)).await, Ok(1));
        assert_eq!(left(&store).await, (1, 1));
        assert_eq!(words(&decide(&store, &second, 6_000).await), ["won", "lost sold_out"]);
        assert_eq!(left(&store).await, (0, 2));
        assert_eq!(within(store.sale(Some(&"tea".parse().unwrap()))).await.unwrap().paid, 1);
        assert_eq!(within(store.expire_due(9_000, 10)).await, Ok(1));
        let mut ledger = within(store.ledger(1)).await.unwrap();
        let mut rows = within(ledger.next()).await.unwrap();
        rows.sort_by_key(|row| row.attempt.request_id);
        let status = |row| ledger.order_of(row).map(|order| order.status);
        let statuses: Vec<_> = rows.iter().map(|row| status(row)).collect();
        let (paid, expired) = (Some(OrderStatus::Paid), Some(OrderStatus::Expired));
        assert_eq!(statuses, [paid, expired, None, expired, None]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limit_per_buyer_holds_where_units_are_fetched() {
    everywhere(async |place| {
        let (store, mut client) = (place.open(3).await, place.client());
        within(store.open_sale(Terms { per_buyer: 2, ..terms("tea", 5) })).await.unwrap();
        let buyer = &buyers_of(&store, &mut client, 1, 1).await[0];
        let all: Vec<_> = std::iter::repeat_n(buyer.clone(), 4).collect();
        let attempts = announce_all(&store, &all, 1).await;
        let expected = ["won", "won", "lost already_bought", "lost already_bought"];
        assert_eq!(words(&decide(&store, &attempts, 7).await), expected);
        assert_eq!(left(&store).await, (3, 2));
        let found = look_up(&store, buyer, 9, Some(9)).await;
        assert!(found.at_limit && found.announced.is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn register_is_that_of_all_buckets() {
    everywhere(async |place| {
        let store = place.open(5).await;
        within(store.open_sale(terms("tea", 9))).await.unwrap();
        let buyers: Vec<_> = (0..20).map(|number| format!("buyer-{number}")).collect();
        let attempts = announce_all(&store, &buyers, 1).await;
        let item = "tea".parse().unwrap();
        assert_eq!(within(store.waiting_count(&item)).await, Ok(20));
        assert_eq!(within(store.waiting(1)).await.unwrap().len(), 20);
        let backlog = within(store.backlog(&item)).await.unwrap();
        assert_eq!((backlog.of_item, backlog.all, backlog.decided), (20, 20, 0));
        let last = attempts.iter().max_by_key(|attempt| attempt.seq).unwrap();
        assert_eq!(within(store.position(last)).await, Ok((Some(19), 0)));
        assert_eq!(within(store.unconfirmed(u64::MAX >> 1)).await.unwrap().len(), 20);
        within(store.confirm(&attempts)).await.unwrap();
        assert_eq!(within(store.unconfirmed(u64::MAX >> 1)).await, Ok(Vec::new()));
        let mut scan = RegisterScan::default();
        assert_eq!(within(store.overdue(&mut scan, u64::MAX)).await.unwrap().len(), 20);
        decide(&store, &attempts[..8], 7).await;
        assert_eq!(within(store.waiting_count(&item)).await, Ok(12));
        assert_eq!(within(store.check()).await, Ok(()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sale_is_replaced_in_all_buckets() {
    everywhere(async |place| {
        let store = place.open(3).await;
        let unknown = within(store.sale(None)).await;
        assert_eq!(unknown, Err(StoreError::UnknownItem));
        let opened = within(store.open_or_resume(terms("tea", 4))).await.unwrap();
        assert_eq!((opened.epoch, opened.left), (1, 4));
        let buyers: Vec<_> = (0..9).map(|number| format!("buyer-{number}")).collect();
        let attempts = announce_all(&store, &buyers, 1).await;
        decide(&store, &attempts[..3], 7).await;
        let resumed = within(store.open_or_resume(terms("tea", 8))).await.unwrap();
        assert_eq!((resumed.epoch, resumed.left, resumed.orders), (1, 1, 3));
        let fresh = within(store.open_sale(terms("tea", 8))).await.unwrap();
        assert_eq!((fresh.epoch, fresh.left, fresh.orders), (2, 8, 0));
        let late = decide(&store, &attempts[3..], 8).await;
        assert_eq!(count(&late, "lost sale_replaced"), 6);
        let mut again = Vec::new();
        for (at, buyer) in buyers.iter().enumerate() {
            let new = support::attempt(buyer, "tea", &id(100 + at));
            again.push(
                super::announce(&store, &seckill::sale::NewAttempt { epoch: 2, ..new }).await,
            );
        }
        assert_eq!(count(&decide(&store, &again, 9).await, "won"), 8);
        assert_eq!((ledger(&store, 1).await.len(), ledger(&store, 2).await.len()), (9, 9));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_number_of_buckets_is_refused_with_the_cure() {
    everywhere(async |place| {
        let store = place.open(3).await;
        within(store.open_sale(terms("tea", 4))).await.unwrap();
        for other in [1, 2, 64] {
            let problem = place.try_open(other).await.unwrap_err().to_string();
            assert!(problem.contains("its sales are in 3 stock buckets"), "{problem}");
            assert!(problem.contains("give --stock-buckets 3, or use"), "{problem}");
        }
        assert_eq!(left(&place.open(3).await).await, (4, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_adds_up_at_every_moment_while_units_come_back() {
    const STOCK: u32 = 10;
    everywhere(async |place| {
        let store = Arc::new(place.open(5).await);
        let sale = Terms { hold_us: Some(300), ..terms("tea", STOCK) };
        within(store.open_sale(sale)).await.unwrap();
        let now_us = Arc::new(AtomicU64::new(1));
        let mut deciding = tokio::task::JoinSet::new();
        for worker in 0..3 {
            let (store, now_us) = (Arc::clone(&store), Arc::clone(&now_us));
            deciding.spawn(async move {
                let mut decided = Vec::new();
                for number in (0..120).map(|number| 3 * number + worker) {
                    let attempt =
                        super::announce(&store, &new(&format!("buyer-{number}"), 1 + number)).await;
                    let now_us = now_us.fetch_add(10, Ordering::Relaxed);
                    decided.extend(decide(&store, &[attempt], now_us).await);
                }
                decided
            });
        }
        let mut decided = Vec::new();
        while !deciding.is_empty() {
            within(store.expire_due(now_us.load(Ordering::Relaxed), 3)).await.unwrap();
            let (left, orders) = left(&store).await;
            assert!((0..=i64::from(STOCK)).contains(&left), "{left} left");
            assert_eq!(left + orders as i64, i64::from(STOCK));
            while let Some(some) = deciding.try_join_next() {
                decided.extend(some.unwrap());
            }
        }
        let won = count(&decided, "won");
        assert!(won > 2 * STOCK as usize, "{won} orders");
        assert_eq!(won + count(&decided, "lost sold_out"), 360);
        while within(store.expire_due(u64::MAX >> 12, 100)).await.unwrap() > 0 {}
        assert_eq!(left(&store).await, (i64::from(STOCK), 0), "all have come back");
        let last: Vec<_> = (0..12).map(|number| format!("late-{number}")).collect();
        let attempts = announce_all(&store, &last, 1_000).await;
        assert_eq!(count(&decide(&store, &attempts, 1 << 40).await, "won"), STOCK as usize);
    })
    .await;
}
