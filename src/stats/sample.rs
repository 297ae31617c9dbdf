//! One attempt, as the load generator saw it.

use std::fmt;
use std::time::Duration;

use crate::api::Refusal;
use crate::settings::RetryOn;

/// A usable answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Accepted, to be decided.
    Queued,
    /// Decided before: won.
    Won,
    /// Decided before: lost.
    Lost,
    /// Malformed, says the server.
    Rejected,
    /// Refused, with the promise that there is no effect.
    Refused(Refusal),
}

impl Outcome {
    /// How many there are.
    pub(super) const COUNT: usize = 4 + Refusal::ALL.len();

    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Won => "won",
            Self::Lost => "lost",
            Self::Rejected => "rejected",
            Self::Refused(refusal) => refusal.as_str(),
        }
    }

    pub(super) fn index(self) -> usize {
        match self {
            Self::Queued => 0,
            Self::Won => 1,
            Self::Lost => 2,
            Self::Rejected => 3,
            Self::Refused(refusal) => 4 + refusal as usize,
        }
    }

    pub(super) fn all() -> impl Iterator<Item = Self> {
        [Self::Queued, Self::Won, Self::Lost, Self::Rejected]
            .into_iter()
            .chain(Refusal::ALL.iter().map(|refusal| Self::Refused(*refusal)))
    }
}

/// Why there is no usable answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorKind {
    /// Nobody listens.
    ConnectRefused,
    /// No connection within the connect time-out.
    ConnectTimeout,
    /// No connection, since this machine has no port left for one to this address.
    NoPorts,
    /// No connection, since this process or machine may open no more files.
    NoFiles,
    /// No connection for another reason.
    ConnectFailed,
    /// No TLS over the connection: the handshake failed, so nothing was sent.
    Tls,
    /// No whole answer within the time-out.
    Timeout,
    /// The connection ended before the whole answer.
    Reset,
    /// The answer is not HTTP/1.1.
    Protocol,
    /// The answer's body is not one of the API.
    Body,
    /// A status that promises nothing.
    Http(u16),
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ConnectRefused => "connect_refused",
            Self::ConnectTimeout => "connect_timeout",
            Self::NoPorts => "no_ports",
            Self::NoFiles => "no_files",
            Self::ConnectFailed => "connect_failed",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Protocol => "protocol",
            Self::Body => "body",
            Self::Http(status) => return write!(f, "http_{status}"),
        })
    }
}

/// Why a request was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Click {
    /// The attempt.
    First,
    /// The attempt's twin, at the same moment: a double click.
    Twin,
    /// The attempt once more, since the one before ended so.
    Again(RetryOn),
}

/// One request of an attempt. Moments are since the beginning of the run.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// The virtual user that sent it, from 0.
    pub thread: u32,
    /// Why.
    pub click: Click,
    /// When the schedule wanted it to begin; `None` where the schedule names no moment, since the
    /// attempt follows the answer to the one before.
    pub intended: Option<Duration>,
    /// When it began: before the connection was opened, if it needed one.
    pub began: Duration,
    /// When its connection was open, if it needed a new one.
    pub connected: Option<Duration>,
    /// When its bytes had been handed to the kernel, if they were.
    pub sent: Option<Duration>,
    /// When the first byte of its answer was there.
    pub first_byte: Option<Duration>,
    /// When the last byte of its answer was there, or it was given up.
    pub ended: Duration,
    /// Bytes of the request that were sent, without what TLS adds.
    pub bytes_sent: u64,
    /// Bytes of the answer, head included, without what TLS adds.
    pub bytes_received: u64,
    /// The answer's status; 0 without one.
    pub status: u16,
    /// What came of it.
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

    /// The latency of somebody who wanted to begin when the schedule says.
    pub fn corrected(&self) -> Duration {
        self.ended.saturating_sub(self.intended.unwrap_or(self.began))
    }

    /// How late the generator was, where the schedule names a moment: until the bytes were handed
    /// to the kernel, or, where a connection had to be opened for them, until that began.
    pub fn lag(&self) -> Option<Duration> {
        let handed = if self.opened_connection() { self.began } else { self.sent? };
        Some(handed.saturating_sub(self.intended?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_an_index_of_its_own() {
        let indices: Vec<_> = Outcome::all().map(Outcome::index).collect();
        assert_eq!(indices, (0..Outcome::COUNT).collect::<Vec<_>>());
    }
}
