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
