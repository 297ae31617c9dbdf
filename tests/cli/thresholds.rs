//! Thresholds as a CI job sets them: `--fail-if`, `--baseline`, their results and exit codes.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use super::verdicts::{FaultyServer, with};
use super::{TOKEN, bench, last_line, recorded, stderr, stdout};
use crate::support::child::seckill;

const LOAD: [&str; 5] = ["--spawn", "--threads", "5", "--loops", "4"];
const ALL_WIN: [&str; 3] = ["--", "--stock", "50"];
const PASSED: &str = "NOT OVERSOLD: stock 50, sold 20, left 30";

/// Runs the load with these flags on a sale that every attempt wins, and checks the exit code.
#[track_caller]
fn run(folder: &Path, flags: &[&str], code: i32) -> Output {
    let output = bench(folder, &[&LOAD[..], flags, &ALL_WIN].concat());
    assert_eq!(
        output.status.code(),
        Some(code),
        "{flags:?}: {}{}",
        stderr(&output),
        stdout(&output)
    );
    output
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The expressions of a result, each with whether it passed.
fn passed(json: &Value) -> Vec<(&str, bool)> {
    let results = json["thresholds"].as_array().unwrap().iter();
    results.map(|one| (one["expr"].as_str().unwrap(), one["passed"].as_bool().unwrap())).collect()
}

#[test]
fn thresholds_that_hold_leave_a_run_passed() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--fail-if", "p99>1h", "--fail-if", "oversold>0, outcome.draining>0%"];
    let output = run(folder.path(), &flags, 0);
    let report = stdout(&output);
    let lines: Vec<_> = report.lines().filter(|line| line.starts_with("Passed ")).collect();
    assert_eq!(lines.len(), 4, "{report}");
    assert!(lines[0].starts_with("Passed     p99>1h: "), "{report}");
    let others = ["oversold>0: 0", "outcome.draining>0%: 0.000%", "errors>1%: 0.000%"];
    assert_eq!(lines[1..], others.map(|line| format!("Passed     {line}")), "{report}");
    assert_eq!(last_line(&output), PASSED);
    assert_eq!(
        stdout(&run(folder.path(), &[&flags[..], &["--quiet"]].concat(), 0)).lines().count(),
        1
    );
}

#[test]
fn every_comparison_can_be_crossed() {
    let folder = tempfile::tempdir().unwrap();
    let crossed = [
        "p99>0s",
        "latency.max>=1us",
        "min<1h",
        "corrected.p50<=1h",
        "accepted.p999>0s",
        "latency.mean>0s",
        "first_byte.stddev>=0s",
        "connect.p90>0s",
        "lag.p95<1h",
        "settle.max>0s",
        "errors>=0%",
        "error.timeout<1",
        "rate<10M/s",
        "outcome.queued>49%",
        "outcome.queued>=10",
        "server.rss_bytes_max>1KiB",
        "generator.rss_bytes_max>1k",
        "oversold>=0",
        "fifo_violations>=0",
        "gini<=1",
    ];
    let output = run(folder.path(), &["--json", "--fail-if", &crossed.join(",")], 99);
    let json = json(&output);
    assert_eq!(passed(&json), crossed.map(|expr| (expr, false)));
    for result in json["thresholds"].as_array().unwrap() {
        let (measured, limit) = (&result["measured"], &result["limit"]);
        assert!(measured.is_number() && limit.is_number(), "{result}");
        assert!(result["baseline"].is_null() && result["unit"].is_string(), "{result}");
    }
    assert_eq!(json["thresholds"][0]["measured"], json["latency_us"]["p99"].as_f64().unwrap());
    let queued = json!({"expr": "outcome.queued>=10", "metric": "outcome.queued", "unit": "count",
        "measured": 20.0, "limit": 10.0, "baseline": null, "passed": false});
    assert_eq!(json["thresholds"][14], queued);
    assert_eq!(json["audit"]["verdict"], "pass");
}

