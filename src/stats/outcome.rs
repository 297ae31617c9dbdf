//! The outcome of a request: a usable answer, or the reason why there is none.

use std::fmt;

use super::Reason;

/// A usable answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Accepted, to be decided.
    Accepted,
    /// Already decided: won.
    Won,
    /// Already decided: lost.
    Lost,
    /// The tested system rejected the request as malformed.
    Rejected,
    /// Refused, with the promise that the request has no effect.
    Refused(Reason),
}

impl Outcome {
    /// Number of distinct outcomes.
    pub(super) const COUNT: usize = 4 + Reason::COUNT_MAX;

    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "queued",
            Self::Won => "won",
            Self::Lost => "lost",
            Self::Rejected => "rejected",
            Self::Refused(reason) => reason.as_str(),
        }
    }

    pub(super) fn index(self) -> usize {
        match self {
            Self::Accepted => 0,
            Self::Won => 1,
            Self::Lost => 2,
            Self::Rejected => 3,
            Self::Refused(reason) => 4 + reason.index(),
        }
    }

    /// The outcomes that occurred, from counts by [`Self::index`].
    pub(super) fn counted(counts: &[u64; Self::COUNT]) -> Vec<(Self, u64)> {
        let counted = Self::all().map(|outcome| (outcome, counts[outcome.index()]));
        counted.filter(|(_, count)| *count > 0).collect()
    }

    pub(super) fn all() -> impl Iterator<Item = Self> {
        [Self::Accepted, Self::Won, Self::Lost, Self::Rejected]
            .into_iter()
            .chain(Reason::all().map(Self::Refused))
    }
}

/// The kinds of answers whose latencies are kept apart: a refusal costs a server less than an
/// accepted attempt, and in a flash sale nearly all answers are refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AnswerKind {
    /// The attempt was taken: accepted, or decided before.
    Accepted,
    /// The attempt has no effect, as promised.
    Refused,
    /// There is no usable answer.
    Failed,
}

impl AnswerKind {
    /// Number of kinds.
    pub(super) const COUNT: usize = 3;

    pub(super) fn of(result: Result<Outcome, ErrorKind>) -> Self {
        match result {
            Ok(Outcome::Accepted | Outcome::Won | Outcome::Lost) => Self::Accepted,
            Ok(Outcome::Rejected | Outcome::Refused(_)) => Self::Refused,
            Err(_) => Self::Failed,
        }
    }
}

/// Why there is no usable answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorKind {
    /// No process listens on the address.
    ConnectRefused,
    /// No connection within the connect time-out.
    ConnectTimeout,
    /// No connection, since this machine has no local port left for this address.
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
    /// The answer's body is not valid in the API.
    Body,
    /// A step before the purchase failed, so that no purchase was sent.
    Step,
    /// A status that makes no promise about the effect of the request.
    Http(u16),
}

impl ErrorKind {
    /// Every kind except those of the statuses.
    pub const NAMED: [Self; 11] = [
        Self::ConnectRefused,
        Self::ConnectTimeout,
        Self::NoPorts,
        Self::NoFiles,
        Self::ConnectFailed,
        Self::Tls,
        Self::Timeout,
        Self::Reset,
        Self::Protocol,
        Self::Body,
        Self::Step,
    ];
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
            Self::Step => "step",
            Self::Http(status) => return write!(f, "http_{status}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_kind_of_error_with_a_word_of_its_own_is_listed() {
        use ErrorKind::*;
        // A new kind does not compile here until it is listed.
        let is_named = |kind| match kind {
            ConnectRefused | ConnectTimeout | NoPorts | NoFiles | ConnectFailed | Tls | Timeout
            | Reset | Protocol | Body | Step => true,
            Http(_) => false,
        };
        let words: HashSet<_> = ErrorKind::NAMED.map(|kind| kind.to_string()).into();
        assert!(words.len() == 11 && ErrorKind::NAMED.into_iter().all(is_named));
    }

    #[test]
    fn every_outcome_has_its_own_index() {
        Reason::intern("out_of_tea");
        let all: Vec<_> = Outcome::all().map(Outcome::index).collect();
        let indices: HashSet<_> = all.iter().copied().collect();
        assert_eq!(indices.len(), all.len());
        assert!(all.iter().all(|index| *index < Outcome::COUNT), "{all:?}");
    }
}
