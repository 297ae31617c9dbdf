//! A recorded run is judged again with the same verdict and exit code, and printed again.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Child;

use rustix::process::Signal;
use serde_json::Value;

use super::verdicts::{FaultyServer, with};
use super::{TOKEN, bench, last_line, recorded, stderr, stdout};
use crate::support::child::{self, Serving, eventually, seckill, signal};

/// Runs a bench that is recorded, and checks that the recording says the same, audited and printed
/// again. Returns the verdict line.
///
/// `audit` may change the section `audit` of the result, and only if it judges by other rules than
/// the program that recorded the run; here both are the same program.
#[track_caller]
fn record(args: &[&str], code: i32) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = bench(folder.path(), &[&["--out", "run"], args].concat());
    assert_eq!(output.status.code(), Some(code), "{}{}", stderr(&output), stdout(&output));
    assert_recorded(&folder.path().join("run"), &stdout(&output), code);
    last_line(&output)
}

#[track_caller]
fn assert_recorded(run: &Path, printed: &str, code: i32) {
    let json = std::fs::read_to_string(run.join("run.json")).unwrap();
    let verdict = printed.lines().last().unwrap();
    let crossed = printed.lines().filter(|line| line.starts_with("CROSSED "));
    let quiet: String = crossed.chain([verdict]).map(|line| format!("{line}\n")).collect();
    for (verb, code) in [("audit", code), ("report", 0)] {
        for (args, expected) in [(&[][..], printed), (&["--quiet"], &quiet), (&["--json"], &json)] {
            let again = recorded(verb, run, args);
            assert_eq!(again.status.code(), Some(code), "{verb} {args:?}: {}", stderr(&again));
            assert_eq!(stdout(&again), expected, "{verb} {args:?}");
            assert_eq!(stderr(&again), "", "{verb} {args:?}");
        }
    }
}

#[test]
fn passed_run_passes_again() {
    let plain = ["--spawn", "--threads", "20", "--loops", "3"];
    let open = ["--spawn", "--rate", "200/s", "--duration", "1s", "--double-click", "50%"];
    let retried = ["--spawn", "--threads", "20", "--retry", "2", "--buyers", "50:1.1", "--follow"];
    let stampede = ["--spawn", "--threads", "20", "--stampede", "--item", "tea"];
    let limited = ["--", "--rate-limit", "50/s"];
    for args in
        [plain.to_vec(), open.to_vec(), [&retried[..], &limited].concat(), stampede.to_vec()]
    {
        // How many are sold depends on how many buyers there are among the clicks.
        assert!(record(&args, 0).starts_with("NOT OVERSOLD: stock 10, sold "), "{args:?}");
    }
}

#[test]
fn run_on_a_sale_with_earlier_orders_passes_again() {
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(folder.path(), &["--admin-token", TOKEN]);
    let args = ["--target", &server.url, "--admin-token", TOKEN, "--threads", "6"];
    assert_eq!(record(&args, 0), "NOT OVERSOLD: stock 10, sold 6, left 4");
    assert_eq!(record(&args, 0), "NOT OVERSOLD: stock 10, sold 10, left 0");
}

#[test]
fn failed_run_fails_again() {
    with(FaultyServer::default(), |url| {
        let args = ["--target", url, "--threads", "13", "--admin-token", TOKEN];
        assert_eq!(record(&args, 3), "OVERSOLD by 12: stock 1, sold 13");
    });
    let args = ["--spawn", "--threads", "100", "--", "--flaw", "global-result"];
    let verdict = record(&args, 3);
    assert!(verdict.starts_with("FAILED (results_true"), "{verdict}");
}

#[test]
fn undecided_run_is_undecided_again() {
    with(FaultyServer::never_settling(), |url| {
        let args = ["--target", url, "--settle-timeout", "100ms", "--admin-token", TOKEN];
        let verdict = record(&args, 4);
        assert!(verdict.starts_with("UNKNOWN, not a pass: 1 attempts were still"), "{verdict}");
    });
    // Without a single decision, the run proves nothing.
    let verdict = record(&["--spawn", "--", "--opens-at", "+1h"], 4);
    assert!(verdict.starts_with("UNKNOWN, not a pass: no attempt was accepted"), "{verdict}");
}

#[test]
fn run_without_an_audit_has_none_again() {
    let verdict = record(&["--spawn", "--no-audit"], 0);
    assert_eq!(verdict, "NOT AUDITED: --no-audit was given");
}

#[test]
fn invalid_run_is_invalid_again() {
    let verdict = record(&["--spawn", "--threads", "2", "--warmup", "1h"], 5);
    let but = "(but the run is INVALID, and errors>1% was not measured)";
    assert!(verdict.ends_with(but), "{verdict}");
}

/// Starts a bench that is recorded in `folder/run`.
fn start(folder: &Path, args: &[&str]) -> Child {
    let mut command = seckill();
    command.args(["bench", "--out", "run"]).args(args).current_dir(folder);
    command.spawn().unwrap()
}

/// Waits until a second of the run is in its folder.
fn wait_for_load(run: &Path) {
    eventually("a second of the run is over", || {
        std::fs::read_to_string(run.join("latency.hlog")).is_ok_and(|log| log.lines().count() > 4)
    });
}

const ENDLESS: [&str; 4] = ["--duration", "1h", "--think", "1ms"];

