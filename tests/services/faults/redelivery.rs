//! A consumer dies between the store's commit and its ack, so its decided attempts are redelivered.

use seckill::lab::Redis;
use seckill::store::Decided;

use crate::support::client::block_on;
use crate::support::counter::Counter;
use crate::support::engines::Place;
use crate::support::id;
use crate::support::site::FRAGILE;

const ATTEMPTS: usize = 12;

/// Units on sale.
const STOCK: u32 = 5;

/// Attempts that are decided but not acked.
const COMMITTED: usize = 8;

async fn open(place: Place) -> Counter {
    let counter = Counter::open(place, STOCK).await;
    for number in 1..=ATTEMPTS {
        counter.accept(&format!("buyer-{number}"), &id(number)).await;
    }
    counter.confirmed().await;
    counter
}

/// Decides the redelivered attempts, and compares the decisions.
async fn assert_decided_once(counter: &mut Counter, first: &[std::sync::Arc<Decided>]) {
    let ledger = counter.ledger("item=tea").await;
    let again = counter.decide(ATTEMPTS, 3).await;
    assert_eq!(again[..first.len()], *first, "the same decisions");
    let rows = counter.ledger("item=tea").await;
    assert_eq!(rows.len(), ATTEMPTS, "one row each: {rows:#?}");
    assert_eq!(rows[..first.len()], ledger[..first.len()]);
    let won = rows.iter().filter(|row| row.contains(" won ")).count();
    assert_eq!(won, STOCK as usize, "{rows:#?}");
    let sale = counter.sale().await;
    assert_eq!((&sale["stock_left"], &sale["queued"]), (&0.into(), &0.into()), "{sale}");
}

#[tokio::test(flavor = "multi_thread")]
async fn redelivery_after_a_dropped_channel_is_decided_once() {
    let Some(place) = Place::real() else { return };
    let mut counter = open(place).await;
    let batch = counter.next(COMMITTED).await;
    let (batch, first) = counter.commit(batch).await;
    assert!(!first.is_empty());
    drop(batch);
    counter.die();
    assert_decided_once(&mut counter, &first).await;
}

#[test]
fn redelivery_after_a_killed_broker_is_decided_once() {
    let Some(_place) = Place::real() else { return };
    let mut broker = FRAGILE.lock().unwrap();
    let redis = Redis::start().unwrap();
    let place = Place::on(&broker, &redis);
    let (mut counter, batch, first) = block_on(async {
        let mut counter = open(place).await;
        let batch = counter.next(COMMITTED).await;
        let (batch, first) = counter.commit(batch).await;
        (counter, batch, first)
    });
    assert!(!first.is_empty());
    broker.service_mut().kill().unwrap();
    block_on(batch.ack());
    broker.service_mut().restart().unwrap();
    block_on(assert_decided_once(&mut counter, &first));
}
