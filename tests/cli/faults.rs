//! Faults of a run: what breaks, what the result says about it, and which faults cannot be.

use std::process::Output;

use serde_json::Value;

use super::{bench, recorded, stderr, stdout};

/// A short load of some 300 attempts each second.
const LOAD: &[&str] = &["--rate", "300/s", "--timeout", "2s"];

const SHORT: &[&str] = &["--duration", "3s"];

fn run(more: &[&str], server: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let fixed = ["--spawn", "--json", "--max-errors", "100%"];
    bench(folder.path(), &[&fixed[..], LOAD, more, &["--"], server].concat())
}

fn result(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(output)))
}

/// The result of a run that passes its audit. On a busy machine its figures may be invalid, or more
/// requests may fail than its threshold allows.
#[track_caller]
fn passed(output: &Output) -> Value {
    let result = result(output);
    assert_eq!(result["audit"]["verdict"], "pass", "{}{}", stdout(output), stderr(output));
    assert!(matches!(output.status.code(), Some(0 | 5 | 99)), "{}", stderr(output));
    result
}

fn faults(result: &Value) -> &[Value] {
    result["faults"].as_array().unwrap()
}

#[test]
fn killed_server_loses_nothing_and_buyers_are_seen_to_fail() {
    let fault = "at=500ms for=300ms what=server do=kill";
    let output = run(&[SHORT, &["--fault", fault]].concat(), &["--stock", "500"]);
    let result = passed(&output);
    let [one] = faults(&result) else { panic!("{result:#}") };
    assert_eq!(one["fault"], fault);
    assert_eq!((&one["lost"], &one["problem"]), (&0.into(), &Value::Null));
    let (began, ended) = (one["began_us"].as_u64().unwrap(), one["ended_us"].as_u64().unwrap());
    assert!(began >= 500_000 && ended >= began + 300_000, "{one}");
    let errors: u64 = one["by_error"].as_object().unwrap().values().flat_map(Value::as_u64).sum();
    assert!(errors > 0 && one["errors"] == errors, "{one}");
    let rows = result["series"].as_array().unwrap();
    assert!(rows.iter().any(|row| row["faults"] == serde_json::json!([0])), "{rows:?}");
}

#[test]
fn server_that_loses_its_data_is_found_to_have_lost_attempts() {
    let fault = "at=1s for=100ms what=server do=wipe";
    let output = run(&[SHORT, &["--fault", fault]].concat(), &["--stock", "100k"]);
    assert_ne!(output.status.code(), Some(0), "{}", stdout(&output));
    let result = result(&output);
    assert_ne!(result["audit"]["verdict"], "pass");
    assert!(faults(&result)[0]["lost"].as_u64().unwrap() > 0, "{:#}", faults(&result)[0]);
}

#[test]
fn fault_that_waits_for_the_stock_waits_for_the_end_of_the_warm_up() {
    // One unit in a hundred is sold a third of a second after the beginning.
    let fault = "at=stock<99% for=100ms what=client do=latency delay=1ms";
    let load = ["--duration", "3s", "--warmup", "1500ms", "--fault", fault];
    let result = passed(&run(&load, &["--stock", "10k"]));
    let began_us = faults(&result)[0]["began_us"].as_u64();
    assert!(began_us.is_some_and(|began_us| began_us >= 1_500_000), "{:#}", result["faults"]);
}

#[test]
fn faults_of_the_plan_and_of_a_seed_are_the_same_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("faults.toml");
    let text =
        "[[fault]]\nat = \"stock<99%\"\nfor = \"100ms\"\nwhat = \"client\"\ndo = \"reset\"\n";
    std::fs::write(&profile, text).unwrap();
    let out = folder.path().join("run");
    let planned = || {
        let (profile, out) = (profile.to_str().unwrap(), out.to_str().unwrap());
        let flags = ["--nemesis", "4", "--duration", "6s", "--profile", profile, "--out", out];
        let result = passed(&run(&flags, &["--stock", "1k"]));
        let faults = faults(&result).iter();
        assert!(faults.clone().all(|fault| fault["lost"] == 0), "{result:#}");
        faults.map(|fault| fault["fault"].clone()).collect::<Vec<_>>()
    };
    let first = planned();
    assert!(first.len() > 1 && first[0] == "at=stock<99% for=100ms what=client do=reset");
    let text = stdout(&recorded("report", &out, &[]));
    assert!(text.contains("\nNemesis    4; the same command draws the same faults"), "{text}");
    std::fs::remove_dir_all(&out).unwrap();
    assert_eq!(planned(), first);
}

