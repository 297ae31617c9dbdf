//! Faults of services that the lab has started: nothing that was accepted is lost or doubled.

use serde_json::Value;

use crate::support::child::seckill;
use crate::support::skip::installed;

/// A load that is long enough for RabbitMQ to start again.
const LOAD: &[&str] = &[
    "bench",
    "--spawn",
    "--json",
    "--rate",
    "100/s",
    "--timeout",
    "5s",
    "--settle-timeout",
    "60s",
    "--max-errors",
    "100%",
];

/// Runs a bench with faults in a lab; `None` if the services are not installed.
fn run(more: &[&str]) -> Option<Value> {
    if !installed(&["redis-server", "rabbitmq-server"]) {
        return None;
    }
    let mut command = seckill();
    command.args(["lab", "--", "seckill"]).args(LOAD).args(more);
    command.args(["--", "--stock", "100k", "--publish-timeout", "2s"]);
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let result: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{stderr}"));
    assert_ne!(result["audit"]["verdict"], "fail", "{:#}\n{stderr}", result["audit"]);
    for fault in result["faults"].as_array().unwrap() {
        assert_eq!(fault["problem"], Value::Null, "{fault}");
        assert!(fault["lost"] == 0 || fault["began_us"].is_null(), "{fault}");
    }
    Some(result)
}

#[test]
fn killed_wiped_and_suspended_services_lose_nothing() {
    let faults = [
        "at=1s for=500ms what=consumer do=kill",
        "at=3s for=500ms what=store do=kill",
        "at=5s for=1s what=store do=pause",
        "at=7s for=1s what=broker do=pause",
        "at=9s for=100ms what=broker do=wipe",
    ];
    let flags: Vec<_> = faults.iter().flat_map(|fault| ["--fault", fault]).collect();
    let Some(result) = run(&[&["--duration", "30s"], &flags[..]].concat()) else { return };
    assert_eq!(result["audit"]["verdict"], "pass", "{:#}", result["audit"]);
    let of = |fault: &Value| (fault["fault"].clone(), fault["ended_us"].is_u64());
    let happened: Vec<_> = result["faults"].as_array().unwrap().iter().map(of).collect();
    assert_eq!(happened, faults.map(|fault| (fault.into(), true)));
}

#[test]
fn random_faults_of_connections_and_processes_lose_nothing() {
    let Some(result) = run(&["--duration", "40s", "--nemesis", "3"]) else { return };
    let faults = result["faults"].as_array().unwrap();
    let parts = ["what=client", "what=broker", "what=store", "what=server", "what=consumer"];
    let has = |part: &&&str| {
        faults.iter().any(|fault| fault["fault"].as_str().is_some_and(|text| text.contains(**part)))
    };
    assert!(parts.iter().filter(has).count() >= 3, "{faults:#?}");
}
