//! The slot of a bucket is moved to another primary under load, as `redis-cli --cluster reshard`
//! does it.

use seckill::lab::{RedisCluster, Service};

use super::prefixes;
use crate::faults::drill::Drill;
use crate::faults::held_orders::{assert_each_unit_is_sold_once, paying_buyers};
use crate::support::backend::Backend;
use crate::support::client::{Sale, wait_ready};
use crate::support::deployment::Deployment;

/// Attempts between two moves.
const BETWEEN: u64 = 100;

/// Which bucket is moved to the primary of which other one: the first bucket, too, and to a primary
/// that has both others by then.
const MOVES: [(usize, usize); 2] = [(1, 2), (0, 2)];

/// Keys that are moved in one command.
const KEYS: usize = 3;

/// The errors of attempts that were sent to a node while it had only some of the keys.
const UNKNOWN: &[&str] = &["http_500"];

/// Sends one command to one node.
fn ask<T: redis::FromRedisValue>(node: &Service, words: &[&str]) -> T {
    let client = redis::Client::open(format!("redis://127.0.0.1:{}", node.ports()[0])).unwrap();
    let mut connection = client.get_connection().unwrap();
    redis::cmd(words[0]).arg(&words[1..]).query(&mut connection).unwrap()
}

/// Moves the slot of a key to the node that has another one; runs `meanwhile` after each part.
fn move_slot(cluster: &RedisCluster, key: &str, beside: &str, mut meanwhile: impl FnMut()) {
    let node = |key| &cluster.nodes()[cluster.serving(key).unwrap()];
    let (from, to) = (node(key), node(beside));
    let id = |node| ask::<String>(node, &["CLUSTER", "MYID"]);
    let (from_id, to_id, port) = (id(from), id(to), to.ports()[0].to_string());
    let slot = ask::<u16>(from, &["CLUSTER", "KEYSLOT", key]).to_string();
    let () = ask(to, &["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]);
    let () = ask(from, &["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]);
    loop {
        let count = KEYS.to_string();
        let keys: Vec<String> = ask(from, &["CLUSTER", "GETKEYSINSLOT", &slot, &count]);
        if keys.is_empty() {
            break;
        }
        let mut words = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"];
        words.extend(keys.iter().map(String::as_str));
        let () = ask(from, &words);
        meanwhile();
    }
    for node in [to, from] {
        let () = ask(node, &["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]);
    }
}

#[test]
fn no_attempt_is_lost_when_slots_of_buckets_are_moved() {
    let Some(backend) = Backend::real() else { return };
    let cluster = RedisCluster::start(1).unwrap();
    let prefixes = prefixes();
    let backend = backend.with_cluster(&cluster).with_buckets(prefixes.len());
    let deployment = Deployment::new(backend, None);
    let api = deployment.serve("api", &[]);
    let _consumers = [deployment.serve("consumer", &[]), deployment.serve("consumer", &[])];
    let drill = Drill::begin(&api.url);
    for (moved, beside) in MOVES {
        move_slot(&cluster, &prefixes[moved], &prefixes[beside], || {
            drill.wait_for_answer("store_unavailable");
        });
        drill.recovers();
        drill.wait_for_attempts(BETWEEN);
    }
    drill.end(UNKNOWN);
}

#[test]
fn units_that_come_back_are_sold_once_when_slots_of_buckets_are_moved() {
    const STOCK: u64 = 20;
    let Some(backend) = Backend::real() else { return };
    let cluster = RedisCluster::start(1).unwrap();
    let prefixes = prefixes();
    let backend = backend.with_cluster(&cluster).with_buckets(prefixes.len());
    let deployment = Deployment::new(backend, None);
    let hold = ["--hold", "300ms"];
    let api = deployment.serve("api", &hold);
    let _consumers = [deployment.serve("consumer", &hold), deployment.serve("consumer", &hold)];
    let sale = Sale::open(&api.url, "tea", STOCK);
    let loading = sale.load(&paying_buyers());
    loading.wait_for(BETWEEN);
    for (moved, beside) in MOVES {
        move_slot(&cluster, &prefixes[moved], &prefixes[beside], || loading.wait_for(BETWEEN / 5));
        wait_ready(&api.url);
        loading.wait_for(BETWEEN);
    }
    assert_each_unit_is_sold_once(&sale, loading);
}