#[test]
fn crossed_thresholds_are_in_the_report_and_with_quiet_before_the_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let one = run(folder.path(), &["--fail-if", "outcome.queued>49%"], 99);
    assert_eq!(last_line(&one), format!("{PASSED} (but outcome.queued>49% was crossed)"));
    assert!(
        stdout(&one).contains("\nCROSSED    outcome.queued>49%: 100.000%\n"),
        "{}",
        stdout(&one)
    );
    assert!(stdout(&one).contains("\nPassed     errors>1%: 0.000%\n"), "{}", stdout(&one));
    let flags = ["--quiet", "--fail-if", "outcome.queued>9,p99>1h,oversold>=0"];
    let expected = format!(
        "CROSSED    outcome.queued>9: 20\nCROSSED    oversold>=0: 0\n\
         {PASSED} (but outcome.queued>9 and oversold>=0 were crossed)\n"
    );
    assert_eq!(stdout(&run(folder.path(), &flags, 99)), expected);
}

#[test]
fn what_was_not_measured_is_crossed() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["--fail-if", "failed.p99>1h,refused.p99<1h"], 99);
    assert!(stdout(&output).contains("CROSSED    failed.p99>1h: not measured\n"));
    assert!(stdout(&output).contains("CROSSED    refused.p99<1h: not measured\n"));
    let refused = ["--fail-if", "refused.p99>1h", "--", "--stock", "0"];
    let output = bench(folder.path(), &[&LOAD[..], &refused].concat());
    assert_eq!(output.status.code(), Some(0), "{}{}", stderr(&output), stdout(&output));
    let unaudited = ["oversold>0", "fifo_violations>0", "gini>0.5", "settle.p99>1h"];
    let flags = ["--json", "--no-audit", "--fail-if", &unaudited.join(",")];
    let json = json(&run(folder.path(), &flags, 99));
    let all = unaudited.map(|expr| (expr, false)).into_iter().chain([("errors>1%", true)]);
    assert_eq!(passed(&json), all.collect::<Vec<_>>());
    assert!(json["thresholds"][0]["measured"].is_null(), "{json:#}");
}

#[test]
fn limit_of_errors_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    for (flags, expected) in [
        (&["--max-errors", "50%"][..], &["errors>50%"][..]),
        (&["--fail-if", "errors>5%"], &["errors>5%"]),
        (&["--fail-if", "errors>5%", "--max-errors", "7%"], &["errors>5%", "errors>7%"]),
    ] {
        let json = json(&run(folder.path(), &[&["--json"], flags].concat(), 0));
        let expressions: Vec<_> = passed(&json).into_iter().map(|(expr, _)| expr).collect();
        assert_eq!(expressions, expected);
    }
}

#[test]
fn lower_exit_codes_come_first() {
    let folder = tempfile::tempdir().unwrap();
    let crossed = ["--fail-if", "oversold>=0", "--admin-token", TOKEN, "--target"];
    with(FaultyServer::default(), |url| {
        let output = bench(folder.path(), &[&crossed[..], &[url, "--threads", "5"]].concat());
        assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
        assert!(stdout(&output).contains("CROSSED    oversold>=0: 4\n"), "{}", stdout(&output));
    });
    with(FaultyServer::never_settling(), |url| {
        let args = [&crossed[..], &[url, "--settle-timeout", "100ms"]].concat();
        let output = bench(folder.path(), &args);
        assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
        // Attempts that are not decided may be orders above the stock.
        assert!(stdout(&output).contains("CROSSED    oversold>=0: not measured\n"));
    });
    let output = run(folder.path(), &["--warmup", "1h", "--fail-if", "p99>1h"], 5);
    assert!(stdout(&output).contains("CROSSED    p99>1h: not measured\n"), "{}", stdout(&output));
}

