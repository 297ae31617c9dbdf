//! `--abort-on`: a threshold that is crossed during the run ends it, and the run is judged.

use std::path::Path;

use serde_json::Value;

use super::verdicts::{FaultyServer, with};
use super::{TOKEN, bench, last_line, recorded, stderr, stdout};
use crate::support::child::seckill;

/// A load that would last for an hour.
const ENDLESS: [&str; 6] = ["--threads", "4", "--think", "5ms", "--duration", "1h"];

/// Judges a run that was recorded in `run` again, as on a machine whose host takes no time away:
/// runs of more than a second are invalid on a busy one. Returns the exit code.
fn code_on_an_idle_machine(run: &Path) -> Option<i32> {
    let file = run.join("run.json");
    let mut json: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let generator = &mut json["generator"];
    let findings = generator["findings"].as_array().unwrap();
    assert!(findings.iter().all(|one| one["kind"] == "steal"), "{findings:?}");
    (generator["findings"], generator["valid"]) = (serde_json::json!([]), true.into());
    std::fs::write(&file, json.to_string()).unwrap();
    recorded("audit", run, &[]).status.code()
}

#[test]
fn crossed_threshold_ends_the_run_which_is_judged_and_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--spawn", "--out", "run", "--abort-on", "errors>50%,p50>0s"];
    let output = bench(folder.path(), &[&ENDLESS[..], &flags].concat());
    let report = stdout(&output);
    let stopped = "STOPPED    before the end of its plan: --abort-on p50>0s: ";
    let line = report.lines().find(|line| line.starts_with(stopped));
    assert!(line.is_some_and(|line| line.contains(" ms after ")), "{report}");
    assert!(report.contains("\nCROSSED    p50>0s: "), "{report}");
    let passed = "STOPPED before the end of its plan. NOT OVERSOLD: stock 10, sold 10, left 0 (but";
    assert!(last_line(&output).starts_with(passed), "{report}");
    assert!(last_line(&output).ends_with("p50>0s was crossed)"), "{report}");
    assert!(stderr(&output).contains("stopping: --abort-on p50>0s: "), "{}", stderr(&output));
    let cases = std::fs::read_to_string(folder.path().join("run/junit.xml")).unwrap();
    let case = |expr: &str| {
        let case = cases.split(&format!("name=\"--abort-on {expr}\" ")).nth(1);
        case.and_then(|rest| rest.split("</testcase>").next()).unwrap_or_else(|| panic!("{cases}"))
    };
    assert!(!case("errors&#62;50%").contains("<failure"), "{cases}");
    assert!(case("p50&#62;0s").contains("message=\"ended the run: p50&#62;0s: "), "{cases}");
    let page = std::fs::read_to_string(folder.path().join("run/report.html")).unwrap();
    assert!(page.contains("ended the run"));
    let audit = recorded("audit", &folder.path().join("run"), &[]);
    assert_eq!((audit.status.code(), stdout(&audit)), (output.status.code(), report));
    let json = recorded("report", &folder.path().join("run"), &["--json"]);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    let by = &json["aborted_by"];
    assert_eq!((&by["expr"], &by["passed"]), (&"p50>0s".into(), &false.into()), "{by}");
    assert!(by["measured"].as_f64().unwrap() > 0.0, "{by}");
    assert!(json["requests"]["total"].as_u64().unwrap() >= 100, "{}", json["requests"]);
    assert_eq!(json["plan"]["abort_on"], serde_json::json!(["errors>50%", "p50>0s"]));
    assert_eq!(code_on_an_idle_machine(&folder.path().join("run")), Some(99));
}

#[test]
fn run_within_its_thresholds_ends_as_planned() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--rate", "200/s", "--duration", "2500ms", "--abort-on", "error.reset>0,p50>1h"];
    let output =
        bench(folder.path(), &[&["--spawn", "--json", "--out", "run"], &flags[..]].concat());
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(json["aborted_by"].is_null() && json["requests"]["stopped_early"].is_null());
    assert_eq!(json["requests"]["total"], 500, "{}", stderr(&output));
    assert_eq!(code_on_an_idle_machine(&folder.path().join("run")), Some(0));
}

#[test]
fn broken_invariant_comes_before_the_end_by_a_threshold() {
    let folder = tempfile::tempdir().unwrap();
    with(FaultyServer::default(), |url| {
        let flags = ["--target", url, "--admin-token", TOKEN, "--abort-on", "rate>1/s"];
        let output = bench(folder.path(), &[&ENDLESS[..], &flags].concat());
        assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
        assert!(stdout(&output).contains("--abort-on rate>1/s: "), "{}", stdout(&output));
        assert!(last_line(&output).starts_with("OVERSOLD by "), "{}", stdout(&output));
    });
}

#[test]
fn threshold_of_the_environment_is_relative_to_a_recorded_run() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(bench(folder.path(), &["--spawn", "--out", "base"]).status.code(), Some(0));
    let mut command = seckill();
    command.env("SECKILL_ABORT_ON", "max>0.000000001x").current_dir(folder.path());
    command.args(["bench", "--spawn", "--quiet", "--baseline", "base"]).args(ENDLESS);
    let output = command.output().unwrap();
    assert!(stdout(&output).starts_with("CROSSED    max>0.000000001x: "), "{}", stdout(&output));
    assert_eq!(stderr(&output), "", "--quiet");
}

#[test]
fn figures_of_the_end_and_wrong_expressions_exit_2() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("p.toml"), "abort-on = [\"gini>0.5\"]\n").unwrap();
    let cases: &[(&[&str], &str)] = &[
        (
            &["--abort-on", "oversold>0"],
            "seckill: --abort-on: oversold is known only after the run\n  oversold>0\n  ^^^^^^^^ a \
             latency, lag, errors, rate, outcome.… or error.… is expected here\n",
        ),
        (&["--abort-on", "p99>50"], "--abort-on: a limit that does not fit p99: 50\n"),
        (&["--abort-on", "p99>2x"], "--abort-on: a relative limit without a baseline\n"),
        (&["--profile", "p.toml"], "abort-on in p.toml:1: gini is known only after the run\n"),
    ];
    for (flags, message) in cases {
        let output = bench(folder.path(), &[&["--spawn"], *flags].concat());
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
        assert!(stderr(&output).contains(message), "{flags:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "");
    }
}
