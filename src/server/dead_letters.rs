//! Deciding dead letters: attempts that a consumer rejected, or that the broker has delivered too
//! often.

use std::sync::Arc;
use std::time::Duration;

use crate::queue::{Batch, Lookup};
use crate::store::StoreError;

use super::app::App;
use super::consumer::{Outcome, commit, decide};

/// Pause before a dead letter that the store could not decide is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Has each dead letter decided like any other attempt: what the broker counts are deliveries, and
/// they fail for reasons that lie in no attempt. One that cannot be decided is decided as lost, so
/// that its client gets an answer. Returns at once where the queue has no dead letters.
pub(super) async fn run(app: Arc<App>) {
    let Lookup::Register(broker) = app.queue.lookup() else { return };
    let mut dead = broker.dead_letters();
    let mut panicked = None;
    // One at a time, so that the one that causes a panic is known. It is delivered once more.
    while let Some(batch) = dead.next(1).await {
        let request_id = batch.attempts().first().map(|attempt| attempt.request_id);
        if panicked.is_none() || panicked != request_id {
            if decide(&app, batch).await == Outcome::Panicked {
                panicked = request_id;
            }
            continue;
        }
        match lose(&app, &batch).await {
            Ok(()) => batch.ack().await,
            Err(error) => {
                tracing::debug!(%error, "dead letter not decided, will retry");
                drop(batch);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn lose(app: &App, batch: &Batch) -> Result<(), StoreError> {
    let reserved = app.store.lose_undeliverable(batch.attempts(), app.clock.now_us()).await?;
    commit(app, reserved).await
}
