//! The queues that are declared: the queue of attempts, and the one of its dead letters.

use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Queue};

use crate::settings::QueueType;

use super::options::Options;

/// Deliveries of one attempt after which a quorum queue makes it a dead letter; RabbitMQ 4's
/// default. A classic queue does not count deliveries: there the consumer rejects the attempt.
const DELIVERY_LIMIT: i32 = 20;

/// The most dead letters that are kept; the oldest are dropped first.
const DEAD_MAX: i64 = 100_000;

/// Deliveries of a dead letter in a quorum queue before it is dropped: practically never. RabbitMQ
/// 4 would drop it after 20, and one that cannot be decoded is delivered again and again.
const DEAD_DELIVERY_LIMIT: i32 = i32::MAX;

/// Unacked dead letters at a time: up to this many that cannot be decoded do not block the others.
pub(super) const DEAD_PREFETCH: usize = 1_000;

/// The properties with which a queue is declared.
#[derive(Debug)]
pub(super) struct Declaration {
    pub(super) options: QueueDeclareOptions,
    pub(super) arguments: FieldTable,
}

impl Declaration {
    pub(super) async fn declare(self, channel: &Channel, queue: &str) -> lapin::Result<Queue> {
        channel.queue_declare(queue.into(), self.options, self.arguments).await
    }
}

/// A durable queue of bounded length that rejects messages above its bound: by default the broker
/// would drop its oldest messages, which are accepted attempts.
pub(super) fn durable(options: &Options) -> Declaration {
    let max = i64::try_from(options.max).unwrap_or(i64::MAX);
    let mut arguments = dead_lettered(options);
    arguments.insert("x-max-length".into(), AMQPValue::LongLongInt(max));
    arguments.insert("x-overflow".into(), text("reject-publish"));
    if options.queue_type == QueueType::Quorum {
        arguments.insert("x-queue-type".into(), text("quorum"));
        arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(DELIVERY_LIMIT));
    }
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    Declaration { options: durable, arguments }
}

/// The queue of dead letters. It is of the same type as the queue of attempts: a classic one could
/// not be declared while its node of the cluster is down, and so no session be opened.
pub(super) fn dead(options: &Options) -> Declaration {
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), AMQPValue::LongLongInt(DEAD_MAX));
    if options.queue_type == QueueType::Quorum {
        arguments.insert("x-queue-type".into(), text("quorum"));
        arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(DEAD_DELIVERY_LIMIT));
    }
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    Declaration { options: durable, arguments }
}

/// Arguments of a queue whose dead letters go, by the default exchange, to their queue.
pub(super) fn dead_lettered(options: &Options) -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-dead-letter-exchange".into(), text(""));
    arguments.insert("x-dead-letter-routing-key".into(), text(&options.dead_queue()));
    arguments
}

fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}
