//! What waits in a queue, and where one attempt is in it.

use std::time::Duration;

/// What waits before an attempt that would be enqueued now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Attempts at the same item that are accepted and not decided.
    pub of_item: usize,
    /// How long it would wait; `None` if nothing is known of that.
    pub wait: Option<Duration>,
}

/// Where a waiting attempt is in its queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Attempts at the same item that are before it. It never rises.
    pub position: usize,
    /// How long it takes, at the present rate, until it is decided; `None` if that is not known.
    pub eta: Option<Duration>,
}
