//! The flaw `ack-before-apply`: a batch is acknowledged before the store has its decisions.

use crate::queue::Batch;

use super::super::app::{App, Boxed};
use super::super::consumer;

/// Acknowledges a batch and decides it afterwards. What ends in between, by a crash or because the
/// store fails, is lost.
pub(in crate::server) fn decide(app: &App, batch: Batch) -> Boxed<'_, ()> {
    Box::pin(async move {
        let attempts = batch.attempts().to_vec();
        batch.ack().await;
        let deciding = async {
            let reserved = app.store.reserve(&attempts, app.clock.now_us()).await?;
            consumer::commit(app, reserved).await
        };
        if let Err(error) = deciding.await {
            tracing::error!(%error, "the transaction failed");
        }
    })
}
