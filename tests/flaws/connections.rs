//! `connection-per-request`: the broker's connections, one by one, and then no more.

use seckill::design::Flaw;
use seckill::lab::{RabbitMq, Redis};
use serde_json::Value;

use super::child::eventually;
use super::client::{PLENTY, Sale};
use super::count;
use super::site::{FRAGILE, Site};
use super::support::engines::Place;

const ATTEMPTS: u64 = 20;

/// Connections that a server has after its start, and `ATTEMPTS` accepted attempts later.
fn connections(broker: &RabbitMq, redis: &Redis, flaw: Option<Flaw>) -> (u64, u64) {
    eventually("nobody is connected", || broker.connections().unwrap() == 0);
    let site = Site::new(Place::on(broker, redis), flaw);
    let server = site.serve("all", &[]);
    let sale = Sale::open(&server.url, "tea", PLENTY);
    let before = broker.connections().unwrap();
    let mut ran = sale.burst(ATTEMPTS);
    assert_eq!(count(&ran.recorder.clone().finish(), "queued"), ATTEMPTS);
    sale.assert_right(&mut ran.history);
    (before, broker.connections().unwrap())
}

/// A bench of 200 users with two attempts each on the broker that has few files.
fn bench(broker: &RabbitMq, redis: &Redis, design: &str) -> (Value, String) {
    eventually("nobody is connected", || broker.connections().unwrap() == 0);
    let site = Site::new(Place::on(broker, redis), None);
    let figures = broker.prometheus_url();
    let flags = site.flags();
    let load = ["--threads", "200", "--ramp", "2s", "--loops", "2", "--json"];
    let mut args = vec!["--spawn", "--broker-metrics", &figures, "--settle-timeout", "5s"];
    args.extend(load);
    args.extend(["--", "--design", design, "--broker-connect-timeout", "1s"]);
    args.extend(flags.iter().map(String::as_str));
    let bench = site.bench(&args);
    let said = String::from_utf8_lossy(&bench.stderr).into_owned();
    (serde_json::from_slice(&bench.stdout).unwrap_or_else(|error| panic!("{error}: {said}")), said)
}

#[test]
fn a_connection_for_each_attempt_uses_the_broker_up() {
    if Place::real().is_none() {
        return;
    }
    let (broker, redis) = (FRAGILE.lock().unwrap(), Redis::start().unwrap());
    assert_eq!(connections(&broker, &redis, None), (1, 1), "one for the process");
    let flaw = Some(Flaw::ConnectionPerRequest);
    assert_eq!(connections(&broker, &redis, flaw), (1, 1 + ATTEMPTS), "one for each attempt");

    let (result, said) = bench(&broker, &redis, "article");
    let (errors, figures) = (&result["requests"]["by_error"], &result["broker"]);
    println!("article: {errors}, {figures}, {}", result["requests"]["cause"]);
    assert!(errors["http_500"].as_u64() > Some(100), "{result:#} {said}");
    assert_eq!(errors.as_object().unwrap().len(), 1, "and no other error: {errors}");
    assert!(figures["connections_max"].as_u64() >= figures["connections_limit"].as_u64());
    let cause = result["requests"]["cause"].as_str().expect("no cause is told");
    assert!(cause.contains("http_500") && cause.contains("at their limit"), "{cause}");

    let (result, said) = bench(&broker, &redis, "hardened");
    assert_eq!(result["requests"]["errors"], 0, "{result:#} {said}");
    assert_eq!(result["audit"]["verdict"], "pass", "{result:#} {said}");
    assert_eq!(result["broker"]["connections_max"], 1, "{result:#}");
}
