//! What could remain in a broker, or of one: dead letters, foreign messages, and attempts that were
//! announced but never queued.

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use seckill::flaws::Flaws;
use seckill::ids::RequestId;
use seckill::sale::NewAttempt;

use crate::support::backend::Backend;
use crate::support::manual_server::ManualServer;
use crate::support::{AttemptStatus, Running, attempt, id, within};

/// A server that decides the attempts of a backend.
async fn consumer(backend: &Backend, folder: &std::path::Path) -> Running {
    Running::start(backend.config(folder, &Flaws::default())).await
}

/// Polls until the attempt is decided.
async fn decided(server: &Running, request_id: &str) -> AttemptStatus {
    let path = format!("/result/{request_id}?wait=1s");
    within(async {
        loop {
            match server.get(&path).await.status_of(request_id) {
                AttemptStatus::Queued => {}
                status => return status,
            }
        }
    })
    .await
}

async fn channel(backend: &Backend) -> (Connection, Channel) {
    let url = backend.queue.as_deref().unwrap();
    let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    (connection, channel)
}

async fn publish(backend: &Backend, body: &[u8]) {
    let (_connection, channel) = channel(backend).await;
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let (name, properties) = (backend.queue_name().into(), BasicProperties::default());
    let publishing = channel.basic_publish("".into(), name, options, body, properties);
    assert_eq!(publishing.await.unwrap().await.unwrap(), Confirmation::Ack(None));
}

/// The number of messages in a queue that are not delivered to a consumer.
async fn messages(channel: &Channel, queue: &str) -> u32 {
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let declared = channel.queue_declare(queue.into(), passive, FieldTable::default());
    declared.await.unwrap().message_count()
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letter_that_can_be_decided_is_decided() {
    let Some(backend) = Backend::real() else { return };
    let mut manual = ManualServer::open(backend.clone(), 9).await;
    manual.accept("ann", &id(1)).await;
    manual.next(1).await.reject().await;
    manual.accept("bob", &id(2)).await;
    manual.die();
    let folder = tempfile::tempdir().unwrap();
    let server = consumer(&backend, folder.path()).await;
    for number in [1, 2] {
        let status = decided(&server, &id(number)).await;
        assert!(matches!(status, AttemptStatus::Won(_)), "{status:?}");
    }
    assert_eq!(manual.sale().await["queued"], 0);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn undeliverable_attempt_is_decided_as_lost() {
    let Some(backend) = Backend::real() else { return };
    let mut manual = ManualServer::open(backend, 9).await;
    manual.accept("ann", &id(1)).await;
    let batch = manual.next(1).await;
    let store = &manual.app.store;
    let lost = within(store.lose_undeliverable(batch.attempts(), 1)).await.unwrap();
    within(store.commit(lost)).await.unwrap();
    within(batch.ack()).await;
    let status = manual.result(&id(1)).await.status_of(&id(1));
    assert_eq!(status, AttemptStatus::lost("undeliverable"));
    assert_eq!(manual.ledger("item=tea").await, ["ann lost undeliverable"]);
    let sale = manual.sale().await;
    assert_eq!((&sale["queued"], &sale["stock_left"]), (&0.into(), &9.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_message_is_kept_and_blocks_no_other() {
    let Some(backend) = Backend::real() else { return };
    let manual = ManualServer::open(backend.clone(), 9).await;
    publish(&backend, b"\xff garbage").await;
    publish(&backend, b"").await;
    manual.accept("ann", &id(1)).await;
    let folder = tempfile::tempdir().unwrap();
    let server = consumer(&backend, folder.path()).await;
    assert_eq!(decided(&server, &id(1)).await, AttemptStatus::won("tea-1-1"));
    server.end().await;
    let (_connection, channel) = channel(&backend).await;
    let dead = format!("{}.dead", backend.queue_name());
    within(async { while messages(&channel, &dead).await < 2 {} }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn announced_but_unqueued_attempt_is_decided() {
    let Some(backend) = Backend::real() else { return };
    let manual = ManualServer::open(backend.clone(), 9).await;
    let orphan = NewAttempt {
        request_id: id(1).parse::<RequestId>().unwrap(),
        buyer: "ann".parse().unwrap(),
        item: "tea".parse().unwrap(),
        epoch: 1,
        // So long ago that the process that announced it counts as dead.
        accepted_us: 1,
    };
    manual.app.store.announce(&orphan).await.unwrap();
    assert_eq!(manual.result(&id(1)).await.status_of(&id(1)), AttemptStatus::Queued);
    assert_eq!(manual.sale().await["queued"], 1);
    let folder = tempfile::tempdir().unwrap();
    let server = consumer(&backend, folder.path()).await;
    assert_eq!(decided(&server, &id(1)).await, AttemptStatus::won("tea-1-1"));
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_of_a_possibly_unqueued_attempt_queues_it() {
    let Some(backend) = Backend::real() else { return };
    let mut manual = ManualServer::open(backend, 9).await;
    let body = |uid: &str| NewAttempt {
        request_id: id(1).parse().unwrap(),
        buyer: uid.parse().unwrap(),
        item: "tea".parse().unwrap(),
        epoch: 1,
        accepted_us: u64::MAX >> 1,
    };
    manual.app.store.announce(&body("ann")).await.unwrap();
    assert_eq!(manual.buy("bob", &id(1)).await.code, 422);
    manual.accept("ann", &id(1)).await;
    assert_eq!(manual.decide(1, 9).await[0].decision.to_string(), "won tea-1-1");
    assert_eq!(manual.ledger("item=tea").await, ["ann won tea-1-1"]);
}

/// The queue was a broker before, and a process failed before it published.
#[tokio::test(flavor = "multi_thread")]
async fn retry_of_an_attempt_that_no_broker_got_is_decided_from_an_embedded_queue() {
    for backend in Backend::stores() {
        let mut manual = ManualServer::open(backend, 9).await;
        let announced = attempt("ann", "tea", &id(1));
        within(manual.app.store.announce(&announced)).await.unwrap();
        manual.accept("ann", &id(1)).await;
        assert_eq!(manual.decide(1, 9).await[0].decision.to_string(), "won tea-1-1");
        assert_eq!(within(manual.app.store.backlog(&announced.item)).await.unwrap().all, 0);
    }
}
