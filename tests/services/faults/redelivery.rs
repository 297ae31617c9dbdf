//! A consumer dies between the store's commit and its ack, so its decided attempts are redelivered.

use seckill::lab::Redis;
use seckill::store::Decided;

use crate::support::backend::Backend;
use crate::support::client::block_on;
use crate::support::deployment::fragile_broker;
use crate::support::id;
use crate::support::manual_server::ManualServer;

const ATTEMPTS: usize = 12;

/// Units on sale.
const STOCK: u32 = 5;

/// Attempts that are decided but not acked.
const COMMITTED: usize = 8;

async fn open(backend: Backend) -> ManualServer {
    let server = ManualServer::open(backend, STOCK).await;
    for number in 1..=ATTEMPTS {
        server.accept(&format!("buyer-{number}"), &id(number)).await;
    }
    server.confirmed().await;
    server
}

/// Decides the redelivered attempts, and compares the decisions.
async fn assert_decided_once(server: &mut ManualServer, first: &[std::sync::Arc<Decided>]) {
    let ledger = server.ledger("item=tea").await;
    let again = server.decide(ATTEMPTS, 3).await;
    assert_eq!(again[..first.len()], *first, "the same decisions");
    let rows = server.ledger("item=tea").await;
    assert_eq!(rows.len(), ATTEMPTS, "one row each: {rows:#?}");
    assert_eq!(rows[..first.len()], ledger[..first.len()]);
    let won = rows.iter().filter(|row| row.contains(" won ")).count();
    assert_eq!(won, STOCK as usize, "{rows:#?}");
    let sale = server.sale().await;
    assert_eq!((&sale["stock_left"], &sale["queued"]), (&0.into(), &0.into()), "{sale}");
}

#[tokio::test(flavor = "multi_thread")]
async fn redelivery_after_a_dropped_channel_is_decided_once() {
    let Some(backend) = Backend::real() else { return };
    let mut server = open(backend).await;
    let batch = server.next(COMMITTED).await;
    let (batch, first) = server.commit(batch).await;
    assert!(!first.is_empty());
    drop(batch);
    server.die();
    assert_decided_once(&mut server, &first).await;
}

#[test]
fn redelivery_after_a_killed_broker_is_decided_once() {
    let Some(_backend) = Backend::real() else { return };
    let mut broker = fragile_broker();
    let redis = Redis::start().unwrap();
    let backend = Backend::on(&broker, &redis);
    let (mut server, batch, first) = block_on(async {
        let mut server = open(backend).await;
        let batch = server.next(COMMITTED).await;
        let (batch, first) = server.commit(batch).await;
        (server, batch, first)
    });
    assert!(!first.is_empty());
    broker.service_mut().kill().unwrap();
    block_on(batch.ack());
    broker.service_mut().restart().unwrap();
    block_on(assert_decided_once(&mut server, &first));
}
