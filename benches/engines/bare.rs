//! The throughput of the engines alone: minimal loops over lapin and redis that still confirm and
//! acknowledge.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use futures_core::Stream;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
    ConfirmSelectOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer};
use tokio::task::JoinSet;

/// Number of channels to publish on, as in the server.
const CHANNELS: usize = 4;

/// A message with the length of an attempt.
const BODY: &[u8] = &[b'x'; 130];

/// Deduplicates, decrements and stores the result: the minimum of a decision.
const SCRIPT: &str = "
    if redis.call('HSETNX', KEYS[1], ARGV[1], '1') == 0 then return 0 end
    return redis.call('DECR', KEYS[2])";

/// Published and confirmed messages per second.
pub(crate) fn publish(url: &str, queue: &str, in_flight: u64, loops: u64) -> f64 {
    let runtime = seckill::server::runtime().unwrap();
    let seconds = runtime.block_on(async {
        let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
        let mut channels = Vec::new();
        for _ in 0..CHANNELS {
            let channel = connection.create_channel().await.unwrap();
            channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
            channels.push(channel);
        }
        declare(&channels[0], queue).await;
        let begun = Instant::now();
        let mut publishing = JoinSet::new();
        for number in 0..in_flight as usize {
            let (channel, queue) = (channels[number % CHANNELS].clone(), queue.to_owned());
            publishing.spawn(async move {
                for _ in 0..loops {
                    publish_one(&channel, &queue).await;
                }
            });
        }
        publishing.join_all().await;
        begun.elapsed().as_secs_f64()
    });
    (in_flight * loops) as f64 / seconds
}

async fn declare(channel: &Channel, queue: &str) {
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), AMQPValue::LongLongInt(1_000_000));
    arguments.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
    channel.queue_declare(queue.into(), durable, arguments).await.unwrap();
}

async fn publish_one(channel: &Channel, queue: &str) {
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let persistent = BasicProperties::default().with_delivery_mode(2);
    let publishing = channel.basic_publish("".into(), queue.into(), options, BODY, persistent);
    let confirm = publishing.await.unwrap().await.unwrap();
    assert_eq!(confirm, Confirmation::Ack(None));
}

/// Messages per second that are consumed, decided by a script and acknowledged; all messages that
/// have arrived are decided in one pipeline, and acknowledged with one call.
pub(crate) fn decide(amqp: &str, redis: &str, queue: &str, total: u64, prefetch: usize) -> f64 {
    let runtime = seckill::server::runtime().unwrap();
    let seconds = runtime.block_on(async {
        let connection = Connection::connect(amqp, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel.basic_qos(prefetch as u16, BasicQosOptions::default()).await.unwrap();
        let client = redis::Client::open(redis).unwrap();
        let mut redis = client.get_multiplexed_async_connection().await.unwrap();
        let sha: String = redis::Script::new(SCRIPT).load_async(&mut redis).await.unwrap();
        let begun = Instant::now();
        let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
        let consuming = channel.basic_consume(queue.into(), "".into(), options, arguments);
        let mut consumer = consuming.await.unwrap();
        let mut decided = 0;
        while decided < total {
            let tags = next_tags(&mut consumer).await;
            let mut scripts = redis::pipe();
            for tag in &tags {
                let call = scripts.cmd("EVALSHA").arg(&sha).arg(2);
                call.arg(format!("{queue}:seen")).arg(format!("{queue}:left")).arg(*tag).ignore();
            }
            let () = scripts.query_async(&mut redis).await.unwrap();
            let last = tags.last().copied().unwrap();
            channel.basic_ack(last, BasicAckOptions { multiple: true }).await.unwrap();
            decided += tags.len() as u64;
        }
        begun.elapsed().as_secs_f64()
    });
    total as f64 / seconds
}

/// The tags of all messages that have arrived; at least one.
async fn next_tags(consumer: &mut Consumer) -> Vec<u64> {
    let first = std::future::poll_fn(|context| Pin::new(&mut *consumer).poll_next(context)).await;
    let mut tags = vec![first.unwrap().unwrap().delivery_tag];
    let mut context = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(Ok(more))) = Pin::new(&mut *consumer).poll_next(&mut context) {
        tags.push(more.delivery_tag);
    }
    tags
}
