//! The consumer: takes attempts from the queue, has the store decide them, acknowledges them.

use std::sync::Arc;
use std::time::Duration;

use crate::queue::Batch;
use crate::store::{Reservation, StoreError};

use super::app::{App, Step};

/// Pause before a batch that the store could not decide is tried again.
pub(super) const BACKOFF: Duration = Duration::from_millis(100);

/// Panics over one attempt after which it is rejected. Only a broker has dead letters for it.
const PANICS_MAX: u32 = 5;

/// Decides attempts, at most `prefetch` at a time, until the queue is closed and empty. A batch
/// that could not be decided is delivered again.
pub(super) async fn run(app: Arc<App>, prefetch: usize) {
    let mut subscription = app.queue.subscribe(prefetch);
    let mut panics = 0;
    // After a panic attempts are taken one by one, to find the one that causes it.
    while let Some(batch) = subscription.next(if panics > 0 { 1 } else { prefetch }).await {
        if panics >= PANICS_MAX {
            tracing::error!(panics, "attempt rejected after repeated panics");
            batch.reject().await;
            panics = 0;
            continue;
        }
        // In a task of its own, so that a panic does not end the consumer.
        match tokio::spawn(decide(Arc::clone(&app), batch)).await {
            Ok(Ok(())) => {
                panics = 0;
                continue;
            }
            Ok(Err(error)) => tracing::debug!(%error, "batch not decided, will retry"),
            Err(error) => {
                panics += 1;
                tracing::error!(%error, panics, "consumer panicked, will retry");
            }
        }
        tokio::time::sleep(BACKOFF).await;
    }
}

/// Has a batch decided, and acknowledges it after the decisions are committed.
async fn decide(app: Arc<App>, mut batch: Batch) -> Result<(), StoreError> {
    match reserve(&app, &mut batch).await {
        Ok(()) => {
            batch.ack().await;
            Ok(())
        }
        Err(error) => match app.undecided {
            // The batch is dropped, and so delivered again.
            Step::Standard => Err(error),
            Step::Replaced(handle) => handle(batch, error).await,
        },
    }
}

async fn reserve(app: &App, batch: &mut Batch) -> Result<(), StoreError> {
    let reserved = app.store.reserve(batch.attempts(), app.clock.now_us()).await?;
    batch.release_item();
    commit(app, reserved).await
}

/// Commits decisions and logs them.
pub(super) async fn commit(app: &App, reserved: Reservation) -> Result<(), StoreError> {
    for decided in app.store.commit(reserved).await? {
        let attempt = &decided.attempt;
        tracing::debug!(
            request_id = %attempt.request_id, uid = %attempt.buyer, item = %attempt.item,
            decision = %decided.decision, "decided"
        );
    }
    Ok(())
}
