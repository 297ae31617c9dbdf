//! The outcome of accepting an attempt.

use std::sync::Arc;

use crate::queue::PublishError;
use crate::store::Decided;

/// The outcome of enqueuing an attempt.
#[derive(Debug)]
pub(in crate::server) enum Accepted {
    /// It is queued durably.
    Queued,
    /// It was decided before.
    Decided(Arc<Decided>),
    /// The queue did not accept it; the attempt has no effect.
    Refused(PublishError),
    /// It may be queued or not.
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
