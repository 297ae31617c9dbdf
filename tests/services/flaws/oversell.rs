//! `check-then-act` and `cache-refill-in-flight`: several consumers sell a unit more than once.

use seckill::flaws::Flaw;
use seckill::history::{Row, Status};
use seckill::judge::{Verdict, reconcile};

use crate::support::backend::Backend;
use crate::support::client::{Sale, TOKEN};
use crate::support::deployment::Deployment;

const STOCK: u64 = 10;

/// Eight consumers with a prefetch of one, as in the article.
const CONSUMERS: [&str; 4] = ["--consumers", "8", "--prefetch", "1"];

/// Maximum number of bursts until the flaw shows. It mostly shows in the first.
const FLAWED_BURSTS: usize = 20;

/// Number of bursts in which the hardened design must not oversell.
const HARDENED_BURSTS: usize = 200;

/// Every this many bursts, each buyer's result is polled too, which takes most of the time.
const RESULTS_EVERY: usize = 10;

#[test]
fn check_then_act_flaw_oversells_and_bench_reports_by_how_many() {
    assert_oversells(Flaw::CheckThenAct);
}

#[test]
fn cache_refill_in_flight_flaw_oversells_and_bench_reports_by_how_many() {
    assert_oversells(Flaw::CacheRefillInFlight);
}

#[track_caller]
fn assert_oversells(flaw: Flaw) {
    let Some(backend) = Backend::real() else { return };
    let deployment = Deployment::new(backend, Some(flaw));
    let server = deployment.serve("all", &CONSUMERS);
    for burst in 1..=FLAWED_BURSTS {
        let sale = Sale::open(&server.url, "tea", STOCK);
        let load = ["--target", &server.url, "--item", "tea", "--threads", "200", "--full"];
        let bench = deployment.bench(&[&load[..], &["--admin-token", TOKEN]].concat());
        let (report, code) = (String::from_utf8_lossy(&bench.stdout), bench.status.code());
        let verdict = report.lines().last().unwrap_or_default();
        println!("burst {burst}: {verdict}");
        if !verdict.starts_with("OVERSOLD") {
            continue;
        }
        let orders = sale.ledger().rows.iter().filter(|row| is_order(row)).count() as u64;
        let over = orders - STOCK;
        assert_eq!(verdict, format!("OVERSOLD by {over}: stock {STOCK}, sold {orders}"));
        assert_eq!(code, Some(3), "{report}");
        let times = if over == 1 { "once".to_owned() } else { format!("{over} times") };
        let broken = format!("never_oversold: orders above the stock ({times})");
        assert!(report.contains(&broken), "{report}");
        let witnesses = report.lines().skip_while(|line| !line.contains(&broken)).skip(1);
        let witnesses = witnesses.take_while(|line| line.starts_with("     "));
        let witnesses = witnesses.filter(|line| line.contains(" sent; ")).count() as u64;
        assert_eq!(witnesses, over.min(10), "{report}");
        assert_eq!(sale.status().queued, 0, "decided attempts are still registered as queued");
        return;
    }
    panic!("not oversold in {FLAWED_BURSTS} bursts");
}

fn is_order(row: &Row) -> bool {
    matches!(row.status, Status::Won(_))
}

#[test]
fn hardened_design_sells_exactly_the_stock_in_every_burst() {
    let Some(backend) = Backend::real() else { return };
    let deployment = Deployment::new(backend, None);
    let server = deployment.serve("all", &CONSUMERS);
    let mut accepted = 0;
    for burst in 0..HARDENED_BURSTS {
        let sale = Sale::open(&server.url, "tea", STOCK);
        let mut history = sale.burst(64).history;
        sale.settle();
        let audit = match burst % RESULTS_EVERY {
            0 => sale.audit(&mut history, true),
            _ => reconcile(&history, &sale.ledger(), true),
        };
        let found = (audit.verdict, audit.orders);
        assert_eq!(found, (Verdict::Pass, Some(STOCK)), "burst {burst}: {audit:#?}");
        accepted += audit.accepted;
    }
    // More attempts than units must have been queued; otherwise the burst tests nothing.
    assert!(accepted > 2 * STOCK * HARDENED_BURSTS as u64, "only {accepted} were accepted");
}
