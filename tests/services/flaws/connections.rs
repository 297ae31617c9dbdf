//! `connection-per-request` uses up the broker's connections until none is left.

use std::process::Output;

use seckill::flaws::Flaw;
use seckill::lab::{RabbitMq, Redis};
use serde_json::Value;

use super::count;
use crate::support::backend::Backend;
use crate::support::broker;
use crate::support::child::{eventually, seckill};
use crate::support::client::{PLENTY, Sale};
use crate::support::deployment::{Deployment, broker_with_few_files, wait_unused};

const ATTEMPTS: u64 = 20;

/// A server's connections after its start, and after `ATTEMPTS` accepted attempts.
fn connections(broker: &RabbitMq, redis: &Redis, flaw: Option<Flaw>) -> (u64, u64) {
    wait_unused(broker);
    let deployment = Deployment::new(Backend::on(broker, redis), flaw);
    let server = deployment.serve("all", &[]);
    let sale = Sale::open(&server.url, "tea", PLENTY);
    // The one to consume on is opened when the server has started.
    eventually("the consumer is connected", || broker::connections(broker) >= 2);
    let before = broker::connections(broker);
    let mut ran = sale.burst(ATTEMPTS);
    assert_eq!(count(&ran.recorder.clone().finish(), "queued"), ATTEMPTS);
    sale.assert_audit_passes(&mut ran.history);
    (before, broker::connections(broker))
}

/// A bench of 200 users with two attempts each, on the broker with few files. The time-out is long
/// enough for the broker to open all the connections that it can on a busy machine.
fn bench(broker: &RabbitMq, redis: &Redis, design: &str, more: &[&str]) -> Output {
    wait_unused(broker);
    let deployment = Deployment::new(Backend::on(broker, redis), None);
    let mut command = seckill();
    command.current_dir(deployment.folder()).env("SECKILL_BROKER_METRICS", broker.prometheus_url());
    command.args(["bench", "--spawn", "--full", "--threads", "200", "--loops", "2"]);
    command.args(["--settle-timeout", "5s"]).args(more).args(["--", "--design", design]);
    command.args(["--broker-connect-timeout", "4s"]).args(deployment.flags()).output().unwrap()
}

/// All users start at once, which is harder, and does not depend on the timing of a busy machine.
fn hardened_has_two_connections(broker: &RabbitMq, redis: &Redis) {
    let bench = bench(broker, redis, "hardened", &["--json"]);
    let printed = String::from_utf8_lossy(&bench.stderr);
    assert_eq!(bench.status.code(), Some(0), "{}{printed}", String::from_utf8_lossy(&bench.stdout));
    let result: Value = serde_json::from_slice(&bench.stdout).unwrap();
    assert_eq!(result["requests"]["errors"], 0, "{result:#}");
    assert_eq!(result["audit"]["verdict"], "pass", "{result:#}");
    assert_eq!(result["broker"]["connections_max"], 2, "{result:#}");
}

/// The first number after this text.
fn number_after(text: &str, words: &str) -> Option<u64> {
    let (_, rest) = text.split_once(words)?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn article_design_exhausts_the_broker(broker: &RabbitMq, redis: &Redis) {
    let bench = bench(broker, redis, "article", &["--ramp", "2s"]);
    let report = String::from_utf8_lossy(&bench.stdout);
    let printed = String::from_utf8_lossy(&bench.stderr);
    let line = |name: &str| {
        let found = report.lines().find(|line| line.starts_with(name));
        found.unwrap_or_else(|| panic!("no {name}: {report}{printed}"))
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
fn connection_per_request_flaw_exhausts_the_broker() {
    if Backend::real().is_none() {
        return;
    }
    let (mut broker, redis) = (broker_with_few_files(), Redis::start().unwrap());
    assert_eq!(connections(&broker, &redis, None), (2, 2), "one to publish on, one to consume on");
    let flaw = Some(Flaw::ConnectionPerRequest);
    assert_eq!(
        connections(&broker, &redis, flaw),
        (2, 2 + ATTEMPTS),
        "one connection for each attempt"
    );
    hardened_has_two_connections(&broker, &redis);
    article_design_exhausts_the_broker(&broker, &redis);
    // A broker that runs out of files loses internal processes for good: until its restart it
    // declares no queue, even after all of these connections are closed.
    broker.service_mut().restart().unwrap();
    hardened_has_two_connections(&broker, &redis);
}
