//! The whole report for people, from fixed figures.

use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime};

use seckill::archive::{BrokerRecord, Parts, Run};
use seckill::history::Asked;
use seckill::judge::{
    Audit, Bounds, DeadLetters, Expression, Fairness, Gaps, Invalid, Invariant, NotChecked,
    OrderEnds, Payments, Threshold, Verdict, Violation,
};
use seckill::monitor::{CpuTrack, ProcessUsage, Usage};
use seckill::profile::{BenchFlags, Plan};
use seckill::report::{short, terminal};
use seckill::stats::{
    Click, ErrorKind, Outcome, Quantiles, Reason, Recorder, SaleNow, Sample, Series,
};
use seckill::sut::{Sut, Target};
use seckill::units::Share;
use serde_json::Value;

fn recorder() -> Recorder {
    let mut recorder = Recorder::default();
    let ms = Duration::from_millis;
    let samples = [
        (0, 1, Ok(Outcome::Accepted)),
        (100, 102, Ok(Outcome::Accepted)),
        (200, 212, Ok(Outcome::Refused(Reason::intern("sold_out")))),
        (1_000, 2_000, Err(ErrorKind::Timeout)),
    ];
    for (began, ended, result) in samples {
        recorder.record(&Sample {
            thread: 0,
            click: Click::First,
            intended: Some(ms(began)),
            began: ms(began),
            connected: None,
            sent: Some(ms(began)),
            first_byte: result.is_ok().then_some(ms(ended)),
            status: 0,
            ended: ms(ended),
            bytes_sent: 2048,
            bytes_received: 1024,
            result,
        });
    }
    recorder
}

fn run(audit: Audit, invalid: Vec<Invalid>) -> Run {
    let flags = BenchFlags { max_errors: Some(Share::percent(25)), ..BenchFlags::default() };
    run_of(&flags, &Series::default(), audit, invalid)
}

fn thresholds(plan: &Plan) -> Vec<Threshold> {
    let expressions = Expression::all(&plan.fail_if, plan.max_errors, &Sut::Seckill.outcomes());
    let thresholds = expressions.unwrap().into_iter();
    thresholds.map(|expression| Threshold::new(expression, None).unwrap()).collect()
}

fn run_of(flags: &BenchFlags, series: &Series, audit: Audit, invalid: Vec<Invalid>) -> Run {
    let process = ProcessUsage {
        cpu_us: 80_000,
        cpu_percent_before: 1.0,
        cpu_percent_mean: 20.0,
        cpu_percent_max: 30.0,
        cpu_percent_after: 2.0,
        rss_bytes_before: 1 << 20,
        rss_bytes_max: 3 << 20,
        rss_bytes_after: 2 << 20,
    };
    let plan = Plan::new(flags, 7).unwrap();
    Run::new(Parts {
        started: SystemTime::UNIX_EPOCH,
        sut: &Sut::Seckill,
        steps: Vec::new(),
        faults: Vec::new(),
        plan: &plan,
        target: &Target::new(Some("http://127.0.0.1:7001")).unwrap(),
        spawn: None,
        begun: Instant::now(),
        summary: &recorder().finish(),
        settle: Quantiles::of_durations([Duration::from_micros(1_500)]),
        usage: &Usage {
            steal_percent: 0.0,
            machine: Some(ProcessUsage { rss_bytes_max: 0, ..process }),
            generator: Some(process),
            server: None,
            track: CpuTrack::default(),
        },
        broker: None,
        audit,
        gaps: Gaps::default(),
        files: Default::default(),
        stock_left_before: 1,
        stopped: None,
        invalid,
        series,
        thresholds: &thresholds(&plan),
        aborted_by: None,
    })
}

pub(super) fn report(audit: Audit) -> Run {
    run(audit, Vec::new())
}

pub(super) fn oversold() -> Audit {
    Audit {
        verdict: Verdict::Fail,
        because: None,
        stock: Some(1),
        stock_left: Some(0),
        orders: Some(2),
        bounds: Some(Bounds { orders_min: 2, orders_max: 2 }),
        oversold: 1,
        accepted: 2,
        unresolved: 0,
        unknown_outcomes: 1,
        results: Asked { wanted: 3, answered: 3 },
        sent_again: Asked { wanted: 2, answered: 2 },
        fairness: Some(Fairness { fifo_violations: 1, largest_displacement: 2, gini: 0.5 }),
        dead_letters: Some(DeadLetters {
            count: 2,
            request_ids: vec!["7c9e6679-7425-40de-944b-e07fc1f90ae8".into()],
        }),
        payments: Some(Payments { paid: 2, expired: 1, unknown: 1, ..Payments::default() }),
        order_ends: Some(OrderEnds { held: 1, paid: 2, cancelled: 0, expired: 4 }),
        checked: vec![Invariant::NeverOversold],
        not_checked: Vec::new(),
        violations: vec![Violation {
            invariant: Invariant::NeverOversold,
            count: 1,
            witnesses: vec!["7c9e6679-7425-40de-944b-e07fc1f90ae7".into()],
            timelines: vec![
                "7c9e6679-7425-40de-944b-e07fc1f90ae7: +1.200 ms sent; +2.000 ms answered queued"
                    .into(),
            ],
            cause: Some("the stock was not checked".into()),
        }],
    }
}

/// What an orders' source without ids and without the units left does not allow to check.
pub(super) fn not_checked() -> Vec<NotChecked> {
    let not_checked = [
        (Invariant::StockConserved, "the units left are not told"),
        (Invariant::OrderIdsUnique, "the orders' source has no order ids"),
        (Invariant::StockExpected, "the units left are not told"),
    ];
    let of = |(invariant, because): (Invariant, &str)| NotChecked {
        invariant,
        because: because.to_owned(),
    };
    not_checked.map(of).to_vec()
}

