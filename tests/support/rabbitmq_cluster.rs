//! One RabbitMQ cluster for a test program. Tests that only use it share it; a test that breaks it
//! has it alone.

use std::sync::{LazyLock, RwLock, RwLockReadGuard, RwLockWriteGuard};

use seckill::lab::{RabbitMq, RabbitMqCluster, RabbitMqOptions};

use super::backend::Backend;
use super::child::eventually;
use super::deployment::wait_unused;
use super::skip::{installed, missing_for_variants};

static CLUSTER: LazyLock<RwLock<RabbitMqCluster>> =
    LazyLock::new(|| RwLock::new(RabbitMqCluster::start(&RabbitMqOptions::default()).unwrap()));

/// Keeps others from breaking the cluster.
pub(crate) struct InUse {
    _cluster: RwLockReadGuard<'static, RabbitMqCluster>,
}

/// A backend with a quorum queue on the cluster and a store in Redis, if both are installed;
/// reports that the calling test runs without it if not.
pub(crate) fn backend() -> Option<(Backend, InUse)> {
    if !missing_for_variants(&["rabbitmq-cluster", "redis-server"]).is_empty() {
        return None;
    }
    if CLUSTER.is_poisoned() {
        drop(repaired());
    }
    let cluster = CLUSTER.read().unwrap();
    Some((Backend::on_cluster(&cluster, None), InUse { _cluster: cluster }))
}

/// The cluster alone, with all nodes running and without connections; reports the test as skipped
/// if it is not installed, or Redis is not.
pub(crate) fn alone() -> Option<RwLockWriteGuard<'static, RabbitMqCluster>> {
    if !installed(&["rabbitmq-cluster", "redis-server"]) {
        return None;
    }
    let cluster = if CLUSTER.is_poisoned() { repaired() } else { CLUSTER.write().unwrap() };
    cluster.nodes().iter().for_each(wait_unused);
    Some(cluster)
}

/// A failed test may have left the nodes in any state.
fn repaired() -> RwLockWriteGuard<'static, RabbitMqCluster> {
    let mut cluster = CLUSTER.write().unwrap_or_else(|poisoned| poisoned.into_inner());
    for node in cluster.nodes_mut() {
        node.service_mut().kill().unwrap();
    }
    cluster.restart().unwrap();
    CLUSTER.clear_poison();
    cluster
}

/// Has all nodes write their tables to the disk. They do so by themselves within three minutes; a
/// node that was killed before does not know the log of its new queue, and begins an empty one.
pub(crate) fn sync_tables(cluster: &RabbitMqCluster) {
    for node in cluster.nodes() {
        cluster.eval(node, "lists:foreach(fun dets:sync/1, dets:all()).").unwrap();
    }
}

/// The index of the node that leads this quorum queue.
#[track_caller]
pub(crate) fn leader(cluster: &RabbitMqCluster, queue: &str) -> usize {
    let code = format!("ra_leaderboard:lookup_leader('%2F_{queue}').");
    let mut index = None;
    // There is none during an election.
    eventually("the queue has a leader", || {
        let known = cluster.eval(&cluster.nodes()[0], &code).unwrap();
        index = cluster.nodes().iter().position(|node: &RabbitMq| known.contains(node.node()));
        index.is_some()
    });
    index.unwrap()
}
