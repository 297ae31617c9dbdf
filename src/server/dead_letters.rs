//! Deciding dead letters: attempts that the broker could not deliver to a consumer that lived long
//! enough to decide them.

use std::sync::Arc;

use crate::queue::{Batch, Lookup};
use crate::store::StoreError;

use super::app::App;
use super::consumer::{BACKOFF, commit};

/// Has each dead letter decided as lost, so that its client gets an answer. Returns at once where
/// the queue has no dead letters.
pub(super) async fn run(app: Arc<App>) {
    let Lookup::Register(broker) = app.queue.lookup() else { return };
    let mut dead = broker.dead_letters();
    while let Some(batch) = dead.next(1).await {
        match decide(&app, &batch).await {
            Ok(()) => batch.ack().await,
            Err(error) => {
                tracing::debug!(%error, "dead letter not decided, will retry");
                drop(batch);
                tokio::time::sleep(BACKOFF).await;
            }
        }
    }
}

async fn decide(app: &App, batch: &Batch) -> Result<(), StoreError> {
    let reserved = app.store.lose_undeliverable(batch.attempts(), app.clock.now_us()).await?;
    commit(app, reserved).await
}
