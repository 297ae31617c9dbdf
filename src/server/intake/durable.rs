//! Waiting until an accepted attempt is durable.

use std::time::Duration;

use crate::ids::RequestId;
use crate::queue::{Lookup, PublishError};

use super::super::app::App;

/// How long an attempt may take to become durable in the queue of this process before its outcome
/// is unknown. A broker's publish has a time-out of its own.
const DURABLE_TIMEOUT: Duration = Duration::from_secs(10);

/// Waits until a waiting attempt is durable.
///
/// # Errors
/// Returns [`PublishError::Unknown`] when it is not known to be durable in time.
pub(in crate::server) async fn durable(
    app: &App,
    request_id: &RequestId,
) -> Result<(), PublishError> {
    match app.queue.lookup() {
        // In a box, as each new attempt has room for this future, too.
        Lookup::Queue(queue) => with_durability_timeout(Box::pin(queue.durable(request_id))).await,
        // The register is durable, and every attempt in it will be decided.
        Lookup::Register(_) => Ok(()),
    }
}

/// Maps a time-out to an unknown outcome.
pub(super) async fn with_durability_timeout(
    publish: impl Future<Output = Result<(), PublishError>>,
) -> Result<(), PublishError> {
    let limited = tokio::time::timeout(DURABLE_TIMEOUT, publish).await;
    limited.unwrap_or(Err(PublishError::Unknown))
}
