//! The consumer: takes what is queued, has it decided, acknowledges it.

use std::sync::Arc;
use std::time::Duration;

use crate::queue::Batch;
use crate::store::StoreError;

use super::App;

/// How long a consumer waits before it tries again what the store did not take.
const BACKOFF: Duration = Duration::from_millis(100);

/// Decides attempts, at most `prefetch` at a time, until the queue is closed and empty. A batch
/// that could not be decided, for whatever reason, is delivered again.
pub(super) async fn run(app: Arc<App>, prefetch: usize) {
    while let Some(batch) = app.queue.next(prefetch).await {
        // A task of its own, so that a panic costs this batch's try and not the consumer.
        let decided = tokio::spawn(decide(Arc::clone(&app), batch)).await;
        match decided {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => tracing::warn!(%error, "batch not decided, will try again"),
            Err(error) => tracing::error!(%error, "consumer panicked, will try again"),
        }
        tokio::time::sleep(BACKOFF).await;
    }
}

async fn decide(app: Arc<App>, mut batch: Batch) -> Result<(), StoreError> {
    let reserved = app.store.reserve(batch.attempts(), app.clock.now_us())?;
    app.queue.ordered(&mut batch);
    let decided = app.store.commit(reserved).await?;
    for decided in &decided {
        let attempt = &decided.attempt;
        tracing::debug!(
            request_id = %attempt.request_id, uid = %attempt.buyer, item = %attempt.item,
            decision = %decided.decision, "decided"
        );
    }
    app.queue.ack(batch);
    Ok(())
}
