//! Why a broker cannot be used, and what to do about it.

/// Why no connection or session could be opened.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address is not an AMQP address.
    #[error("not an AMQP address: {0}")]
    Address(String),
    /// The broker does not answer, or the server is not a broker.
    #[error(
        "cannot connect to the broker at {url}: {problem}; start RabbitMQ there, give another one \
         (--queue or SECKILL_QUEUE), or run under `seckill lab --`"
    )]
    Broker {
        /// The broker's address, without credentials.
        url: String,
        /// The client's error, explained.
        problem: String,
    },
    /// None of several brokers can be used.
    #[error(
        "cannot connect to any broker: {}; start RabbitMQ at one of them, give others \
         (--queue or SECKILL_QUEUE), or run under `seckill lab --`", .0.join(", ")
    )]
    Brokers(
        /// Each broker's address, without credentials, and why it cannot be used.
        Vec<String>,
    ),
    /// The broker answers, and refuses the user, the password or the virtual host.
    #[error("the broker at {url} refuses {what}: {cure} ({problem})")]
    Login {
        /// The broker's address, without credentials.
        url: String,
        /// What it refuses.
        what: String,
        /// What to do about it.
        cure: &'static str,
        /// The broker's error.
        problem: String,
    },
    /// The certificates to trust cannot be read.
    #[error("cannot connect to the broker: {0}")]
    Trust(String),
    /// The queue cannot be declared.
    #[error(transparent)]
    Declare(#[from] DeclareError),
}

/// Why the queue cannot be declared.
#[derive(Debug, thiserror::Error)]
pub enum DeclareError {
    /// A queue of this name exists with other properties.
    #[error(
        "the broker has a queue `{queue}` with other properties ({problem}): give the --max-queue, \
         --queue-type and --design it was made with, another --queue-name, or delete it"
    )]
    Other {
        /// The queue's name.
        queue: String,
        /// The broker's error.
        problem: String,
    },
    /// A classic queue of a cluster lives on a node that is down.
    #[error(
        "the node of the cluster that has the queue `{queue}` is down ({problem}): start it again; \
         or give --queue-type quorum, which needs another --queue-name, so that the queue is on \
         several nodes"
    )]
    NodeDown {
        /// The queue's name.
        queue: String,
        /// The broker's error.
        problem: String,
    },
    /// The broker refused for another reason.
    #[error("the broker does not declare the queue `{queue}`: {problem}")]
    Refused {
        /// The queue's name.
        queue: String,
        /// The broker's error.
        problem: String,
    },
}
