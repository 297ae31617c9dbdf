//! What the broker has to have: the queue, and the one for its dead letters.

use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Queue};

use crate::settings::QueueType;

use super::options::Options;

/// Deliveries of one attempt after which a quorum queue gives it up; RabbitMQ 4's default. A
/// classic queue does not count: there the consumer gives up.
const DELIVERY_LIMIT: i32 = 20;

/// Dead letters that are kept at the most; the oldest go first.
const DEAD_MAX: i64 = 100_000;

/// Dead letters in hand at a time: so many that are no attempts can be kept without stopping the
/// rest.
pub(super) const DEAD_PREFETCH: usize = 1_000;

/// AMQP's delivery mode for messages that survive a restart of the broker.
const PERSISTENT: u8 = 2;

/// Declares a durable queue, of bounded length, that refuses what is too much: by default the
/// broker would drop its oldest messages, which are accepted attempts.
pub(super) async fn declare(channel: &Channel, options: &Options) -> lapin::Result<Queue> {
    let max = i64::try_from(options.max).unwrap_or(i64::MAX);
    let mut arguments = dead_lettered(options);
    arguments.insert("x-max-length".into(), AMQPValue::LongLongInt(max));
    arguments.insert("x-overflow".into(), text("reject-publish"));
    if options.queue_type == QueueType::Quorum {
        arguments.insert("x-queue-type".into(), text("quorum"));
        arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(DELIVERY_LIMIT));
    }
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(options.queue.as_str().into(), durable, arguments).await
}

/// Declares the queue of dead letters.
pub(super) async fn declare_dead(channel: &Channel, options: &Options) -> lapin::Result<Queue> {
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), AMQPValue::LongLongInt(DEAD_MAX));
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(options.dead_queue().as_str().into(), durable, arguments).await
}

/// Arguments of a queue whose dead letters go, by the default exchange, to their queue.
pub(super) fn dead_lettered(options: &Options) -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-dead-letter-exchange".into(), text(""));
    arguments.insert("x-dead-letter-routing-key".into(), text(&options.dead_queue()));
    arguments
}

/// Properties of a message that survives.
pub(super) fn persistent(message_id: &str) -> BasicProperties {
    BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_content_type("text/plain".into())
        .with_message_id(message_id.into())
}

fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}
