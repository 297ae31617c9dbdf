//! Held orders over `kill -9`: no unit comes back twice, and no payment is forgotten.

use std::collections::HashSet;
use std::path::Path;

use seckill::profile::{BenchFlags, Think};
use seckill::settings::Buyers;
use seckill::units::Count;
use serde_json::Value;

use super::{bench, stderr, stdout};
use crate::support::child::{Serving, seckill};
use crate::support::client::{self, Sale, TOKEN};
use crate::support::seeded::{Random, from_env};

const STOCK: u64 = 20;

/// How often the server is killed.
const ROUNDS: u64 = 6;

const FLAGS: &[&str] = &["--admin-token", TOKEN, "--hold", "300ms", "--consumers", "3"];

#[test]
fn kill_9_gives_no_unit_back_twice() {
    let seed = from_env("SECKILL_KILL_SEED").unwrap_or(u64::from(std::process::id()));
    println!("SECKILL_KILL_SEED={seed}");
    let folder = tempfile::tempdir().unwrap();
    let mut server = Serving::start(folder.path(), FLAGS);
    let url = server.url.clone();
    let sale = Sale::open(&url, "tea", STOCK);
    // Many payments meet the sweep, or come too late.
    let loading = sale.load(&BenchFlags {
        threads: Some(Count(12)),
        loops: Some(Count(100_000)),
        buyers: Some(Buyers::Pool(60)),
        think: Some(Think::Constant(std::time::Duration::from_millis(10))),
        pay: Some("60%".parse().unwrap()),
        pay_after: Some("0s..500ms".parse().unwrap()),
        seed: Some(seed),
        ..client::flags()
    });
    for round in 0..ROUNDS {
        loading.wait_for(20 + Random(seed.wrapping_add(round)).below(300));
        server.kill();
        let address = url.trim_start_matches("http://");
        server = Serving::start_at(address, seckill(), folder.path(), FLAGS);
    }
    loading.wait_for(100);
    let mut history = loading.end().history;
    let audit = sale.assert_audit_passes(&mut history);
    assert!(audit.accepted > 0, "{audit:#?}");
    sale.assert_units_add_up_after_expiry();
    assert_units_came_back(folder.path(), &sale);
    server.kill();
    // Everything is decided again from the journal, and comes out the same.
    let server = Serving::start(folder.path(), FLAGS);
    let sale = sale.at(&server.url);
    sale.assert_units_add_up_after_expiry();
    sale.assert_audit_passes(&mut history);
}

/// Asserts that some units came back, each once by the journal.
#[track_caller]
fn assert_units_came_back(data: &Path, sale: &Sale) {
    let journal = std::fs::read(data.join("sale.journal")).unwrap();
    let text = String::from_utf8_lossy(&journal).into_owned();
    let ids = text.split("ended ").skip(1).filter_map(|record| record.split(' ').nth(1));
    let ids: Vec<&str> = ids.collect();
    assert!(!ids.is_empty(), "no order has ended");
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "an order ended twice");
    let ended = sale.ledger().rows.iter().filter(|row| row.order.is_some()).count();
    assert_eq!(ids.len(), ended);
}

fn json(output: &std::process::Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(output)))
}

#[test]
fn bench_pays_for_a_share_of_the_orders_and_audits_them() {
    let folder = tempfile::tempdir().unwrap();
    let flags = [
        "--spawn",
        "--threads",
        "20",
        "--loops",
        "4",
        "--think",
        "150ms",
        "--seed",
        "5",
        "--pay",
        "50%",
        "--pay-after",
        "0s..400ms",
        "--json",
        "--out",
        "run",
        "--",
        "--stock",
        "8",
        "--hold",
        "250ms",
    ];
    let output = bench(folder.path(), &flags);
    let result = json(&output);
    assert_eq!(output.status.code(), Some(0), "{result:#}");
    let payments = &result["audit"]["payments"];
    let count = |key: &str| payments[key].as_u64().unwrap();
    assert!(count("paid") > 0, "{payments}");
    assert_eq!((count("unknown_order"), count("cancelled")), (0, 0), "{payments}");
    let step = &result["steps"][0];
    assert_eq!(step["label"], "POST /orders/{order_id}/pay");
    let all = ["paid", "expired", "refused", "unknown"].map(count).iter().sum::<u64>();
    assert_eq!(step["total"].as_u64(), Some(all), "{result:#}");
    // Who pays waits for the decision.
    assert_eq!(result["plan"]["follow"], true);
    let history = std::fs::read_to_string(folder.path().join("run/history.ndjson")).unwrap();
    let lines = history.lines().filter(|line| line.starts_with("{\"payment\":"));
    assert_eq!(lines.count() as u64, all);
    // The recorded run is judged in the same way.
    let again = seckill().current_dir(folder.path()).args(["audit", "run"]).output().unwrap();
    assert_eq!(again.status.code(), Some(0), "{}", stdout(&again));
}

#[test]
fn thresholds_on_payments_judge_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let pay = ["--spawn", "--threads", "4", "--pay", "100%", "--json", "--out", "base"];
    let hold = ["--", "--hold", "1h"];
    let (passes, crossed) = ("payment.p99>1h,payment.errors>1%", "payment.p50>0s");
    let output = bench(folder.path(), &[&pay[..], &["--fail-if", passes], &hold].concat());
    let result = json(&output);
    assert_eq!(output.status.code(), Some(0), "{result:#}");
    let p99 = result["steps"][0]["latency_us"]["p99"].as_f64();
    assert_eq!(result["thresholds"][0]["measured"].as_f64(), p99);
    assert_eq!(result["thresholds"][1]["measured"], 0.0);
    // The recorded run is a baseline for the payments of another one.
    let relative = format!("{crossed},payment.p99>100000x");
    let flags = ["--spawn", "--threads", "4", "--pay", "100%", "--json", "--baseline", "base"];
    let output = bench(folder.path(), &[&flags[..], &["--fail-if", &relative], &hold].concat());
    let result = json(&output);
    assert_eq!(output.status.code(), Some(99), "{result:#}");
    let passed = |at: usize| result["thresholds"][at]["passed"].as_bool();
    assert_eq!((passed(0), passed(1)), (Some(false), Some(true)), "{result:#}");
    // Nobody has paid, so there is nothing that could pass.
    let output = bench(folder.path(), &["--spawn", "--fail-if", passes]);
    assert_eq!(output.status.code(), Some(99), "{}", stderr(&output));
    for expression in passes.split(',') {
        let line = format!("CROSSED    {expression}: not measured");
        assert!(stdout(&output).contains(&line), "{}", stdout(&output));
    }
}

#[test]
fn paying_needs_a_sale_that_holds_its_orders() {
    let folder = tempfile::tempdir().unwrap();
    let output = bench(folder.path(), &["--spawn", "--pay", "80%"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("--pay: the sale does not hold its orders"));
    for (flags, problem) in [
        (&["--pay-after", "1s"][..], "--pay-after: nobody pays"),
        (&["--pay", "101%"], "`101%` is not a share: write one from 0% to 100%, such as 5%"),
        (&["--pay", "80%", "--follow=false"], "--pay: who pays waits"),
        (&["--pay", "80%", "--pay-after", "3s..1s"], "`3s..1s` begins with the longer time"),
        (
            &["--spawn", "--", "--hold", "0"],
            "`0` holds no order: leave --hold out, or write one above 0",
        ),
        (
            &["--spawn", "--", "--hold", "169h"],
            "`169h` is longer than an order may be held: write one above",
        ),
    ] {
        let output = bench(folder.path(), flags);
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(problem), "{flags:?}: {}", stderr(&output));
    }
}
