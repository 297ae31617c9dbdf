//! `check-then-act`: several consumers sell the last unit more than once.

use seckill::audit::{Row, Status, Verdict, reconcile};
use seckill::flaws::Flaw;

use super::client::{Sale, TOKEN};
use super::site::Site;
use super::support::engines::Place;

const STOCK: u64 = 10;

/// Eight consumers that take one attempt at a time, as the article's did.
const CONSUMERS: [&str; 4] = ["--consumers", "8", "--prefetch", "1"];

/// Bursts in which the flaw must show. Mostly it does in the first.
const FLAWED_BURSTS: usize = 20;

/// Bursts in which the hardened design must not show it.
const HARDENED_BURSTS: usize = 200;

/// In one of so many of them each buyer's result is asked for too, which takes most of the time.
const RESULTS_EVERY: usize = 10;

#[test]
fn check_then_act_oversells_and_bench_says_by_how_many() {
    let Some(place) = Place::real() else { return };
    let site = Site::new(place, Some(Flaw::CheckThenAct));
    let server = site.serve("all", &CONSUMERS);
    for burst in 1..=FLAWED_BURSTS {
        let sale = Sale::open(&server.url, "tea", STOCK);
        let load = ["--target", &server.url, "--item", "tea", "--threads", "200"];
        let bench = site.bench(&[&load[..], &["--admin-token", TOKEN]].concat());
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
        let broken = format!("never_oversold: orders above the stock ({over} times)");
        assert!(report.contains(&broken), "{report}");
        let witnesses = report.lines().skip_while(|line| !line.contains(&broken)).skip(1);
        let witnesses = witnesses.take_while(|line| line.starts_with("     ")).count() as u64;
        assert_eq!(witnesses, over.min(10), "{report}");
        return;
    }
    panic!("not oversold in {FLAWED_BURSTS} bursts");
}

fn is_order(row: &Row) -> bool {
    matches!(row.status, Status::Won(_))
}

#[test]
fn the_hardened_design_sells_exactly_the_stock_in_every_burst() {
    let Some(place) = Place::real() else { return };
    let site = Site::new(place, None);
    let server = site.serve("all", &CONSUMERS);
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
    // More than the stock waited for it: else nothing was tried.
    assert!(accepted > 2 * STOCK * HARDENED_BURSTS as u64, "only {accepted} were accepted");
}
