//! Nodes of a Redis Cluster fail: what was answered is on the replicas, one of which takes over.

use std::time::Duration;

use seckill::lab::RedisCluster;
use seckill::store::ROUTING_KEY;

use super::drill::{Drill, count};
use crate::support::backend::Backend;
use crate::support::child::eventually;
use crate::support::deployment::Deployment;
use crate::support::skip::installed;

/// The error of an attempt that was sent to a node and not confirmed in time.
const UNKNOWN: &[&str] = &["http_500"];

/// Attempts between two faults.
const BETWEEN: u64 = 100;

/// Longest answer while a node hangs: the 3 s in which a call has to be answered, and some for a
/// busy machine.
const ANSWER_MAX: Duration = Duration::from_secs(6);

/// Waits until another node than this one serves the keys, and has a replica in sync.
fn wait_for_failover(cluster: &RedisCluster, from: usize) {
    eventually("a replica takes over", || {
        cluster.serving(ROUTING_KEY).is_some_and(|serving| serving != from)
    });
    eventually("another one follows it", || !cluster.replicas_of(ROUTING_KEY).is_empty());
}

/// Kills the node that serves the keys and starts it again, twice, under load at this server.
pub(crate) fn kill_and_replace_primaries(cluster: &mut RedisCluster, url: &str) {
    let drill = Drill::begin(url);
    for _ in 0..2 {
        let primary = cluster.serving(ROUTING_KEY).unwrap();
        cluster.node_mut(primary).kill().unwrap();
        drill.wait_for_answer("store_unavailable");
        wait_for_failover(cluster, primary);
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
fn no_attempt_is_lost_when_primaries_are_killed_and_replaced() {
    let Some(backend) = Backend::real() else { return };
    let mut cluster = RedisCluster::start(2).unwrap();
    let deployment = Deployment::new(backend.with_cluster(&cluster), None);
    let api = deployment.serve("api", &[]);
    let _consumer = deployment.serve("consumer", &[]);
    kill_and_replace_primaries(&mut cluster, &api.url);
}

#[test]
fn service_goes_on_with_one_replica_and_refuses_without_any() {
    if !installed(&["redis-server"]) {
        return;
    }
    let mut cluster = RedisCluster::start(2).unwrap();
    let deployment = Deployment::new(Backend::new(false, false).with_cluster(&cluster), None);
    let server = deployment.serve("all", &[]);
    assert_eq!(server.log(), "", "nothing to warn of");
    let drill = Drill::begin(&server.url);
    let primary = cluster.serving(ROUTING_KEY).unwrap();
    let primary =
        format!("127.0.0.1:{}, has no replica in sync", cluster.nodes()[primary].ports()[0]);
    let [first, second] = cluster.replicas_of(ROUTING_KEY)[..] else { panic!("not two") };
    cluster.node_mut(first).kill().unwrap();
    drill.recovers();
    drill.wait_for_attempts(BETWEEN);
    cluster.node_mut(second).kill().unwrap();
    drill.wait_for_answer("store_unavailable");
    eventually("the log names the primary and the cure", || {
        let log = server.log();
        log.contains(&primary) && log.contains("start its replicas")
    });
    assert!(!drill.is_answered("queued"), "nothing is accepted that a failure would lose");
    cluster.node_mut(second).restart().unwrap();
    eventually("a replica is in sync", || !cluster.replicas_of(ROUTING_KEY).is_empty());
    drill.end(UNKNOWN);
}

#[test]
fn primary_that_hangs_is_replaced_and_its_return_changes_nothing() {
    if !installed(&["redis-server"]) {
        return;
    }
    let mut cluster = RedisCluster::start(2).unwrap();
    let deployment = Deployment::new(Backend::new(false, false).with_cluster(&cluster), None);
    let server = deployment.serve("all", &[]);
    let drill = Drill::begin(&server.url);
    let primary = cluster.serving(ROUTING_KEY).unwrap();
    cluster.node_mut(primary).suspend().unwrap();
    wait_for_failover(&cluster, primary);
    drill.recovers();
    drill.wait_for_attempts(BETWEEN);
    cluster.node_mut(primary).resume().unwrap();
    cluster.wait_in_sync().unwrap();
    drill.end_within(UNKNOWN, ANSWER_MAX);
}
