//! Processes, nodes and connections fail under load: the audit passes.

use seckill::lab::{Redis, RedisCluster};

use crate::faults::drill::Drill;
use crate::faults::held_orders::{assert_each_unit_is_sold_once, paying_buyers};
use crate::faults::redis_cluster::kill_and_replace_primaries;
use crate::support::backend::Backend;
use crate::support::client::{Sale, wait_ready};
use crate::support::deployment::Deployment;

/// More than there are nodes.
const BUCKETS: usize = 6;

/// Attempts between two faults.
const BETWEEN: u64 = 100;

/// The errors of attempts that were sent to a node and not confirmed in time.
const UNKNOWN: &[&str] = &["http_500"];

#[test]
fn no_attempt_is_lost_when_primaries_are_killed_and_replaced() {
    let Some(backend) = Backend::real() else { return };
    let mut cluster = RedisCluster::start(2).unwrap();
    let backend = backend.with_cluster(&cluster).with_buckets(BUCKETS);
    let deployment = Deployment::new(backend, None);
    let api = deployment.serve("api", &[]);
    let _consumers = [deployment.serve("consumer", &[]), deployment.serve("consumer", &[])];
    kill_and_replace_primaries(&mut cluster, &api.url);
}

#[test]
fn no_attempt_is_lost_when_consumers_and_redis_are_killed() {
    let Some(backend) = Backend::real() else { return };
    let mut redis = Redis::start().unwrap();
    let deployment = Deployment::new(backend.with_store(&redis).with_buckets(BUCKETS), None);
    let api = deployment.serve("api", &[]);
    let _other = deployment.serve("consumer", &[]);
    let mut consumer = deployment.serve("consumer", &["--prefetch", "4"]);
    let drill = Drill::begin(&api.url);
    for _ in 0..3 {
        consumer.kill();
        drill.wait_for_attempts(BETWEEN);
        consumer = deployment.serve("consumer", &["--prefetch", "4"]);
        redis.service_mut().kill().unwrap();
        drill.wait_for_answer("store_unavailable");
        redis.service_mut().restart().unwrap();
        drill.recovers();
        drill.wait_for_attempts(BETWEEN);
    }
    drill.end(UNKNOWN);
}

#[test]
fn units_that_come_back_are_sold_once_when_redis_and_consumers_are_killed() {
    const STOCK: u64 = 20;
    let Some(backend) = Backend::real() else { return };
    let mut redis = Redis::start().unwrap();
    let deployment = Deployment::new(backend.with_store(&redis).with_buckets(BUCKETS), None);
    let hold = ["--hold", "300ms"];
    let api = deployment.serve("api", &hold);
    let _other = deployment.serve("consumer", &hold);
    let mut consumer = deployment.serve("consumer", &hold);
    let sale = Sale::open(&api.url, "tea", STOCK);
    let loading = sale.load(&paying_buyers());
    for _ in 0..3 {
        loading.wait_for(BETWEEN);
        consumer.kill();
        loading.wait_for(BETWEEN);
        consumer = deployment.serve("consumer", &hold);
        redis.service_mut().kill().unwrap();
        redis.service_mut().restart().unwrap();
        wait_ready(&api.url);
    }
    loading.wait_for(BETWEEN);
    assert_each_unit_is_sold_once(&sale, loading);
}
