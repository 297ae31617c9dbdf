//! A store whose stock is spread over several buckets, on a Redis and on a Redis Cluster.

mod crashes;
mod faults;
mod ids;
mod selling;
mod slots;

use std::sync::Arc;

use seckill::flaws::Flaws;
use seckill::lab::{Redis, RedisCluster};
use seckill::sale::{Attempt, NewAttempt};
use seckill::store::{Announced, Decided, Lookup, RedisError, RedisOptions, Store};

use crate::support::skip::installed;
use crate::support::{self, id, within};

/// Where stores are opened.
enum Place {
    Single(Box<Redis>),
    Cluster(RedisCluster),
}

impl Place {
    fn url(&self) -> String {
        match self {
            Self::Single(redis) => redis.url(),
            Self::Cluster(cluster) => cluster.url(),
        }
    }

    async fn try_open(&self, buckets: usize) -> Result<Store, RedisError> {
        let url = self.url().parse().unwrap();
        within(Store::connect(&RedisOptions { url, buckets, flaws: Flaws::default() })).await
    }

    /// A store, as soon as all nodes answer in time: a busy machine starts them late.
    async fn open(&self, buckets: usize) -> Store {
        within(async {
            loop {
                match self.try_open(buckets).await {
                    Err(RedisError::Server { .. }) => tokio::task::yield_now().await,
                    opened => return opened.unwrap(),
                }
            }
        })
        .await
    }

    /// A client of the place.
    fn client(&self) -> Client {
        match self {
            Self::Single(redis) => {
                Client::Single(redis::Client::open(redis.url()).unwrap().get_connection().unwrap())
            }
            Self::Cluster(cluster) => {
                let url = cluster.url().replace("redis+cluster://", "");
                let nodes: Vec<_> = url.split(',').map(|node| format!("redis://{node}")).collect();
                let client = redis::cluster::ClusterClient::new(nodes).unwrap();
                Client::Cluster(Box::new(client.get_connection().unwrap()))
            }
        }
    }
}

/// A client that finds and changes what the store has written.
enum Client {
    Single(redis::Connection),
    Cluster(Box<redis::cluster::ClusterConnection>),
}

impl Client {
    fn ask<T: redis::FromRedisValue>(&mut self, words: &[&str]) -> T {
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        match self {
            Self::Single(connection) => command.query(connection).unwrap(),
            Self::Cluster(connection) => command.query(&mut **connection).unwrap(),
        }
    }

    /// The bucket that has claimed an id, by the prefixes of the buckets.
    fn owner(&mut self, prefixes: &[String], id: &str) -> Option<usize> {
        let claims = prefixes.iter().filter_map(|prefix| {
            self.ask::<Option<String>>(&["HGET", &format!("{prefix}ids"), id])
        });
        claims.last()?.split(' ').next()?.parse().ok()
    }
}

/// The prefixes of three buckets, which never change.
fn prefixes() -> Vec<String> {
    ["{seckill}:", "{seckill:1}:", "{seckill:2}:"].map(str::to_owned).to_vec()
}

/// Runs a test on an empty Redis, and on an empty cluster.
async fn everywhere(test: impl AsyncFn(Place)) {
    if !installed(&["redis-server"]) {
        return;
    }
    test(Place::Single(Box::new(Redis::start().unwrap()))).await;
    test(Place::Cluster(RedisCluster::start(1).unwrap())).await;
}

fn new(buyer: &str, number: usize) -> NewAttempt {
    support::attempt(buyer, "tea", &id(number))
}

async fn announce(store: &Store, new: &NewAttempt) -> Arc<Attempt> {
    match within(store.announce(new)).await.unwrap() {
        Announced::Fresh(attempt) => attempt,
        Announced::Known(known) => panic!("it is known: {known:?}"),
    }
}

/// Announces the attempts of several buyers, with ids from this number on.
async fn announce_all(store: &Store, buyers: &[String], first: usize) -> Vec<Arc<Attempt>> {
    let mut attempts = Vec::new();
    for (at, buyer) in buyers.iter().enumerate() {
        attempts.push(announce(store, &new(buyer, first + at)).await);
    }
    attempts
}

async fn decide(store: &Store, attempts: &[Arc<Attempt>], now_us: u64) -> Vec<Arc<Decided>> {
    let reserved = within(store.reserve(attempts, now_us)).await.unwrap();
    within(store.commit(reserved)).await.unwrap()
}

/// The decisions, as text without the orders.
fn words(decided: &[Arc<Decided>]) -> Vec<String> {
    let word = |one: &Arc<Decided>| {
        let text = one.decision.to_string();
        text.strip_prefix("won ").map_or(text.clone(), |_| "won".to_owned())
    };
    decided.iter().map(word).collect()
}

fn count(decided: &[Arc<Decided>], wanted: &str) -> usize {
    words(decided).iter().filter(|word| *word == wanted).count()
}

/// So many buyers of this bucket of three.
async fn buyers_of(store: &Store, client: &mut Client, bucket: usize, count: usize) -> Vec<String> {
    let (mut found, prefixes) = (Vec::new(), prefixes());
    for number in 0.. {
        let (buyer, id) = (format!("of-{bucket}-{number}"), id(900_000 + 1_000 * bucket + number));
        announce(store, &support::attempt(&buyer, "probe", &id)).await;
        if client.owner(&prefixes, &id) == Some(bucket) {
            found.push(buyer);
        }
        if found.len() == count {
            break;
        }
    }
    found
}

/// Looks an attempt at the only item up, and announces it at this time, if it is given.
async fn look_up(store: &Store, buyer: &str, number: usize, announce_us: Option<u64>) -> Lookup {
    let (id, buyer) = (id(number).parse().unwrap(), buyer.parse().unwrap());
    within(store.lookup(&id, None, &buyer, announce_us)).await.unwrap()
}

/// The units left and the orders of the only sale of tea.
async fn left(store: &Store) -> (i64, u64) {
    let sale = within(store.sale(Some(&"tea".parse().unwrap()))).await.unwrap();
    (sale.left, sale.orders)
}

/// All decisions in the ledger of a sale.
async fn ledger(store: &Store, epoch: u64) -> Vec<Arc<Decided>> {
    let mut ledger = within(store.ledger(epoch)).await.unwrap();
    let mut all = Vec::new();
    loop {
        let rows = within(ledger.next()).await.unwrap();
        if rows.is_empty() {
            return all;
        }
        all.extend(rows);
    }
}