#[test]
fn relative_thresholds_compare_with_a_recorded_run() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["--out", "base"], 0);
    let base = std::fs::read_to_string(folder.path().join("base/run.json")).unwrap();
    let base: Value = serde_json::from_str(&base).unwrap();
    let thresholds = ["p99>1000000x", "outcome.queued>1x", "errors>2x", "max>0.000000001x"];
    let flags = ["--json", "--out", "head", "--baseline", "base", "--fail-if"];
    let joined = thresholds.join(",");
    let json = json(&run(folder.path(), &[&flags[..], &[&joined]].concat(), 99));
    assert_eq!(
        passed(&json)[..3],
        [(thresholds[0], true), (thresholds[1], true), ("errors>2x", true)]
    );
    assert_eq!(passed(&json)[3], (thresholds[3], false));
    let of = |at: usize, key: &str| json["thresholds"][at][key].as_f64();
    assert_eq!(of(0, "baseline"), base["latency_us"]["p99"].as_f64());
    assert_eq!((of(1, "baseline"), of(1, "limit")), (Some(1.0), Some(1.0)));
    assert_eq!((of(2, "baseline"), of(2, "limit")), (Some(0.0), Some(0.0)));
    assert_eq!(of(3, "baseline"), base["latency_us"]["max"].as_f64());
    // The recorded run is judged by the same limits, without its baseline.
    std::fs::remove_dir_all(folder.path().join("base")).unwrap();
    let audit = recorded("audit", &folder.path().join("head"), &["--json"]);
    assert_eq!(audit.status.code(), Some(99), "{}", stderr(&audit));
    assert_eq!(self::json(&audit)["thresholds"], json["thresholds"]);
}

#[test]
fn baseline_that_cannot_be_used_ends_before_the_run() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["--out", "base", "--no-audit"], 0);
    let relative = ["--fail-if", "p99>1.2x"];
    let cases: &[(&[&str], i32, &str)] = &[
        (&relative, 2, "^^^^ is relative to a recorded run: add --baseline DIR"),
        (&["--baseline", "base", "--fail-if", "failed.p99>2x"], 2, "has not measured failed.p99"),
        (&["--baseline", "base", "--fail-if", "oversold>2x"], 2, "has not measured oversold"),
        (&["--baseline", "none", relative[0], relative[1]], 1, "none/run.json: there is no such"),
    ];
    for (flags, code, problem) in cases {
        let output = run(folder.path(), flags, *code);
        assert!(stderr(&output).contains(problem), "{flags:?}: {}", stderr(&output));
        assert!(!stderr(&output).contains("spawned"), "{}", stderr(&output));
        assert_eq!(stdout(&output), "", "{flags:?}");
    }
}

#[test]
fn recorded_runs_are_judged_by_their_thresholds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let output = run(folder.path(), &["--out", "run", "--fail-if", "outcome.queued>9"], 99);
    for (verb, code) in [("audit", 99), ("report", 0)] {
        let again = recorded(verb, &path, &[]);
        assert_eq!((again.status.code(), stdout(&again)), (Some(code), stdout(&output)), "{verb}");
    }
    let file = path.join("run.json");
    let text = std::fs::read_to_string(&file).unwrap();
    let with = |thresholds: Option<Value>| {
        let mut json: Value = serde_json::from_str(&text).unwrap();
        match thresholds {
            Some(thresholds) => json["thresholds"] = thresholds,
            None => drop(json.as_object_mut().unwrap().remove("thresholds")),
        }
        std::fs::write(&file, json.to_string()).unwrap();
        recorded("audit", &path, &[])
    };
    // The recorded conclusion does not count; a run without thresholds has the limit of errors.
    let one = json!({"expr": "outcome.queued>=10", "metric": "p99", "unit": "us", "measured": 1.0,
        "limit": 2.0, "baseline": null, "passed": true});
    assert_eq!(with(Some(json!([one]))).status.code(), Some(99));
    let older = with(None);
    assert_eq!(older.status.code(), Some(0), "{}", stderr(&older));
    assert!(stdout(&older).contains("Passed     errors>1%: 0.000%\n"), "{}", stdout(&older));
    let mut unknown = one.clone();
    unknown["expr"] = json!("p98>1\u{1b}[2J");
    let damaged = with(Some(json!([unknown])));
    assert_eq!(damaged.status.code(), Some(1));
    let problem = "run.json: its threshold p98>1\\u{1b}[2J cannot be evaluated: p98 is no metric\n";
    assert!(stderr(&damaged).ends_with(problem), "{}", stderr(&damaged));
}

