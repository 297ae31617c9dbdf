//! Why a run came to no result.

use crate::profile::FlagError;

/// Why a run has no result.
#[derive(Debug)]
pub enum BenchError {
    /// A flag is invalid.
    Flag(FlagError),
    /// The run failed.
    Failed(anyhow::Error),
    /// It was stopped before there was anything to report.
    Interrupted,
}

impl<E: Into<anyhow::Error>> From<E> for BenchError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}
