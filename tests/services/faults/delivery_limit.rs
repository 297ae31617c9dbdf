//! A quorum queue counts deliveries, and gives an attempt up after twenty. Deliveries that failed
//! because the store was away or connections broke say nothing against an attempt.

use rustix::process::Signal;
use seckill::history::Status;
use seckill::lab::Redis;

use super::drill::count;
use crate::support::backend::Backend;
use crate::support::child::signal;
use crate::support::client::{Sale, wait_ready};
use crate::support::deployment::{Deployment, fragile_broker};
use crate::support::rabbitmqctl::close_connections;

/// More than the delivery limit.
const CLOSINGS: usize = 45;

const ATTEMPTS: u64 = 308;

const STOCK: u64 = 100;

#[test]
fn no_attempt_is_lost_to_the_delivery_limit_while_the_store_is_away() {
    const QUORUM: &[&str] = &["--queue-type", "quorum"];
    let Some(_backend) = Backend::real() else { return };
    let broker = fragile_broker();
    let mut redis = Redis::start().unwrap();
    let deployment = Deployment::new(Backend::on(&broker, &redis), None);
    let api = deployment.serve("api", QUORUM);
    let consumer = deployment.serve("consumer", QUORUM);
    let sale = Sale::open(&api.url, "tea", STOCK);
    signal(consumer.child.id(), Signal::STOP);
    let mut ran = sale.burst(ATTEMPTS);
    assert_eq!(count(&ran.recorder.clone().finish(), "queued"), ATTEMPTS);
    redis.service_mut().kill().unwrap();
    signal(consumer.child.id(), Signal::CONT);
    close_connections(&broker, CLOSINGS);
    redis.service_mut().restart().unwrap();
    wait_ready(&api.url);
    sale.assert_audit_passes(&mut ran.history);
    let ledger = sale.ledger();
    let won = ledger.rows.iter().filter(|row| matches!(row.status, Status::Won(_))).count();
    assert_eq!((ledger.rows.len() as u64, won as u64), (ATTEMPTS, STOCK));
}