#[test]
fn environment_and_profile_set_thresholds() {
    let folder = tempfile::tempdir().unwrap();
    let profile = "fail-if = [\"p99>1h\",\n  \"errors>5%\"]\n";
    std::fs::write(folder.path().join("p.toml"), profile).unwrap();
    let expressions = |variable: Option<&str>, flags: &[&str]| {
        let mut command = seckill();
        command.envs(variable.map(|value| ("SECKILL_FAIL_IF", value)));
        command.arg("bench").args(LOAD).args(["--json", "--profile", "p.toml"]);
        let output = command.args(flags).current_dir(folder.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let json = json(&output);
        let given = json["plan"]["fail_if"].as_array().unwrap().len();
        let names: Vec<_> = passed(&json).iter().map(|(expr, _)| (*expr).to_owned()).collect();
        (given, names.join(" "))
    };
    assert_eq!(expressions(None, &[]), (2, "p99>1h errors>5%".into()));
    let of_environment = expressions(Some("p90>1h,errors>6%"), &[]);
    assert_eq!(of_environment, (2, "p90>1h errors>6%".into()));
    let of_flags = expressions(Some("p90>1h"), &["--fail-if", "p50>1h"]);
    assert_eq!(of_flags, (1, "p50>1h errors>1%".into()));
}

/// As a CI job runs it, on a machine that may be too busy for its figures to count.
#[test]
fn profile_for_ci_holds_its_thresholds() {
    let folder = tempfile::tempdir().unwrap();
    let profile = concat!(env!("CARGO_MANIFEST_DIR"), "/profiles/ci.toml");
    let run = || bench(folder.path(), &["--spawn", "--profile", profile, "--json"]);
    let mut runs = (0..3).map(|_| run());
    let output = runs.find(|run| run.status.code() != Some(5)).unwrap_or_else(run);
    let code = output.status.code();
    let json = json(&output);
    let valid = json["generator"]["valid"].as_bool();
    assert!(matches!((code, valid), (Some(0), Some(true)) | (Some(5), Some(false))), "{json:#}");
    let thresholds = ["errors>0", "oversold>0", "accepted.p99>2s", "settle.p99>2s"];
    let results = passed(&json);
    assert_eq!(results.iter().map(|(expr, _)| *expr).collect::<Vec<_>>(), thresholds);
    // The latencies of an invalid run say nothing.
    assert!(code == Some(5) || results.iter().all(|(_, passed)| *passed), "{json:#}");
    assert_eq!(json["plan"]["fail_if"], json!(thresholds));
}

#[test]
fn wrong_expressions_exit_2_and_show_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let profile = "threads = 1\nfail-if = [\"p99>1h\", \"acepted.p99>5ms\"]\n";
    std::fs::write(folder.path().join("p.toml"), profile).unwrap();
    let cases: &[(&[&str], &str)] = &[
        (
            &["--fail-if", "p99>50"],
            "seckill: --fail-if: a limit that does not fit p99: 50\n  p99>50\n      ^^ a time with \
             its unit is expected here: p99>50ms\n",
        ),
        (&["--fail-if", "p99>1h,"], "seckill: --fail-if: no metric\n  \n  ^ a metric is expected"),
        (
            &["--fail-if", "outcome.sold_uot>5%"],
            "^^^^^^^^ an outcome is expected here: queued, won",
        ),
        (&["--fail-if", "outcome.sold_uot>5%"], "; did you mean outcome.sold_out?\n"),
        (&["--fail-if", "a\u{1b}b>5%"], "a\\u{1b}b is no metric"),
        (
            &["--profile", "p.toml"],
            "seckill: fail-if in p.toml:2: acepted.p99 is no metric\n  acepted",
        ),
    ];
    for (flags, message) in cases {
        let output = run(folder.path(), flags, 2);
        assert!(stderr(&output).contains(message), "{flags:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "");
    }
    let many = vec!["p99>1h"; 201].join(",");
    let output = run(folder.path(), &["--fail-if", &many], 2);
    assert_eq!(stderr(&output), "seckill: --fail-if: 201 are over 200\n");
}
