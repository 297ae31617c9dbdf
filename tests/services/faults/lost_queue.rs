//! The broker loses messages that it has confirmed: its queue is purged or deleted.

use lapin::options::{QueueDeleteOptions, QueuePurgeOptions};
use lapin::{Channel, Connection, ConnectionProperties};
use reqwest::Method;
use rustix::process::Signal;
use seckill::lab::{RabbitMq, Redis};
use seckill::profile::BenchFlags;
use seckill::units::Count;
use serde_json::json;

use super::drill::{Drill, count};
use crate::support::backend::Backend;
use crate::support::broker;
use crate::support::child::{eventually, signal};
use crate::support::client::{self, PLENTY, Sale, ask, block_on};
use crate::support::deployment::{Deployment, fragile_broker};
use crate::support::id;

/// How often the queue loses its messages in one drill.
const ROUNDS: usize = 3;

/// Attempts between two losses.
const BETWEEN: u64 = 100;

/// Attempts in a long queue, made by this many users.
const LONG: u64 = 5_000;
const USERS: u64 = 50;

/// How a queue loses its messages.
#[derive(Debug, Clone, Copy)]
enum Loss {
    Purged,
    Deleted,
}

async fn lose(channel: &Channel, queue: &str, loss: Loss) {
    match loss {
        Loss::Purged => {
            channel.queue_purge(queue.into(), QueuePurgeOptions::default()).await.unwrap();
        }
        Loss::Deleted => {
            channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
        }
    }
}

/// Makes the queue lose what waits in it.
fn lose_now(broker: &RabbitMq, queue: &str, loss: Loss) {
    block_on(async {
        let properties = ConnectionProperties::default();
        let connection = Connection::connect(&broker.url(), properties).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        lose(&channel, queue, loss).await;
        connection.close(200, "done".into()).await.unwrap();
    });
}

/// With an API process and a consumer, which is suspended meanwhile, so that attempts wait.
fn in_two_processes(loss: Loss) {
    let Some(_backend) = Backend::real() else { return };
    let broker = fragile_broker();
    let redis = Redis::start().unwrap();
    let deployment = Deployment::new(Backend::on(&broker, &redis), None);
    let api = deployment.serve("api", &[]);
    let consumer = deployment.serve("consumer", &["--prefetch", "8"]);
    let drill = Drill::begin(&api.url);
    for _ in 0..ROUNDS {
        signal(consumer.child.id(), Signal::STOP);
        drill.wait_for_attempts(BETWEEN);
        lose_now(&broker, deployment.queue_name(), loss);
        signal(consumer.child.id(), Signal::CONT);
        drill.recovers();
        drill.wait_for_attempts(BETWEEN);
    }
    drill.end(&["http_500"]);
}

/// With one process that accepts and decides.
fn in_one_process(loss: Loss, flags: &[&str]) {
    let Some(_backend) = Backend::real() else { return };
    let broker = fragile_broker();
    let redis = Redis::start().unwrap();
    let deployment = Deployment::new(Backend::on(&broker, &redis), None);
    let few = ["--prefetch", "2", "--consumers", "1"];
    let server = deployment.serve("all", &[&few, flags].concat());
    let drill = Drill::begin(&server.url);
    for _ in 0..ROUNDS {
        lose_now(&broker, deployment.queue_name(), loss);
        drill.recovers();
        drill.wait_for_attempts(BETWEEN);
    }
    drill.end(&["http_500"]);
}

#[test]
fn attempts_of_a_purged_queue_are_decided() {
    in_two_processes(Loss::Purged);
}

#[test]
fn attempts_of_a_deleted_queue_are_decided() {
    in_two_processes(Loss::Deleted);
}

#[test]
fn one_process_decides_the_attempts_of_a_purged_queue() {
    in_one_process(Loss::Purged, &[]);
}

#[test]
fn one_process_decides_the_attempts_of_a_deleted_queue() {
    in_one_process(Loss::Deleted, &[]);
}

#[test]
fn one_process_decides_the_attempts_of_a_deleted_quorum_queue() {
    in_one_process(Loss::Deleted, &["--queue-type", "quorum"]);
}

/// Messages that were published to the broker since its start.
fn published(broker: &RabbitMq) -> u64 {
    broker::read(broker, "rabbitmq_global_messages_received_total{protocol=\"amqp091\"}").unwrap()
}

#[test]
fn attempts_that_wait_in_a_long_queue_are_not_republished() {
    let Some(_backend) = Backend::real() else { return };
    let broker = fragile_broker();
    let redis = Redis::start().unwrap();
    let deployment = Deployment::new(Backend::on(&broker, &redis), None);
    let api = deployment.serve("api", &[]);
    let sale = Sale::open(&api.url, "tea", PLENTY);
    let (threads, loops) = (Some(Count(USERS)), Some(Count(LONG / USERS)));
    let mut ran = sale.load(&BenchFlags { threads, loops, ..client::flags() }).wait();
    assert_eq!(count(&ran.recorder.clone().finish(), "queued"), LONG);
    let before = published(&broker);
    // So slow that the last attempts wait for several seconds.
    let _consumer = deployment.serve("consumer", &["--consumers", "1", "--prefetch", "1"]);
    sale.assert_audit_passes(&mut ran.history);
    let again = published(&broker) - before;
    assert!(again < LONG / 100, "{again} of {LONG} were published again");
}

#[test]
fn id_that_is_sent_again_after_a_purge_is_decided() {
    let Some(_backend) = Backend::real() else { return };
    let broker = fragile_broker();
    let redis = Redis::start().unwrap();
    let deployment = Deployment::new(Backend::on(&broker, &redis), None);
    let api = deployment.serve("api", &[]);
    Sale::open(&api.url, "tea", PLENTY);
    let buy = || {
        let body = json!({"item": "tea", "uid": "ann", "request_id": id(1)});
        ask(Method::POST, &format!("{}/seckill", api.url), Some(body)).unwrap().0
    };
    assert_eq!(buy(), 202);
    deployment.wait_confirmed();
    lose_now(&broker, deployment.queue_name(), Loss::Purged);
    assert_eq!(buy(), 202);
    let _consumer = deployment.serve("consumer", &[]);
    eventually("the attempt is decided", || buy() == 200);
}
