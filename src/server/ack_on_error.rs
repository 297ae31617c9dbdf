//! The flaw `ack-on-error`: a batch is acknowledged whatever the store says.

use std::sync::Arc;

use crate::queue::Batch;
use crate::store::StoreError;

use super::{App, consumer};

/// Decides a batch, or does not, and forgets it.
pub(super) async fn decide(app: Arc<App>, mut batch: Batch) -> Result<(), StoreError> {
    let reserved = app.store.reserve(batch.attempts(), app.clock.now_us()).await;
    batch.ordered();
    let decided = match reserved {
        Ok(reserved) => consumer::commit(&app, reserved).await,
        Err(error) => Err(error),
    };
    if let Err(error) = decided {
        tracing::error!(%error, "the transaction failed");
    }
    batch.ack().await;
    Ok(())
}
