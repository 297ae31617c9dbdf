//! The limits on connections.

use std::time::Duration;

/// Limits on connections.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections that are served at a time. A further one gets the slot of the longest idle one,
    /// or of one whose request arrives slowly, or is refused after a short wait.
    pub connections_max: usize,
    /// How long requests in flight may take once the shutdown has begun.
    pub drain_timeout: Duration,
    /// Limits on the time that a client may take.
    pub timeouts: Timeouts,
}

/// How long a client may take, and how long it may keep a slot. A sweep checks all of them four
/// times a second, so each may be exceeded by that much.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// From the end of an answer, or the opening of the connection, to the first byte of the next
    /// request.
    pub idle: Duration,
    /// From the first byte of a request to the end of its head.
    pub head: Duration,
    /// How long a client may take to receive an answer, beyond what [`Self::answer_rate`] allows.
    pub answer: Duration,
    /// Bytes per second that a client must at least receive of an answer that takes longer than
    /// [`Self::answer`]. Only the ledger is long enough for that.
    pub answer_rate: u64,
    /// How long a connection must have been idle before its slot can be given to another one. It is
    /// longer than most round trips, so that a request that is in transit is rarely lost.
    pub evictable: Duration,
    /// How long a head or a body must have been arriving before the slot can be given to another
    /// connection, if none is idle.
    pub slow_request: Duration,
    /// How long a connection waits for a slot before it is refused. It is shorter the more
    /// connections wait.
    pub slot: Duration,
    /// After how much idle time a connection gives up its buffers.
    pub rest: Duration,
    /// How long the server reads what a client still sends after the last answer: if it closed at
    /// once, the reset could destroy the answer before the client has read it.
    pub linger: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(60),
            head: Duration::from_secs(10),
            answer: Duration::from_secs(30),
            answer_rate: 128 << 10,
            evictable: Duration::from_millis(500),
            slow_request: Duration::from_millis(500),
            slot: Duration::from_secs(1),
            rest: Duration::from_millis(500),
            linger: Duration::from_secs(1),
        }
    }
}
