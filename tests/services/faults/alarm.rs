//! The broker raises an alarm: it blocks all who publish, until it has memory or disk again.

use reqwest::Method;
use rustix::process::Signal;
use seckill::lab::Redis;
use serde_json::json;

use super::drill::{count, recovers};
use crate::support::backend::Backend;
use crate::support::child::{eventually, signal};
use crate::support::client::{PLENTY, Sale, ask};
use crate::support::deployment::{Deployment, fragile_broker};
use crate::support::rabbitmqctl::{Alarm, clear_alarm, raise_alarm};

/// Attempts that wait when the alarm is raised: far more than are decided before it is noticed.
const WAITING: u64 = 400;

fn buy(url: &str, item: &str, uid: &str) -> (u16, String) {
    let body = json!({"item": item, "uid": uid});
    let (code, body) = ask(Method::POST, &format!("{url}/seckill"), Some(body)).unwrap();
    (code, String::from_utf8(body).unwrap())
}

#[test]
fn accepted_attempts_are_decided_while_the_broker_is_short_of_memory() {
    block_publishers(Alarm::Memory, &[]);
}

#[test]
fn accepted_attempts_are_decided_while_the_broker_is_short_of_disk() {
    block_publishers(Alarm::Disk, &["--queue-type", "quorum"]);
}

fn block_publishers(alarm: Alarm, flags: &[&str]) {
    let Some(_backend) = Backend::real() else { return };
    let broker = fragile_broker();
    let redis = Redis::start().unwrap();
    let deployment = Deployment::new(Backend::on(&broker, &redis), None);
    let api = deployment.serve("api", flags);
    // Small batches, so that the alarm comes while most attempts wait.
    let all = deployment.serve("all", &[flags, &["--consumers", "1", "--prefetch", "2"]].concat());
    signal(all.child.id(), Signal::STOP);
    let sale = Sale::open(&api.url, "tea", PLENTY);
    let mut ran = sale.burst(WAITING);
    assert_eq!(count(&ran.recorder.clone().finish(), "queued"), WAITING);
    raise_alarm(&broker, alarm);
    signal(all.child.id(), Signal::CONT);
    for (url, uid) in [(&all.url, "ann"), (&api.url, "bob")] {
        // The broker tells a connection of the alarm when it publishes.
        for _ in 0..5 {
            // On a busy machine, Redis may be called unavailable as well for a moment.
            eventually("the attempt is refused because of the broker", || {
                let (code, body) = buy(url, "tea", uid);
                assert_eq!(code, 503, "{body}");
                body.contains("broker_unavailable")
            });
        }
        let (code, _) = ask(Method::GET, &format!("{url}/readyz"), None).unwrap();
        assert_eq!(code, 503, "it knows that it is blocked");
    }
    sale.assert_audit_passes(&mut ran.history);
    clear_alarm(&broker, alarm);
    for (url, uid) in [(&all.url, "ann"), (&api.url, "bob")] {
        recovers(|| buy(url, "tea", uid).0 == 202);
    }
    sale.settle();
    let ledger = sale.ledger();
    assert_eq!(ledger.rows.len() as u64, WAITING + 2, "what was refused has no effect");
}
