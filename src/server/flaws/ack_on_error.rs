//! The flaw `ack-on-error`: a batch is acknowledged even when the store could not decide it.

use crate::queue::Batch;
use crate::store::StoreError;

use super::super::app::Boxed;

/// Acknowledges the batch, which loses its attempts.
pub(in crate::server) fn handle(batch: Batch, error: StoreError) -> Boxed<'static, ()> {
    Box::pin(async move {
        tracing::error!(%error, "the transaction failed");
        batch.ack().await;
    })
}
