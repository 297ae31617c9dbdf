//! Why publishing an attempt did not succeed, whatever the queue.

/// Why an attempt is not known to be in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The queue is full; the attempt was not enqueued.
    #[error("the queue is full")]
    Full,
    /// The same id is queued for another buyer or item; the attempt was not enqueued.
    #[error("the request id is in use for another buyer or item")]
    Reused,
    /// The broker does not vouch for the attempt: it answered with a nack, or blocks its
    /// publishers. The attempt may be in the queue all the same, or get there later.
    #[error("the broker did not take the attempt")]
    NotTaken,
    /// The queue accepts nothing at this moment; the attempt was not enqueued.
    #[error("the queue is not available")]
    Unavailable,
    /// Not enqueued, but reported to the client as unknown. Only a deliberately flawed queue
    /// returns it.
    #[error("the attempt is not queued, but is reported to the client as unknown")]
    HiddenFailure,
    /// The attempt may or may not be in the queue.
    #[error("whether the attempt is queued is unknown")]
    Unknown,
}
