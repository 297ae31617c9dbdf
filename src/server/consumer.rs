//! The consumer: takes what is queued, has it decided, acknowledges it.

use std::sync::Arc;
use std::time::Duration;

use crate::queue::{Batch, RabbitMq};
use crate::store::{Reservation, StoreError};

use super::App;
use super::ack_on_error;

/// How long a consumer waits before it tries again what the store did not take.
const BACKOFF: Duration = Duration::from_millis(100);

/// Panics over one attempt after which it is given up. Only a broker has a place for such.
const PANICS_MAX: u32 = 5;

/// When a batch is acknowledged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Acks {
    /// After the store has committed.
    #[default]
    AfterCommit,
    /// Whatever the store says: a flaw.
    Always,
}

/// Decides attempts, at most `prefetch` at a time, until the queue is closed and empty. A batch
/// that could not be decided, for whatever reason, is delivered again.
pub(super) async fn run(app: Arc<App>, prefetch: usize) {
    let mut subscription = app.queue.subscribe(prefetch);
    let mut panics = 0;
    // After a panic one by one, to find out over which.
    while let Some(batch) = subscription.next(if panics > 0 { 1 } else { prefetch }).await {
        if panics >= PANICS_MAX {
            tracing::error!(panics, "attempt given up");
            batch.reject().await;
            panics = 0;
            continue;
        }
        // A task of its own, so that a panic costs this batch's try and not the consumer.
        let decided = match app.acks {
            Acks::AfterCommit => tokio::spawn(decide(Arc::clone(&app), batch)).await,
            Acks::Always => tokio::spawn(ack_on_error::decide(Arc::clone(&app), batch)).await,
        };
        match decided {
            Ok(Ok(())) => {
                panics = 0;
                continue;
            }
            Ok(Err(error)) => tracing::debug!(%error, "batch not decided, will try again"),
            Err(error) => {
                panics += 1;
                tracing::error!(%error, panics, "consumer panicked, will try again");
            }
        }
        tokio::time::sleep(BACKOFF).await;
    }
}

async fn decide(app: Arc<App>, mut batch: Batch) -> Result<(), StoreError> {
    let reserved = app.store.reserve(batch.attempts(), app.clock.now_us()).await?;
    batch.ordered();
    commit(&app, reserved).await?;
    batch.ack().await;
    Ok(())
}

/// Commits decisions and tells the log.
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

/// Has what the broker gave up to deliver decided: it loses, and whoever asks is told so.
pub(super) async fn bury(app: Arc<App>, queue: Arc<RabbitMq>) {
    let mut dead = queue.dead_letters();
    while let Some(batch) = dead.next(1).await {
        match give_up(&app, &batch).await {
            Ok(()) => batch.ack().await,
            Err(error) => {
                tracing::debug!(%error, "dead letter not decided, will try again");
                drop(batch);
                tokio::time::sleep(BACKOFF).await;
            }
        }
    }
}

async fn give_up(app: &App, batch: &Batch) -> Result<(), StoreError> {
    let reserved = app.store.give_up(batch.attempts(), app.clock.now_us()).await?;
    commit(app, reserved).await
}
