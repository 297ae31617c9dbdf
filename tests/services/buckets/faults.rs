//! Processes, nodes and connections fail under load: the audit passes.

use seckill::lab::{Redis, RedisCluster};
use seckill::store::ROUTING_KEY;

use crate::faults::drill::{Drill, count};
use crate::support::backend::Backend;
use crate::support::child::eventually;
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
    let mut cluster = RedisCluster::start_replicated(2).unwrap();
    let backend = backend.with_cluster(&cluster).with_buckets(BUCKETS);
    let deployment = Deployment::new(backend, None);
    let api = deployment.serve("api", &[]);
    let _consumers = [deployment.serve("consumer", &[]), deployment.serve("consumer", &[])];
    let drill = Drill::begin(&api.url);
    for _ in 0..2 {
        let primary = cluster.serving(ROUTING_KEY).unwrap();
        cluster.node_mut(primary).kill().unwrap();
        drill.wait_for_answer("store_unavailable");
        eventually("a replica takes over", || {
            cluster.serving(ROUTING_KEY).is_some_and(|serving| serving != primary)
        });
        eventually("another one follows it", || !cluster.replicas_of(ROUTING_KEY).is_empty());
        drill.recovers();
        drill.wait_for_attempts(BETWEEN);
        cluster.node_mut(primary).restart().unwrap();
        cluster.wait_in_sync().unwrap();
        drill.wait_for_attempts(BETWEEN);
    }
    let drilled = drill.end(UNKNOWN);
    assert!(count(&drilled.summary, "store_unavailable") > 0, "{drilled:?}");
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