#[test]
fn recorded_faults_are_in_every_report() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let fault = "at=500ms for=200ms what=client do=blackhole";
    let flags = ["--fault", fault, "--out", out.to_str().unwrap()];
    let output = run(&[SHORT, &flags].concat(), &["--stock", "1k"]);
    passed(&output);
    let text = stdout(&recorded("report", &out, &[]));
    let lasted = format!("Fault      {fault}\n           0.5 s to 0.");
    assert!(text.contains(&lasted) && text.contains("nothing"), "{text}");
    let page = std::fs::read_to_string(out.join("report.html")).unwrap();
    for part in ["<h2>Faults</h2>", fault, "class=\"band fault\"", ">a fault<"] {
        assert!(page.contains(part), "{part} is not in the page");
    }
    let summary = std::fs::read_to_string(out.join("summary.md")).unwrap();
    assert!(summary.contains("| Faults | 1, nothing lost |"), "{summary}");
}

#[test]
fn shipped_profiles_with_faults_run_or_say_what_they_need() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str| {
        let profile = format!("{}/profiles/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        bench(folder.path(), &["--spawn", "--json", "--profile", &profile])
    };
    let run = &run;
    std::thread::scope(|scope| {
        for name in ["server-crashes", "slow-clients"] {
            scope.spawn(move || {
                let result = passed(&run(name));
                assert!(faults(&result).iter().all(|fault| fault["lost"] == 0), "{result:#}");
            });
        }
    });
    for (name, cure) in [
        ("broker-outage", "add -- --queue amqp://…"),
        ("far-broker", "add -- --queue amqp://…"),
        ("store-restart", "add -- --store redis://…"),
    ] {
        let output = run(name);
        assert_eq!(output.status.code(), Some(2), "{name}: {}", stderr(&output));
        assert!(stderr(&output).contains(cure), "{name}: {}", stderr(&output));
    }
}

#[test]
fn fault_that_cannot_be_is_a_usage_error_with_its_cure() {
    let folder = tempfile::tempdir().unwrap();
    let cases: &[(&[&str], &str, &str)] = &[
        (&[], "what=server do=kill", "add --spawn"),
        (&[], "what=broker do=down", "add --spawn"),
        (&["--spawn"], "what=broker do=down", "add -- --queue amqp://…"),
        (&["--spawn"], "what=store do=kill", "add -- --store redis://…"),
        (&["--spawn"], "what=consumer do=kill", "add -- --queue amqp://… --store redis://…"),
        (&["--spawn"], "what=client do=kill", "buyers are no process"),
        (&["--spawn", "--duration", "1s"], "what=client do=down", "after the load has ended"),
        (&["--duration", "9s", "--warmup", "6s"], "what=client do=down", "in the --warmup"),
        (&["--self-test"], "what=client do=down", "cannot be combined with"),
    ];
    for (flags, fault, cure) in cases {
        let fault = format!("at=5s {fault}");
        let output = bench(folder.path(), &[*flags, &["--fault", &fault]].concat());
        assert_eq!(output.status.code(), Some(2), "{fault}: {}", stderr(&output));
        let error = stderr(&output);
        assert!(error.contains("--fault") && error.contains(cure), "{fault}: {error}");
    }
    let own = folder.path().join("own");
    std::fs::create_dir(&own).unwrap();
    std::fs::write(own.join("thesis.txt"), "kept").unwrap();
    let flags = ["--spawn", "--fault", "at=5s what=server do=wipe", "--", "--data", "own"];
    let output = bench(folder.path(), &flags);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("leave out --data"), "{}", stderr(&output));
    assert!(own.join("thesis.txt").exists());
    let (single, cluster) = ("redis://127.0.0.1:1", "redis+cluster://127.0.0.1:1");
    for (store, fault, cure) in [
        (single, "what=store do=kill", "run it in 'seckill lab --'"),
        (cluster, "what=store do=down", "would go past the proxies: use do=kill or do=pause"),
        (single, "what=disk do=full", "needs an embedded queue or store"),
        (single, "what=broker do=kill node=leader", "lab --with redis,rabbitmq-cluster --'"),
    ] {
        let fault = format!("at=5s {fault}");
        let flags = ["--spawn", "--fault", &fault, "--"];
        let engines = ["--store", store, "--queue", "amqp://127.0.0.1:1"];
        let output = bench(folder.path(), &[&flags[..], &engines].concat());
        assert_eq!(output.status.code(), Some(2), "{fault}: {}", stderr(&output));
        assert!(stderr(&output).contains(cure), "{fault}: {}", stderr(&output));
    }
}
