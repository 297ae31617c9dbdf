//! Opening a queue: which one, and why that failed.

use std::path::Path;
use std::sync::Arc;

use crate::flaws::Flaws;
use crate::journal::{Durability, JournalError};
use crate::profile::BrokerPlan;

use super::{Broker, ConnectError, Embedded, Queue, RabbitMq, RabbitMqOptions, embedded};

/// Which queue holds the accepted attempts until they are decided.
#[derive(Debug, Clone)]
pub enum QueueAt {
    /// The queue in this process, which delivers in this way.
    Embedded(embedded::Delivery),
    /// A queue in a RabbitMQ broker.
    RabbitMq(RabbitMqOptions),
}

/// Why a queue cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The journal of the embedded queue cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The broker cannot be used.
    #[error(transparent)]
    Broker(#[from] ConnectError),
}

impl QueueAt {
    /// The queue that a plan names; `max` attempts may wait in it.
    pub fn new(broker: Option<BrokerPlan>, max: usize, flaws: &Flaws) -> Self {
        let Some(broker) = broker else { return Self::Embedded(embedded::flaws::delivery(flaws)) };
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

    /// Whether other processes can use the same queue.
    pub fn is_shared(&self) -> bool {
        match self {
            Self::Embedded(_) => false,
            Self::RabbitMq(_) => true,
        }
    }
}

impl Queue {
    /// Opens the queue. The embedded one keeps its journal at `journal` and holds at most `max`
    /// attempts; a broker's options have a limit of their own.
    ///
    /// # Errors
    /// Returns an error when the journal or the broker cannot be used.
    pub async fn open(
        at: &QueueAt,
        journal: &Path,
        durability: Durability,
        max: usize,
    ) -> Result<Self, OpenError> {
        Ok(match at {
            QueueAt::Embedded(delivery) => {
                let queue = Embedded::open(journal, durability, max)?.with_delivery(*delivery);
                let cut_bytes = queue.cut_bytes();
                if cut_bytes > 0 {
                    tracing::warn!(
                        journal = "queue",
                        cut_bytes,
                        "removed an unfinished write from the end of the journal"
                    );
                }
                Self::Embedded(Arc::new(queue))
            }
            QueueAt::RabbitMq(options) => {
                let queue = RabbitMq::open(options.clone()).await?;
                Self::Broker(Broker::RabbitMq(Arc::new(queue)))
            }
        })
    }
}
