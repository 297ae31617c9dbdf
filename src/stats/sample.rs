//! One request, as the load generator measured it.

use std::time::Duration;

use crate::settings::RetryOn;

use super::{ErrorKind, Outcome};

/// Why a request was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Click {
    /// The attempt's first request.
    First,
    /// The second request of a double click, sent at the same moment with the same id.
    Twin,
    /// A retry of the attempt, and the result of the previous request that caused it.
    Again(RetryOn),
}

/// One request of an attempt. Moments are since the beginning of the run.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// The virtual user that sent it, from 0.
    pub thread: u32,
    /// Why it was sent.
    pub click: Click,
    /// When it should have begun by the schedule; `None` if it has no scheduled moment, because it
    /// follows the previous answer.
    pub intended: Option<Duration>,
    /// When it began: before the connection was opened, if it needed one.
    pub began: Duration,
    /// When its connection was open, if it needed a new one.
    pub connected: Option<Duration>,
    /// When its bytes had been handed to the kernel, if they were; without a scheduled moment, the
    /// moment before that.
    pub sent: Option<Duration>,
    /// When the first byte of its answer was received.
    pub first_byte: Option<Duration>,
    /// When the last byte of its answer was received, or the request was given up.
    pub ended: Duration,
    /// Bytes of the request that were sent, without the overhead of TLS.
    pub bytes_sent: u64,
    /// Bytes of the answer, head included, without the overhead of TLS.
    pub bytes_received: u64,
    /// The answer's status; 0 without one.
    pub status: u16,
    /// The usable answer, or why there is none.
    pub result: Result<Outcome, ErrorKind>,
}

impl Sample {
    /// Whether it opened a connection, or tried to.
    pub fn opened_connection(&self) -> bool {
        self.connected.is_some() || self.sent.is_none()
    }

    /// The service's latency: from its beginning to the last byte, or until it was given up.
    pub fn latency(&self) -> Duration {
        self.ended.saturating_sub(self.began)
    }

    /// The latency from the scheduled moment: the latency for a buyer who arrives at that moment.
    pub fn corrected(&self) -> Duration {
        self.ended.saturating_sub(self.intended.unwrap_or(self.began))
    }

    /// How late the generator was, if the request has a scheduled moment: until the bytes were
    /// handed to the kernel, or, if a connection had to be opened, until the opening began.
    pub fn lag(&self) -> Option<Duration> {
        let handed = if self.opened_connection() { self.began } else { self.sent? };
        Some(handed.saturating_sub(self.intended?))
    }
}
