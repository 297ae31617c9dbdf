//! A RabbitMQ cluster of the lab: the faults of its nodes, and that nothing of it stays behind.

use std::io::Read;

use rustix::process::Signal;
use serde_json::Value;

use super::{assert_nothing_left, entries};
use crate::support::child::{eventually, seckill, signal, wait};
use crate::support::skip::installed;

/// What becomes of the nodes during the load, with pauses in which the others elect a leader.
const FAULTS: [&str; 3] = [
    "at=2s for=1s what=broker do=kill",
    "at=3s for=2s what=broker do=pause node=majority",
    "at=4s for=1s what=broker do=reset",
];

/// A script that says which queue it was given, and then runs the load.
fn script() -> String {
    let faults = FAULTS.map(|fault| format!("--fault '{fault}'")).join(" ");
    format!(
        "echo $SECKILL_QUEUE $SECKILL_QUEUE_TYPE; echo none:$SECKILL_BROKER_METRICS; \
         exec {} bench --spawn --json --rate 100/s --duration 30s --timeout 5s \
         --settle-timeout 60s --max-errors 100% {faults} -- --stock 100k --publish-timeout 2s",
        env!("CARGO_BIN_EXE_seckill")
    )
}

#[test]
fn cluster_loses_nothing_when_its_nodes_are_killed_and_suspended() {
    if !installed(&["redis-server", "rabbitmq-cluster"]) {
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    let mut command = seckill();
    command.args(["lab", "--with", "redis,rabbitmq-cluster", "--", "sh", "-c", &script()]);
    let output = command.env("TMPDIR", temp.path()).output().unwrap();
    let (printed, said) = (String::from_utf8(output.stdout), String::from_utf8(output.stderr));
    let (printed, said) = (printed.unwrap(), said.unwrap());
    let mut lines = printed.splitn(3, '\n');
    let (url, queue_type) = lines.next().unwrap().split_once(' ').unwrap();
    assert!(url.starts_with("amqp://127.0.0.1:") && said.contains(url), "{url}: {said}");
    assert_eq!((url.matches(",127.0.0.1:").count(), queue_type), (2, "quorum"), "{url}");
    assert_eq!(lines.next(), Some("none:"));
    let result = lines.next().unwrap_or_default();
    let result: Value = serde_json::from_str(result).unwrap_or_else(|_| panic!("{said}"));
    assert_eq!(result["audit"]["verdict"], "pass", "{:#}\n{said}", result["audit"]);
    let happened = result["faults"].as_array().unwrap();
    assert_eq!(happened.len(), FAULTS.len(), "{happened:#?}");
    for fault in happened {
        assert!(fault["ended_us"].is_u64() && fault["problem"].is_null(), "{fault:#}");
        assert!(FAULTS.iter().any(|known| fault["fault"] == *known), "{fault:#}");
        assert_eq!(fault["lost"], 0, "{fault:#}");
    }
    assert_nothing_left(temp.path(), &[]);
}

#[test]
fn cluster_stopped_during_its_start_leaves_nothing_behind() {
    if !installed(&["rabbitmq-cluster"]) {
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    let mut command = seckill();
    command.args(["lab", "--with", "rabbitmq-cluster"]).env("TMPDIR", temp.path());
    let mut lab = command.spawn().unwrap();
    let logs = || {
        let folders = entries(temp.path()).into_iter();
        folders.filter(|folder| folder.join("rabbitmq.conf").exists()).count()
    };
    eventually("the first node starts", || logs() == 1);
    signal(lab.id(), Signal::TERM);
    assert_eq!(wait(&mut lab).code(), Some(130));
    assert_nothing_left(temp.path(), &[]);
    let mut printed = String::new();
    lab.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
    assert_eq!(printed, "");
}
