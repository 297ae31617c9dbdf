//! A Redis Cluster: its primary fails, a replica takes over, and the failed node comes back.

use seckill::lab::{Order, RedisCluster};
use serde_json::Value;

use super::{assert_nothing_left, lives};
use crate::support::child::{eventually, seckill};
use crate::support::skip::installed;

const KEY: &str = "{unit}:left";

#[test]
fn replica_takes_over_and_the_failed_node_follows_it() {
    if !installed(&["redis-server"]) {
        return;
    }
    let mut cluster = RedisCluster::start(2).unwrap();
    assert_eq!(cluster.nodes().len(), 9);
    assert_eq!(cluster.replicas_of(KEY).len(), 2);
    let pids: Vec<_> = cluster.nodes().iter().map(|node| node.pid()).collect();
    let first = cluster.serving(KEY).unwrap();
    cluster.carry_out(Order::Kill, KEY).unwrap();
    assert!(!lives(pids[first]));
    eventually("a replica takes over", || cluster.serving(KEY).is_some());
    let second = cluster.serving(KEY).unwrap();
    assert_ne!(second, first);
    cluster.carry_out(Order::Restart, KEY).unwrap();
    assert_eq!(cluster.serving(KEY), Some(second));
    assert!(cluster.replicas_of(KEY).contains(&first));
    let folders: Vec<_> = cluster.nodes().iter().map(|node| node.folder().to_owned()).collect();
    let pids: Vec<_> = cluster.nodes().iter().map(|node| node.pid()).collect();
    drop(cluster);
    assert!(!pids.into_iter().any(lives) && !folders.iter().any(|folder| folder.exists()));
}

#[test]
fn bench_in_a_lab_with_a_cluster_survives_the_loss_of_its_primary() {
    lose_primary("1");
}

#[test]
fn bench_with_buckets_in_a_lab_survives_the_loss_of_the_primary_of_the_first_one() {
    lose_primary("4");
}

/// Kills the node that has the sale, or its first bucket, during a run in a lab.
fn lose_primary(buckets: &str) {
    if !installed(&["redis-server"]) {
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    let mut command = seckill();
    command.args(["lab", "--with", "redis-cluster", "--", "seckill", "bench", "--spawn", "--json"]);
    command.args(["--rate", "50/s", "--duration", "12s", "--timeout", "5s"]);
    command.args(["--settle-timeout", "60s", "--max-errors", "100%"]);
    command.args(["--fault", "at=2s for=6s what=store do=kill", "--", "--stock", "100k"]);
    command.args(["--stock-buckets", buckets]);
    let output = command.env("TMPDIR", temp.path()).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let result: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{stderr}"));
    assert_eq!(result["audit"]["verdict"], "pass", "{:#}\n{stderr}", result["audit"]);
    let fault = &result["faults"][0];
    assert_eq!((&fault["problem"], &fault["lost"]), (&Value::Null, &0.into()), "{fault}");
    // Of those that were sent while the node was dead, a replica accepted some.
    assert!(fault["by_outcome"]["queued"].as_u64() > Some(0), "{fault:#}");
    assert!(stderr.contains("lab: redis-cluster is redis+cluster://127.0.0.1:"), "{stderr}");
    assert_nothing_left(temp.path(), &[]);
}