#[test]
fn run_on_a_server_that_died_is_undecided_again() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let server = Serving::start(&folder.path().join("data"), &["--admin-token", TOKEN]);
    let args = ["--target", &server.url, "--admin-token", TOKEN, "--settle-timeout", "100ms"];
    let bench = start(folder.path(), &[&ENDLESS[..], &args].concat());
    wait_for_load(&run);
    server.kill();
    signal(bench.id(), Signal::INT);
    let output = bench.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert!(last_line(&output).starts_with("UNKNOWN, not a pass: the ledger could not be read"));
    assert_recorded(&run, &stdout(&output), 4);
}

#[test]
fn run_whose_spawned_server_died_is_undecided() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let mut bench = start(folder.path(), &[&["--spawn"], &ENDLESS[..]].concat());
    let mut printed = BufReader::new(bench.stderr.take().unwrap());
    let mut line = String::new();
    printed.read_line(&mut line).unwrap();
    std::thread::spawn(move || std::io::copy(&mut printed, &mut std::io::sink()));
    wait_for_load(&run);
    let pid = line.split("spawned as process ").nth(1).unwrap_or_else(|| panic!("{line}"));
    signal(pid.split(':').next().unwrap().parse().unwrap(), Signal::KILL);
    let output = bench.wait_with_output().unwrap();
    // The run ended because its server did; the recording has a verdict all the same.
    assert_eq!(output.status.code(), Some(1));
    assert!(last_line(&output).starts_with("UNKNOWN, not a pass: "), "{}", stdout(&output));
    assert_recorded(&run, &stdout(&output), 4);
}

/// Interrupts a run after its load, while it waits for a server that never decides.
fn interrupt(end: impl FnOnce(&mut Child)) {
    with(FaultyServer::never_settling(), |url| {
        let folder = tempfile::tempdir().unwrap();
        let args = ["--target", url, "--admin-token", TOKEN, "--settle-timeout", "1m"];
        let mut bench = start(folder.path(), &args);
        let run = folder.path().join("run");
        eventually("what is known after the load is recorded", || {
            std::fs::metadata(run.join("run.json")).is_ok_and(|file| file.len() > 0)
        });
        end(&mut bench);
        let because = "the ledger could not be read: the run ended before the ledger was read";
        let audit = recorded("audit", &run, &[]);
        assert_eq!(audit.status.code(), Some(4), "{}", stderr(&audit));
        assert!(last_line(&audit).starts_with(&format!("UNKNOWN, not a pass: {because}; ")));
        assert_recorded(&run, &stdout(&audit), 4);
        let report = recorded("report", &run, &["--json"]);
        let report: Value = serde_json::from_slice(&report.stdout).unwrap();
        assert_eq!(report["requests"]["total"], 1, "{report:#}");
    });
}

#[test]
fn run_that_was_interrupted_twice_is_undecided() {
    interrupt(|bench| {
        signal(bench.id(), Signal::INT);
        let mut printed = BufReader::new(bench.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("send another signal to exit") {
            line.clear();
            assert!(printed.read_line(&mut line).unwrap() > 0, "the bench has ended");
        }
        signal(bench.id(), Signal::INT);
        assert_eq!(child::wait(bench).code(), Some(130));
    });
}

#[test]
fn run_that_was_killed_after_its_load_is_undecided() {
    interrupt(|bench| {
        bench.kill().unwrap();
        bench.wait().unwrap();
    });
}

#[test]
fn run_that_was_killed_during_its_load_has_no_result() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let mut bench = start(folder.path(), &[&["--spawn"], &ENDLESS[..]].concat());
    wait_for_load(&run);
    bench.kill().unwrap();
    bench.wait().unwrap();
    for verb in ["audit", "report"] {
        let output = recorded(verb, &run, &[]);
        assert_eq!(output.status.code(), Some(1), "{verb}");
        let problem = "it is empty: the run ended before its result could be written";
        let message = format!("seckill: {}: {problem}\n", run.join("run.json").display());
        assert_eq!(stderr(&output), message, "{verb}");
    }
}

#[test]
fn second_run_in_the_same_folder_replaces_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let first = ["--spawn", "--threads", "50", "--loops", "20", "--out", "run", "--follow"];
    assert_eq!(bench(folder.path(), &first).status.code(), Some(0));
    let second = ["--spawn", "--out", "run", "--", "--stock", "3"];
    let output = bench(folder.path(), &second);
    assert_eq!(last_line(&output), "NOT OVERSOLD: stock 3, sold 1, left 2");
    assert_recorded(&folder.path().join("run"), &stdout(&output), 0);
}

#[test]
fn folders_of_any_name_are_recorded_and_read() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["with space", "-dash", "a/b/../c", "ü 茶", "new\nline", "'quote\"", "tail/"] {
        let out = folder.path().join(name);
        let out_flag = format!("--out={}", out.to_str().unwrap());
        let output = bench(folder.path(), &["--spawn", &out_flag]);
        assert_eq!(output.status.code(), Some(0), "{name}: {}", stderr(&output));
        assert_recorded(&out, &stdout(&output), 0);
    }
}

#[test]
fn closed_stdout_pipe_is_no_error_for_a_recorded_run() {
    let folder = tempfile::tempdir().unwrap();
    let output = bench(folder.path(), &["--spawn", "--out", "run"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    for verb in ["audit", "report"] {
        let mut command = seckill();
        let mut printing = command.arg(verb).arg(folder.path().join("run")).spawn().unwrap();
        drop(printing.stdout.take());
        let output = printing.wait_with_output().unwrap();
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()), "{verb}");
    }
}
