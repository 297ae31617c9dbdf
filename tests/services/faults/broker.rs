//! RabbitMQ is killed, suspended, or killed while its queue is full.

use std::time::Duration;

use seckill::lab::Redis;

use super::drill::{Drill, count};
use crate::support::backend::Backend;
use crate::support::deployment::{Deployment, fragile_broker};

/// How long the broker is suspended: longer than a heartbeat.
const SUSPENSION: Duration = Duration::from_secs(12);

/// The error of a publish that was never confirmed.
const UNKNOWN: &[&str] = &["http_500"];

#[test]
fn service_recovers_after_rabbitmq_is_killed() {
    let Some(_backend) = Backend::real() else { return };
    let mut broker = fragile_broker();
    let redis = Redis::start().unwrap();
    let deployment = Deployment::new(Backend::on(&broker, &redis), None);
    let server = deployment.serve("all", &[]);
    let drill = Drill::begin(&server.url);
    broker.service_mut().kill().unwrap();
    drill.wait_for_answer("broker_unavailable");
    broker.service_mut().restart().unwrap();
    let drilled = drill.end(UNKNOWN);
    assert!(count(&drilled.summary, "broker_unavailable") > 0, "{drilled:?}");
}

#[test]
fn service_recovers_after_rabbitmq_is_suspended() {
    let Some(_backend) = Backend::real() else { return };
    let mut broker = fragile_broker();
    let redis = Redis::start().unwrap();
    let deployment = Deployment::new(Backend::on(&broker, &redis), None);
    let server = deployment.serve("all", &[]);
    let drill = Drill::begin(&server.url);
    broker.service_mut().suspend().unwrap();
    // The suspension itself, under load; the test waits for nothing here.
    std::thread::sleep(SUSPENSION);
    broker.service_mut().resume().unwrap();
    let drilled = drill.end(UNKNOWN);
    assert!(count(&drilled.summary, "broker_unavailable") > 0, "{drilled:?}");
    assert!(
        drilled.audit.unknown_outcomes > 0,
        "no outcome of a request in flight is unknown: {drilled:?}"
    );
}

#[test]
fn service_recovers_after_rabbitmq_is_killed_with_a_full_queue() {
    const MAX: &[&str] = &["--max-queue", "50"];
    let Some(_backend) = Backend::real() else { return };
    let mut broker = fragile_broker();
    let redis = Redis::start().unwrap();
    let deployment = Deployment::new(Backend::on(&broker, &redis), None);
    let api = deployment.serve("api", MAX);
    let drill = Drill::begin(&api.url);
    drill.wait_for_answer("queue_full");
    broker.service_mut().kill().unwrap();
    drill.wait_for_answer("broker_unavailable");
    broker.service_mut().restart().unwrap();
    drill.wait_for_answer("queue_full");
    let _consumer = deployment.serve("consumer", MAX);
    let drilled = drill.end(UNKNOWN);
    assert!(count(&drilled.summary, "queue_full") > 0, "{drilled:?}");
}
