//! The commands as a user or a CI job runs them: exit codes, output, and files left behind.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test reports it by failing")]

#[path = "../support/mod.rs"]
mod support;

mod abort;
mod action;
mod admin_token;
mod bad_input;
mod damaged_recording;
mod data_folder;
mod described;
mod described_mistakes;
mod disk_full;
mod documents;
mod failing_disk;
mod faults;
mod flaws;
mod held_orders;
mod help;
mod hung_disk;
mod mistakes;
mod outputs;
mod preload;
mod recorded;
mod recovery;
mod reference;
mod reports;
mod right_runs;
mod schema;
mod self_test;
mod shutdown;
mod sources;
mod sut;
mod thresholds;
mod verdicts;
mod waiting_room;

use std::path::Path;
use std::process::Output;

use crate::support::child::{Serving, seckill};

const TOKEN: &str = "a-token-for-tests";

fn bench(folder: &Path, args: &[&str]) -> Output {
    seckill().arg("bench").args(args).current_dir(folder).output().unwrap()
}

/// Runs `audit` or `report` on a recorded run.
fn recorded(verb: &str, recording: &Path, args: &[&str]) -> Output {
    seckill().arg(verb).args(args).arg("--").arg(recording).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn last_line(output: &Output) -> String {
    stdout(output).trim_end().lines().last().unwrap_or_default().to_owned()
}

#[test]
fn bench_with_spawn_serves_loads_and_audits() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["--spawn", "--threads", "35", "--ramp", "200ms", "--loops", "10", "--full"];
    let output = bench(folder.path(), &args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(last_line(&output), "NOT OVERSOLD: stock 10, sold 10, left 0");
    let report = stdout(&output);
    for part in ["90% Line", "Received KB/sec", "TOTAL", "Latency", "Outcomes", "Errors     none"] {
        assert!(report.contains(part), "no {part} in\n{report}");
    }
    assert!(report.lines().any(|l| l.contains("POST /seckill") && l.contains(" 350 ")), "{report}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the run left a file behind");
}

#[test]
fn bench_finds_the_admin_token_in_the_servers_folder() {
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(&folder.path().join("seckill-data"), &[]);
    let args = ["--target", &server.url, "--threads", "20", "--loops", "5"];
    let first = bench(folder.path(), &args);
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    assert_eq!(last_line(&first), "NOT OVERSOLD: stock 10, sold 10, left 0");
    let second = bench(folder.path(), &args);
    assert_eq!(second.status.code(), Some(0), "{}", stderr(&second));
    let verdict = "NOT OVERSOLD (sold out before the run): stock 10, sold 10, left 0";
    assert_eq!(last_line(&second), verdict);
    assert!(stdout(&second).contains("sold out before the run"), "{}", stdout(&second));
    assert!(stdout(&second).contains("sold_out 100"), "{}", stdout(&second));
}

#[test]
fn json_has_the_documented_keys() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["--spawn", "--threads", "5", "--loops", "4", "--json", "--seed", "7"];
    let output = bench(folder.path(), &args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stderr(&output), "", "stderr is for people");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["schema"], 1);
    assert_eq!(json["plan"]["seed"], 7);
    assert_eq!(json["requests"]["total"], 20);
    assert_eq!(json["requests"]["errors"], 0);
    assert_eq!(json["audit"]["verdict"], "pass");
    assert_eq!(json["audit"]["stock"], 10);
    assert_eq!(json["audit"]["orders"], 10);
    assert_eq!(json["audit"]["violations"], serde_json::json!([]));
    assert_eq!(json["generator"]["valid"], true);
    for section in ["latency_us", "latency_corrected_us", "settle_us"] {
        for key in ["min", "mean", "stddev", "p50", "p90", "p95", "p99", "p999", "max"] {
            assert!(json[section][key].is_number(), "{section}.{key} in {json:#}");
        }
    }
    for key in ["started", "seckill"] {
        assert!(json[key].is_string(), "{key}");
    }
    for pointer in ["/generator/lag_us/p99", "/requests/by_outcome/queued", "/audit/unresolved"] {
        assert!(json.pointer(pointer).is_some_and(|v| v.is_number()), "{pointer} in {json:#}");
    }
    assert!(json["server"]["rss_bytes_max"].is_number());
}

#[test]
fn every_shipped_profile_runs() {
    let profiles = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles");
    let folder = tempfile::tempdir().unwrap();
    for profile in std::fs::read_dir(profiles).unwrap() {
        let profile = profile.unwrap().path();
        if profile.ends_with("article.toml") {
            // It needs real services and says so; other tests run it.
            let output = bench(folder.path(), &["--spawn", "--profile", profile.to_str().unwrap()]);
            assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
            assert!(stderr(&output).contains("run under `seckill lab --`"), "{}", stderr(&output));
            continue;
        }
        let text = std::fs::read_to_string(&profile).unwrap();
        if text.contains("[purchase]") || text.contains("[[fault]]") {
            // It describes another shop, which the workflow of the examples starts; or it has
            // faults at times of its own, and another test runs it.
            continue;
        }
        // Unchanged except for its length: flags override the profile.
        let file = profile.to_str().unwrap();
        let args = ["--spawn", "--profile", file, "--ramp", "0s", "--threads", "30", "--quiet"];
        let output = bench(folder.path(), &args);
        assert_eq!(output.status.code(), Some(0), "{file}: {}", stderr(&output));
        assert_eq!(stdout(&output).lines().count(), 1, "--quiet prints the verdict alone");
        assert!(stdout(&output).starts_with("NOT OVERSOLD"), "{file}: {}", stdout(&output));
    }
}

#[test]
fn flags_override_environment_and_environment_overrides_profile() {
    let folder = tempfile::tempdir().unwrap();
    let profile = "threads = 2\nloops = 2\nseed = 1\n[server]\nstock = 3\nitem = \"tea\"\n";
    std::fs::write(folder.path().join("p.toml"), profile).unwrap();
    let mut command = seckill();
    command.current_dir(folder.path()).env("SECKILL_LOOPS", "3").env("SECKILL_STOCK", "4");
    command.args(["bench", "--spawn", "--profile", "p.toml", "--json", "--seed", "9"]);
    let output = command.args(["--", "--item", "milk"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let seen = ["/plan/threads", "/plan/loops", "/plan/seed", "/audit/stock"];
    let seen = seen.map(|pointer| json.pointer(pointer).and_then(serde_json::Value::as_u64));
    // The stock of the environment is that of another server.
    assert_eq!(seen, [Some(2), Some(3), Some(9), Some(3)]);
}

#[test]
fn completions_and_manual_list_every_flag() {
    for args in [vec!["completions", "bash"], vec!["completions", "zsh"], vec!["man"]] {
        let output = seckill().args(&args).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        let text = stdout(&output).replace("\\-", "-");
        for flag in ["--settle-timeout", "--max-queue", "--spawn"] {
            assert!(text.contains(flag), "{args:?} has no {flag}");
        }
    }
}
