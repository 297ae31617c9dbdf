//! What a store in a Redis Cluster answers when its replicas do not confirm, and while its slot is
//! moved.

use seckill::flaws::Flaws;
use seckill::lab::{RedisCluster, Service};
use seckill::store::{Announced, ROUTING_KEY, RedisOptions, Store, StoreError};

use crate::support::skip::installed;
use crate::support::{attempt, id, terms, within};

async fn open(url: &str) -> Store {
    let redis = RedisOptions { url: url.parse().unwrap(), buckets: 1, flaws: Flaws::default() };
    within(Store::connect(&redis)).await.unwrap()
}

async fn announce(store: &Store, number: usize) -> Result<Announced, StoreError> {
    within(store.announce(&attempt("ann", "tea", &id(number)))).await
}

/// Whether the store knows an attempt.
async fn knows(store: &Store, number: usize) -> Result<bool, StoreError> {
    let known = within(store.known(&id(number).parse().unwrap())).await;
    known.map(|known| known.is_some())
}

/// Waits until the store answers again.
async fn back(store: &Store) {
    within(async {
        while store.check().await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Runs a command about the cluster on one node.
fn command<T: redis::FromRedisValue>(node: &Service, words: &[&str]) -> T {
    let client = redis::Client::open(format!("redis://127.0.0.1:{}", node.ports()[0])).unwrap();
    let mut connection = client.get_connection().unwrap();
    redis::cmd("CLUSTER").arg(words).query(&mut connection).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_replicas_have_not_confirmed_is_neither_answered_nor_shown() {
    if !installed(&["redis-server"]) {
        return;
    }
    let mut cluster = RedisCluster::start(2).unwrap();
    let (store, other) = (open(&cluster.url()).await, open(&cluster.url()).await);
    within(store.open_sale(terms("tea", 9))).await.unwrap();
    assert!(matches!(announce(&store, 1).await, Ok(Announced::Fresh(_))));
    assert_eq!(knows(&other, 1).await, Ok(true));
    let replicas = cluster.replicas_of(ROUTING_KEY);
    // One of the two is enough to take over, and so to lose what it does not have.
    cluster.node_mut(replicas[0]).suspend().unwrap();
    assert_eq!(announce(&store, 2).await, Err(StoreError::Unknown));
    assert_eq!(announce(&store, 3).await, Err(StoreError::Unavailable), "at once");
    assert_eq!(knows(&other, 2).await, Err(StoreError::Unavailable));
    cluster.node_mut(replicas[0]).resume().unwrap();
    back(&store).await;
    back(&other).await;
    assert_eq!(knows(&other, 2).await, knows(&store, 2).await);
    assert_eq!(knows(&other, 3).await, Ok(false), "it had no effect");
    assert!(announce(&store, 3).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_script_runs_while_its_slot_is_moved() {
    if !installed(&["redis-server"]) {
        return;
    }
    let cluster = RedisCluster::start(2).unwrap();
    let store = open(&cluster.url()).await;
    within(store.open_sale(terms("tea", 9))).await.unwrap();
    let owner = cluster.serving(ROUTING_KEY).unwrap();
    let replicas = cluster.replicas_of(ROUTING_KEY);
    let other = (0..cluster.nodes().len()).find(|at| *at != owner && !replicas.contains(at));
    let owner = &cluster.nodes()[owner];
    let slot: u16 = command(owner, &["KEYSLOT", ROUTING_KEY]);
    let to: String = command(&cluster.nodes()[other.unwrap()], &["MYID"]);
    let () = command(owner, &["SETSLOT", &slot.to_string(), "MIGRATING", &to]);
    assert!(announce(&store, 1).await.is_err());
    assert_eq!(announce(&store, 1).await, Err(StoreError::Unavailable));
    let () = command(owner, &["SETSLOT", &slot.to_string(), "STABLE"]);
    back(&store).await;
    assert_eq!(knows(&store, 1).await, Ok(false), "it had no effect");
    assert!(announce(&store, 1).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn store_comes_back_with_all_it_answered_by_nodes_that_it_was_not_given() {
    /// Attempts before the failure.
    const ANSWERED: usize = 200;
    if !installed(&["redis-server"]) {
        return;
    }
    let mut cluster = RedisCluster::start(2).unwrap();
    let primary = cluster.serving(ROUTING_KEY).unwrap();
    let port = cluster.nodes()[primary].ports()[0];
    let store = open(&format!("redis+cluster://127.0.0.1:{port}")).await;
    within(store.open_sale(terms("tea", 9))).await.unwrap();
    for number in 1..=ANSWERED {
        assert!(announce(&store, number).await.is_ok());
    }
    cluster.node_mut(primary).kill().unwrap();
    assert!(announce(&store, ANSWERED + 1).await.is_err());
    back(&store).await;
    for number in 1..=ANSWERED {
        assert_eq!(knows(&store, number).await, Ok(true), "attempt {number} was answered");
    }
}
