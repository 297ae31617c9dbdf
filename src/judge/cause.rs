//! The cause of a run's errors, if its figures show it.

use std::fmt;

use crate::stats::{ErrorKind, Summary};

/// The connections of a broker during a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokerConnections {
    /// Maximum number that was open at a time.
    pub max: u64,
    /// Maximum number that the broker can have open.
    pub limit: u64,
    /// Connections that were opened during the run.
    pub opened: u64,
}

/// A cause of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The broker's connections reached their limit.
    BrokerFull {
        /// The kind of most of the errors.
        kind: ErrorKind,
        /// Errors of this kind.
        count: u64,
        /// All errors.
        errors: u64,
        /// The broker's connections.
        connections: BrokerConnections,
    },
}

/// Determines the cause of a run's errors, if the figures show it.
pub fn cause(summary: &Summary, broker: Option<BrokerConnections>) -> Option<Cause> {
    let connections = broker.filter(|broker| broker.max >= broker.limit)?;
    let (kind, count) = summary.by_error.iter().copied().max_by_key(|(_, count)| *count)?;
    Some(Cause::BrokerFull { kind, count, errors: summary.errors, connections })
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::BrokerFull { kind, count, errors, connections } = self;
        let BrokerConnections { max, limit, opened } = connections;
        write!(
            f,
            "{count} of {errors} errors are {kind}: the broker's connections were at their limit, \
             {max} of {limit}, after {opened} had been opened"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Recorder;

    #[test]
    fn broker_at_its_limit_causes_the_most_frequent_error() {
        let mut summary = Recorder::default().finish();
        let full = BrokerConnections { max: 832, limit: 832, opened: 831 };
        assert_eq!(cause(&summary, Some(full)), None, "there are no errors");
        summary.by_error = vec![(ErrorKind::Timeout, 3), (ErrorKind::Http(500), 7)];
        summary.errors = 10;
        let found = cause(&summary, Some(full)).map(|cause| cause.to_string());
        let expected = "7 of 10 errors are http_500: the broker's connections were at their \
                        limit, 832 of 832, after 831 had been opened";
        assert_eq!(found.as_deref(), Some(expected));
        assert_eq!(cause(&summary, Some(BrokerConnections { max: 831, ..full })), None);
        assert_eq!(cause(&summary, None), None);
    }
}
