//! Runs cases, several at a time, and compares the auditor's answers with what is expected.

use std::process::Output;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::case::{Case, Expected};
use crate::child::seckill;
use crate::server::{Process, TOKEN};

/// Cases at a time: they wait for most of their time.
const PARALLEL: usize = 14;

/// The longest time for one run, far above what it needs on a busy machine.
const RUN_MAX: Duration = Duration::from_secs(60);

/// What an invariant that is broken may break as well: another rule sees the same contradiction.
const CONSEQUENCES: &[(&str, &[&str])] = &[
    ("accepted_kept", &["ids_answered_once"]),
    ("answers_true", &["ids_answered_once", "stock_reads_bounded"]),
    ("earlier_kept", &["stock_reads_bounded"]),
    ("never_oversold", &["stock_reads_bounded", "views_agree"]),
    ("no_unsold_stock", &["sold_out_true"]),
    ("request_ids_unique", &["ids_answered_once"]),
    ("results_true", &["ids_answered_once", "stock_reads_bounded"]),
    ("stock_conserved", &["stock_reads_bounded", "views_agree"]),
    ("terms_kept", &["stock_reads_bounded", "views_agree"]),
];

/// Whether at least one of the expected invariants is named, and no other but what follows.
fn is_right(named: &[String], expected: &[&str]) -> bool {
    let is_expected = |name: &String| expected.contains(&name.as_str());
    let follows = |name: &String| {
        let of = |(cause, effects): &(&str, &[&str])| {
            expected.contains(cause) && effects.contains(&name.as_str())
        };
        CONSEQUENCES.iter().any(of)
    };
    named.iter().any(is_expected) && named.iter().all(|name| is_expected(name) || follows(name))
}

/// Loads the server of a case. Flags that are not given have small values.
pub(crate) fn bench(case: &Case, url: &str, flags: &[&str], is_json: bool) -> Output {
    let mut command = seckill();
    command.args(["bench", "--target", url, "--admin-token", TOKEN]);
    // A right server is decided soon, however busy the machine is; a lie may never be.
    // A standstill shows after five seconds of waiting.
    let settle_timeout = match case.expected {
        Expected::Pass => "10s",
        Expected::Fail(["accepted_decided"]) => "6s",
        _ => "2s",
    };
    let defaults = [("--threads", "10"), ("--loops", "10"), ("--settle-timeout", settle_timeout)];
    for (flag, value) in defaults {
        if !flags.contains(&flag) {
            command.args([flag, value]);
        }
    }
    if is_json {
        command.arg("--json");
    }
    let name = case.name;
    let output = command.args(flags).output();
    output.unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The problem of a case whose server had no occasion to lie.
const NOT_LIED: &str = "the server has not lied";

/// How often such a case is tried.
const TRIES_MAX: usize = 3;

/// Runs the cases, and returns a line for each whose answer is not the expected one. With the
/// variable `LIES_ONLY`, only those are run whose names contain its value.
pub(crate) fn all(cases: impl Iterator<Item = &'static Case>) -> Vec<String> {
    let wanted = std::env::var("LIES_ONLY").unwrap_or_default();
    let cases: Vec<_> = cases.filter(|case| case.name.contains(&wanted)).collect();
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..PARALLEL {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(problem) = judge_until_it_lies(case) {
                        failures.lock().unwrap().push(format!("  {}: {problem}", case.name));
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort_unstable();
    failures
}

/// Judges a case. A load may give a liar no occasion: on a busy machine all attempts may win or be
/// refused. So it is tried again then.
fn judge_until_it_lies(case: &Case) -> Result<(), String> {
    let mut judged = judge(case);
    for _ in 1..TRIES_MAX {
        if judged.as_ref().is_err_and(|problem| problem == NOT_LIED) {
            judged = judge(case);
        }
    }
    judged
}

fn judge(case: &Case) -> Result<(), String> {
    let server = Process::start(case.name);
    for flags in case.load.split(|flag| *flag == "then") {
        let began = Instant::now();
        let output = bench(case, &server.url, flags, true);
        let took = began.elapsed();
        let is_a_lie =
            !matches!(case.expected, Expected::Pass | Expected::NotAccused | Expected::Refused);
        if is_a_lie && case.is_ready && !server.has_lied() {
            return Err(NOT_LIED.to_owned());
        }
        compare(case, &output)?;
        if took > RUN_MAX {
            return Err(format!("took {took:?}"));
        }
    }
    Ok(())
}

fn compare(case: &Case, output: &Output) -> Result<(), String> {
    let code = output.status.code();
    if matches!(case.expected, Expected::Refused) {
        let is_refused = code == Some(2) && output.stdout.is_empty();
        return if is_refused { Ok(()) } else { Err(format!("not refused, but exit {code:?}")) };
    }
    let Ok(json) = serde_json::from_slice::<Value>(&output.stdout) else {
        return Err(format!("exit {code:?}: {}", String::from_utf8_lossy(&output.stderr)));
    };
    let audit = &json["audit"];
    let violations = audit["violations"].as_array().map_or(&[][..], Vec::as_slice);
    let named = |violation: &Value| violation["invariant"].as_str().map(str::to_owned);
    let named: Vec<String> = violations.iter().filter_map(named).collect();
    // A busy machine invalidates the figures of a run, but not its audit.
    let is_invalid = code == Some(5) && json["generator"]["valid"] == false;
    let is_expected = match case.expected {
        Expected::Pass => (code == Some(0) || is_invalid) && audit["verdict"] == "pass",
        Expected::NotAccused => matches!(code, Some(0 | 4)) || is_invalid,
        Expected::Unknown | Expected::Refused => code == Some(4),
        Expected::Fail(expected) => code == Some(3) && is_right(&named, expected),
        Expected::FailOrUnknown(expected) => {
            code == Some(4) || (code == Some(3) && is_right(&named, expected))
        }
    };
    if is_expected {
        return Ok(());
    }
    let shown = |violation: &Value| {
        let witness = violation["witnesses"][0].as_str().unwrap_or_default();
        format!("{} x{} ({witness})", violation["invariant"], violation["count"])
    };
    let shown: Vec<String> = violations.iter().map(shown).collect();
    let errors = &json["requests"]["errors"];
    let because = audit["because"].as_str().unwrap_or_default();
    Err(format!(
        "expected {:?}, got exit {code:?}, broken [{}], errors {errors}, {because}",
        case.expected,
        shown.join(", ")
    ))
}