#[test]
fn terminal_report_matches_snapshot() {
    insta::assert_snapshot!(terminal(&report(oversold()), false));
}

#[test]
fn short_report_matches_snapshot_and_fits_a_terminal() {
    let mut run = report(oversold());
    run.requests.cause = Some("a cause with many words ".repeat(8));
    let text = short(&run, false);
    let too_wide = text.lines().find(|line| line.chars().count() > 80);
    assert_eq!(too_wide, None, "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn verdict_is_the_last_line_and_sets_the_exit_code() {
    let pass = Audit {
        verdict: Verdict::Pass,
        orders: Some(1),
        oversold: 0,
        violations: vec![],
        ..oversold()
    };
    let unknown = Audit {
        verdict: Verdict::Unknown,
        because: Some("the ledger could not be read".into()),
        ..pass.clone()
    };
    let lost = Audit { verdict: Verdict::Fail, oversold: 0, ..oversold() };
    let cases = [
        (report(pass.clone()), 0, "NOT OVERSOLD: stock 1, sold 1, left 0"),
        (report(oversold()), 3, "OVERSOLD by 1: stock 1, sold 2"),
        (
            report(Audit { orders: Some(0), ..oversold() }),
            3,
            "OVERSOLD by 1 at one time: stock 1, sold 0 in the end",
        ),
        (report(lost), 3, "FAILED (never_oversold): stock 1, sold 2, left 0"),
        (report(unknown), 4, "UNKNOWN, not a pass: the ledger could not be read"),
        (
            run(pass, vec![Invalid::NothingMeasured]),
            5,
            "NOT OVERSOLD: stock 1, sold 1, left 0 (but the run is INVALID)",
        ),
    ];
    for (report, code, verdict) in cases {
        assert_eq!(report.exit_code(), code, "{verdict}");
        assert_eq!(terminal(&report, false).lines().last(), Some(verdict));
        assert_eq!(short(&report, false).lines().last(), Some(verdict));
        let coloured = terminal(&report, true);
        assert!(coloured.trim_end().ends_with(&format!("{verdict}\x1b[0m")), "{coloured}");
    }
}

#[test]
fn crossed_thresholds_and_an_early_end_have_their_exit_codes() {
    let pass = Audit { verdict: Verdict::Pass, orders: Some(1), oversold: 0, ..oversold() };
    let series = Series::default();
    let crossed = run_of(&BenchFlags::default(), &series, pass.clone(), Vec::new());
    let mut stopped = report(pass);
    stopped.requests.stopped_early = Some("a signal stopped it".into());
    let passed = "NOT OVERSOLD: stock 1, sold 1, left 0";
    for (run, code, verdict) in [
        (crossed, 99, format!("{passed} (but errors>1% was crossed)")),
        (stopped, 130, format!("STOPPED before the end of its plan. {passed}")),
    ] {
        assert_eq!(run.exit_code(), code, "{verdict}");
        assert_eq!(terminal(&run, false).lines().last(), Some(&*verdict));
    }
}

#[test]
fn json_agrees_with_terminal_report() {
    let json = serde_json::to_value(report(oversold())).unwrap();
    assert_eq!(json["requests"]["by_error"]["timeout"], 1);
    assert_eq!(json["requests"]["error_rate"], 0.25);
    assert_eq!(json["audit"]["violations"][0]["invariant"], "never_oversold");
    assert_eq!(json["audit"]["oversold"], 1);
    assert_eq!(json["generator"]["cpu_us_per_request"], 20_000.0);
}

/// Every key of a JSON value with the type of its value, as `a.b[].c: number`.
fn key_paths(value: &Value, path: &str, paths: &mut BTreeSet<String>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(items) => {
            items.iter().for_each(|item| key_paths(item, &format!("{path}[]"), paths));
            "array"
        }
        Value::Object(entries) => {
            let inner =
                |key: &str| if path.is_empty() { key.into() } else { [path, key].join(".") };
            entries.iter().for_each(|(key, value)| key_paths(value, &inner(key), paths));
            "object"
        }
    };
    paths.insert(format!("{path}: {kind}"));
}

/// Keys may be added, never removed or renamed: others read them.
#[test]
fn keys_of_the_result_match_snapshot() {
    let flags = |text: &str| toml::from_str::<BenchFlags>(text).unwrap();
    let mut series = Series::default();
    series.push(0, &recorder(), SaleNow { stock_left: Some(1), queued: Some(0) });
    let closed = flags("threads = 2\nstampede = true\nfollow = true\nretry = 1\nitem = \"tea\"");
    let open = flags("rate = \"50/s\"\nduration = \"1s\"");
    let audit = Audit { not_checked: not_checked(), ..oversold() };
    let mut runs = [closed, open].map(|flags| {
        let run = run_of(&flags, &series, audit.clone(), vec![Invalid::NothingMeasured]);
        let read: Run = serde_json::from_str(&serde_json::to_string(&run).unwrap()).unwrap();
        assert_eq!(read, run);
        run
    });
    // What only some runs have.
    runs[0].server = runs[0].generator.process;
    runs[0].broker = Some(BrokerRecord {
        connections_max: 1,
        connections_limit: Some(2),
        connections_opened: 3,
    });
    runs[0].aborted_by = runs[0].thresholds.first().cloned();
    let mut paths = BTreeSet::new();
    for run in runs {
        key_paths(&serde_json::to_value(run).unwrap(), "", &mut paths);
    }
    insta::assert_snapshot!(paths.into_iter().collect::<Vec<_>>().join("\n"));
}
