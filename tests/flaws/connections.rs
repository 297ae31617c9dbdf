//! `connection-per-request`: the broker's connections, one by one, and then no more.

use std::process::Output;

use seckill::flaws::Flaw;
use seckill::lab::{RabbitMq, Redis};
use serde_json::Value;

use super::broker;
use super::child::seckill;
use super::client::{PLENTY, Sale};
use super::count;
use super::site::{Site, fragile_broker, wait_unused};
use super::support::engines::Place;

const ATTEMPTS: u64 = 20;

/// Connections that a server has after its start, and `ATTEMPTS` accepted attempts later.
fn connections(broker: &RabbitMq, redis: &Redis, flaw: Option<Flaw>) -> (u64, u64) {
    wait_unused(broker);
    let site = Site::new(Place::on(broker, redis), flaw);
    let server = site.serve("all", &[]);
    let sale = Sale::open(&server.url, "tea", PLENTY);
    let before = broker::connections(broker);
    let mut ran = sale.burst(ATTEMPTS);
    assert_eq!(count(&ran.recorder.clone().finish(), "queued"), ATTEMPTS);
    sale.assert_right(&mut ran.history);
    (before, broker::connections(broker))
}

/// A bench of 200 users with two attempts each, on the broker that has few files.
fn bench(broker: &RabbitMq, redis: &Redis, design: &str, more: &[&str]) -> Output {
    wait_unused(broker);
    let site = Site::new(Place::on(broker, redis), None);
    let mut command = seckill();
    command.current_dir(site.folder()).env("SECKILL_BROKER_METRICS", broker.prometheus_url());
    command.args(["bench", "--spawn", "--threads", "200", "--loops", "2"]);
    command.args(["--settle-timeout", "5s"]).args(more).args(["--", "--design", design]);
    command.args(["--broker-connect-timeout", "1s"]).args(site.flags()).output().unwrap()
}

/// All at once, which is harder, and does not depend on how punctual a busy machine is.
fn hardened_has_one_connection(broker: &RabbitMq, redis: &Redis) {
    let bench = bench(broker, redis, "hardened", &["--json"]);
    let said = String::from_utf8_lossy(&bench.stderr);
    assert_eq!(bench.status.code(), Some(0), "{}{said}", String::from_utf8_lossy(&bench.stdout));
    let result: Value = serde_json::from_slice(&bench.stdout).unwrap();
    assert_eq!(result["requests"]["errors"], 0, "{result:#}");
    assert_eq!(result["audit"]["verdict"], "pass", "{result:#}");
    assert_eq!(result["broker"]["connections_max"], 1, "{result:#}");
}

/// The first number after these words.
fn number_after(text: &str, words: &str) -> Option<u64> {
    let (_, rest) = text.split_once(words)?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn article_uses_the_broker_up(broker: &RabbitMq, redis: &Redis) {
    let bench = bench(broker, redis, "article", &["--ramp", "2s"]);
    let report = String::from_utf8_lossy(&bench.stdout);
    let said = String::from_utf8_lossy(&bench.stderr);
    let line = |name: &str| {
        let found = report.lines().find(|line| line.starts_with(name));
        found.unwrap_or_else(|| panic!("no {name}: {report}{said}"))
    };
    let (errors, cause) = (line("Errors "), line("Cause "));
    println!("article: {errors} / {cause} / {}", report.lines().last().unwrap_or_default());
    assert!(number_after(errors, "http_500 ") > Some(100), "{report}");
    assert!(!errors.contains(','), "no other error: {errors}");
    assert!(cause.contains("http_500"), "{cause}");
    let (_, limit) = cause.split_once("at their limit, ").unwrap_or_else(|| panic!("{cause}"));
    let open = number_after(limit, "");
    assert!(open.is_some() && open == number_after(limit, " of "), "{cause}");
    assert_ne!(bench.status.code(), Some(0), "{report}");
}

#[test]
fn a_connection_for_each_attempt_uses_the_broker_up() {
    if Place::real().is_none() {
        return;
    }
    let (mut broker, redis) = (fragile_broker(), Redis::start().unwrap());
    assert_eq!(connections(&broker, &redis, None), (1, 1), "one for the process");
    let flaw = Some(Flaw::ConnectionPerRequest);
    assert_eq!(connections(&broker, &redis, flaw), (1, 1 + ATTEMPTS), "one for each attempt");
    hardened_has_one_connection(&broker, &redis);
    article_uses_the_broker_up(&broker, &redis);
    // A broker without a free file loses processes of its own, which do not come back: until it is
    // started anew it declares no queue, not even when all of these connections are gone.
    broker.service_mut().restart().unwrap();
    hardened_has_one_connection(&broker, &redis);
}
