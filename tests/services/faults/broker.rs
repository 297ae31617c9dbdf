//! RabbitMQ is killed, suspended, cut off, killed while its queue is full, or closes connections.

use std::time::{Duration, Instant};

use seckill::lab::Redis;

use super::drill::{Drill, count};
use crate::support::backend::Backend;
use crate::support::client::block_on;
use crate::support::deployment::{Deployment, fragile_broker};
use crate::support::link::TcpLink;
use crate::support::rabbitmqctl::{close_connections, sync_tables};

/// How long the broker is suspended: longer than a heartbeat.
const SUSPENSION: Duration = Duration::from_secs(12);

/// How long a publish may take, as [`Deployment`] sets it.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(2);

/// How often connections are closed, and how long a link is cut.
const CLOSINGS: usize = 5;
const CUT: Duration = Duration::from_secs(5);

/// The flags of a server whose queue is replicated in a cluster.
const QUORUM: &[&str] = &["--queue-type", "quorum"];

/// The error of a publish that was never confirmed.
const UNKNOWN: &[&str] = &["http_500"];

#[test]
fn service_recovers_after_rabbitmq_is_killed() {
    kill(&[]);
}

#[test]
fn service_recovers_after_rabbitmq_with_a_quorum_queue_is_killed() {
    kill(QUORUM);
}

fn kill(flags: &[&str]) {
    let Some(_backend) = Backend::real() else { return };
    let mut broker = fragile_broker();
    let redis = Redis::start().unwrap();
    let deployment = Deployment::new(Backend::on(&broker, &redis), None);
    let server = deployment.serve("all", flags);
    let drill = Drill::begin(&server.url);
    sync_tables(&broker);
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
    // The first publishes have to time out before it is known that the broker hangs.
    drill.wait_for_answer("broker_unavailable");
    let begun = Instant::now();
    while begun.elapsed() < SUSPENSION {
        let asked = Instant::now();
        assert!(drill.is_answered("broker_unavailable"));
        let answered = asked.elapsed();
        assert!(answered < PUBLISH_TIMEOUT / 2, "a refusal waited for the broker: {answered:?}");
    }
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

#[test]
fn service_recovers_after_rabbitmq_is_cut_off() {
    let Some(_backend) = Backend::real() else { return };
    let broker = fragile_broker();
    let redis = Redis::start().unwrap();
    let link = block_on(TcpLink::to(broker.service().ports()[0]));
    let backend = Backend::on(&broker, &redis).with_broker_port(link.port());
    let deployment = Deployment::new(backend, None);
    let server = deployment.serve("all", &[]);
    let drill = Drill::begin(&server.url);
    link.cut();
    drill.wait_for_answer("broker_unavailable");
    // The cut itself, under load; the test waits for nothing here.
    std::thread::sleep(CUT);
    link.mend();
    let drilled = drill.end(UNKNOWN);
    assert!(count(&drilled.summary, "broker_unavailable") > 0, "{drilled:?}");
}

#[test]
fn service_recovers_after_connections_are_closed() {
    close_all_connections(&[]);
}

#[test]
fn service_with_a_quorum_queue_recovers_after_connections_are_closed() {
    close_all_connections(QUORUM);
}

fn close_all_connections(flags: &[&str]) {
    let Some(_backend) = Backend::real() else { return };
    let broker = fragile_broker();
    let redis = Redis::start().unwrap();
    let deployment = Deployment::new(Backend::on(&broker, &redis), None);
    let server = deployment.serve("all", flags);
    let drill = Drill::begin(&server.url);
    for _ in 0..CLOSINGS {
        close_connections(&broker, 1);
        drill.recovers();
    }
    drill.end(UNKNOWN);
}
