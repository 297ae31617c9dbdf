//! What would be left behind in a broker: dead letters, foreign messages, attempts that were
//! announced and never queued.

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use seckill::flaws::Flaws;
use seckill::ids::RequestId;
use seckill::sale::NewAttempt;

use super::support::counter::Counter;
use super::support::engines::Place;
use super::support::{Running, Told, id, within};

/// A server that decides what is in a place.
async fn consumer(place: &Place, folder: &std::path::Path) -> Running {
    Running::start(place.config(folder, &Flaws::default())).await
}

/// Asks until the attempt is decided.
async fn decided(server: &Running, request_id: &str) -> Told {
    let path = format!("/result/{request_id}?wait=1s");
    within(async {
        loop {
            match server.get(&path).await.told(request_id) {
                Told::Queued => {}
                told => return told,
            }
        }
    })
    .await
}

async fn channel(place: &Place) -> (Connection, Channel) {
    let url = place.queue.as_deref().unwrap();
    let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    (connection, channel)
}

async fn publish(place: &Place, body: &[u8]) {
    let (_connection, channel) = channel(place).await;
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let (name, properties) = (place.queue_name().into(), BasicProperties::default());
    let publishing = channel.basic_publish("".into(), name, options, body, properties);
    assert_eq!(publishing.await.unwrap().await.unwrap(), Confirmation::Ack(None));
}

/// Messages of a queue that nobody has in hand.
async fn messages(channel: &Channel, queue: &str) -> u32 {
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let declared = channel.queue_declare(queue.into(), passive, FieldTable::default());
    declared.await.unwrap().message_count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_delivered_is_lost_and_told_so() {
    let Some(place) = Place::real() else { return };
    let mut counter = Counter::open(place.clone(), 9).await;
    counter.accept("ann", &id(1)).await;
    counter.next(1).await.reject().await;
    counter.accept("bob", &id(2)).await;
    counter.die();
    let folder = tempfile::tempdir().unwrap();
    let server = consumer(&place, folder.path()).await;
    assert_eq!(decided(&server, &id(1)).await, Told::lost("undeliverable"));
    assert_eq!(decided(&server, &id(2)).await, Told::won("tea-1-1"));
    let rows = counter.ledger("item=tea").await;
    assert_eq!(rows, ["ann lost undeliverable", "bob won tea-1-1"]);
    assert_eq!(counter.sale().await["queued"], 0);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_attempt_stays_for_people_and_stops_nobody() {
    let Some(place) = Place::real() else { return };
    let counter = Counter::open(place.clone(), 9).await;
    publish(&place, b"\xff garbage").await;
    publish(&place, b"").await;
    counter.accept("ann", &id(1)).await;
    let folder = tempfile::tempdir().unwrap();
    let server = consumer(&place, folder.path()).await;
    assert_eq!(decided(&server, &id(1)).await, Told::won("tea-1-1"));
    server.end().await;
    let (_connection, channel) = channel(&place).await;
    let dead = format!("{}.dead", place.queue_name());
    within(async { while messages(&channel, &dead).await < 2 {} }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_announced_and_never_queued_is_decided() {
    let Some(place) = Place::real() else { return };
    let counter = Counter::open(place.clone(), 9).await;
    let orphan = NewAttempt {
        request_id: id(1).parse::<RequestId>().unwrap(),
        buyer: "ann".parse().unwrap(),
        item: "tea".parse().unwrap(),
        epoch: 1,
        // Long ago: whoever announced it is dead.
        accepted_us: 1,
    };
    counter.app.store.announce(&orphan).await.unwrap();
    assert_eq!(counter.result(&id(1)).await.told(&id(1)), Told::Queued);
    assert_eq!(counter.sale().await["queued"], 1);
    let folder = tempfile::tempdir().unwrap();
    let server = consumer(&place, folder.path()).await;
    assert_eq!(decided(&server, &id(1)).await, Told::won("tea-1-1"));
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_of_what_may_not_be_queued_queues_it() {
    let Some(place) = Place::real() else { return };
    let mut counter = Counter::open(place, 9).await;
    let body = |uid: &str| NewAttempt {
        request_id: id(1).parse().unwrap(),
        buyer: uid.parse().unwrap(),
        item: "tea".parse().unwrap(),
        epoch: 1,
        accepted_us: u64::MAX >> 1,
    };
    counter.app.store.announce(&body("ann")).await.unwrap();
    assert_eq!(counter.buy("bob", &id(1)).await.code, 422);
    counter.accept("ann", &id(1)).await;
    assert_eq!(counter.decide(1, 9).await[0].decision.to_string(), "won tea-1-1");
    assert_eq!(counter.ledger("item=tea").await, ["ann won tea-1-1"]);
}
