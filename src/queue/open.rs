//! Opening a queue: which one, and why that failed.

use std::sync::Arc;

use crate::flaws::Flaws;
use crate::profile::BrokerPlan;

use super::{Broker, ConnectError, Queue, RabbitMq, RabbitMqOptions, Recovery, embedded};

/// Which queue holds the accepted attempts until they are decided.
#[derive(Debug, Clone)]
pub enum QueueAt {
    /// The queue in this process.
    Embedded(Recovery),
    /// A queue in a RabbitMQ broker.
    RabbitMq(RabbitMqOptions),
}

impl QueueAt {
    /// The queue that a plan names; `max` attempts may wait in it.
    pub fn new(broker: Option<BrokerPlan>, max: usize, flaws: &Flaws) -> Self {
        let Some(broker) = broker else {
            let delivery = embedded::flaws::delivery(flaws);
            return Self::Embedded(Recovery::with_delivery(max, delivery));
        };
        let BrokerPlan { url, queue, queue_type, publish_timeout, connect_timeout } = broker;
        let flaws = flaws.clone();
        Self::RabbitMq(RabbitMqOptions {
            url,
            queue,
            queue_type,
            max,
            publish_timeout,
            connect_timeout,
            flaws,
        })
    }
}

impl Queue {
    /// Opens the queue in a RabbitMQ broker.
    ///
    /// # Errors
    /// Returns an error when the broker cannot be used.
    pub async fn connect(options: RabbitMqOptions) -> Result<Self, ConnectError> {
        let queue = RabbitMq::open(options).await?;
        Ok(Self::Broker(Broker::RabbitMq(Arc::new(queue))))
    }
}
