//! The step that runs the bench: its flags, exit code and outputs.

use std::process::Output;

use serde_json::Value;

use super::job::Job;
use crate::{stderr, stdout};

const LOAD: &str = "--spawn --threads 5 --loops 4";

#[track_caller]
fn assert_code(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}{}", stdout(output), stderr(output));
}

/// The thresholds that a run of this job was judged by.
fn thresholds(job: &Job) -> Vec<String> {
    let run: Value = serde_json::from_str(&job.read("workspace/run/run.json")).unwrap();
    let thresholds = run["thresholds"].as_array().unwrap();
    thresholds.iter().map(|one| one["expr"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn passed_run_sets_outputs_and_adds_to_the_summary() {
    let Some(job) = Job::new() else { return };
    let args = format!("{LOAD}\n--item 'a-tea'\n-- --stock \"30\"");
    assert_code(&job.step(&["run.sh"], &[("INPUT_ARGS", &args)]), 0);
    let outputs = job.outputs();
    let set = ["exit-code", "verdict", "report"].map(|name| outputs[name].as_str());
    assert_eq!(set, ["0", "pass", "run/report.html"]);
    assert!(job.path("workspace/run/report.html").exists());
    let summary = job.read("summary");
    assert!(summary.contains("NOT OVERSOLD: stock 30, sold 20, left 10"), "{summary}");
    let run: Value = serde_json::from_str(&job.read("workspace/run/run.json")).unwrap();
    assert_eq!(run["plan"]["item"], "a-tea");
}

#[test]
fn failing_audit_keeps_its_exit_code_and_is_commented_on() {
    let Some(job) = Job::new() else { return };
    // Many attempts are queued before the last unit is sold.
    let args = "--spawn --threads 300 --stampede -- --flaw off-by-one";
    let (bench, comment) = job.run(&[("INPUT_ARGS", args)]);
    assert_code(&bench, 3);
    assert_code(&comment, 0);
    let outputs = job.outputs();
    assert_eq!((&*outputs["exit-code"], &*outputs["verdict"]), ("3", "fail"));
    assert!(job.read("summary").contains("OVERSOLD by 1"), "{}", job.read("summary"));
    let comments = job.comments();
    let body = comments[0]["body"].as_str().unwrap();
    assert!(body.contains("OVERSOLD by 1") && body.contains("\nExit code 3 · "), "{body}");
}

#[test]
fn bench_that_cannot_run_is_not_mistaken_for_an_earlier_run() {
    let Some(job) = Job::new() else { return };
    assert_code(&job.run(&[("INPUT_ARGS", LOAD)]).0, 0);
    assert!(job.comments()[0]["body"].as_str().unwrap().contains("NOT OVERSOLD"));
    let (bench, comment) = job.run(&[("INPUT_ARGS", "--spawn --thread 5")]);
    assert_code(&bench, 2);
    assert_code(&comment, 0);
    let outputs = job.outputs();
    let set = ["exit-code", "verdict", "report"].map(|name| outputs[name].as_str());
    assert_eq!(set, ["2", "", ""]);
    let comments = job.comments();
    let body = comments[0]["body"].as_str().unwrap();
    assert!(body.contains("The bench could not run") && body.contains("Exit code 2"), "{body}");
    assert!(!body.contains("OVERSOLD"), "{body}");
}

#[test]
fn arguments_are_words_and_never_commands() {
    let Some(job) = Job::new() else { return };
    for args in ["$(touch made)", "`touch made`", "; touch made", "--spawn\n&& touch made", "'"] {
        assert_code(&job.step(&["run.sh"], &[("INPUT_ARGS", args)]), 2);
        assert_eq!(job.outputs()["exit-code"], "2");
    }
    let output = job.step(&["run.sh"], &[("INPUT_OUT", "a\nverdict=pass")]);
    assert_code(&output, 2);
    assert!(!job.read("output").contains("verdict=pass"), "{}", job.read("output"));
    for input in ["INPUT_PROFILE", "INPUT_FAIL_IF", "INPUT_OUT"] {
        let inputs = [("INPUT_ARGS", LOAD), (input, "$(touch made)")];
        job.step(&["run.sh"], &inputs);
    }
    assert!(!job.path("workspace/made").exists());
}

#[test]
fn relative_thresholds_wait_for_a_baseline() {
    let Some(job) = Job::new() else { return };
    let thresholds_given = "p99>1h\n\n  p50>1000000x \nrate<0.000001x,errors>5%";
    let inputs =
        [("INPUT_ARGS", LOAD), ("INPUT_BASELINE", "base"), ("INPUT_FAIL_IF", thresholds_given)];
    let first = job.step(&["run.sh"], &inputs);
    assert_code(&first, 0);
    assert_eq!(thresholds(&job), ["p99>1h", "errors>5%"]);
    let warning = "::warning title=seckill::there is no run in base: p50>1000000x is left out\n";
    assert!(stdout(&first).contains(warning), "{}", stdout(&first));
    std::fs::rename(job.path("workspace/run"), job.path("workspace/base")).unwrap();
    let second = job.step(&["run.sh"], &inputs);
    assert_code(&second, 0);
    assert_eq!(thresholds(&job), ["p99>1h", "p50>1000000x", "rate<0.000001x", "errors>5%"]);
    assert!(!stdout(&second).contains("::warning"), "{}", stdout(&second));
}

#[test]
fn profile_is_looked_for_in_the_workspace_and_then_in_the_action() {
    let Some(job) = Job::new() else { return };
    let args = "--spawn --threads 5 --ramp 0s --duration 200ms";
    let inputs = [("INPUT_ARGS", args), ("INPUT_PROFILE", "profiles/ci.toml")];
    job.step(&["run.sh"], &inputs);
    assert!(thresholds(&job).contains(&"accepted.p99>2s".to_owned()));
    job.write("workspace/profiles/ci.toml", "fail-if = [\"p99>1h\"]");
    job.step(&["run.sh"], &inputs);
    assert_eq!(thresholds(&job), ["p99>1h", "errors>1%"]);
}
