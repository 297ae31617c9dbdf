//! What came of accepting an attempt.

use std::sync::Arc;

use crate::queue::PublishError;
use crate::store::Decided;

/// What came of putting an attempt into the queue.
#[derive(Debug)]
pub(in crate::server) enum Accepted {
    /// It is there for good.
    Queued,
    /// It was decided before.
    Decided(Arc<Decided>),
    /// The queue did not take it: no effect.
    Refused(PublishError),
    /// Nobody knows.
    Unknown,
}

impl From<Result<(), PublishError>> for Accepted {
    fn from(published: Result<(), PublishError>) -> Self {
        match published {
            Ok(()) => Self::Queued,
            Err(PublishError::Unknown) => Self::Unknown,
            Err(refused) => Self::Refused(refused),
        }
    }
}
