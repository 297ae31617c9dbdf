//! Queues again what was announced and is not known to be queued: the process that announced it
//! died before it could publish, or before it was told that it had.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::ids::RequestId;
use crate::queue::Broker;
use crate::store::StoreError;

use super::super::app::App;

/// How often it is looked for orphans.
const LOOK: Duration = Duration::from_secs(2);

/// Added to twice the time of a publish, the age of an orphan: a publish that is still under way is
/// younger, and so is one of which it is still to be noted that it was confirmed.
const GRACE: Duration = Duration::from_secs(2);

/// Pause until the same attempt is queued once more, should the first time not have been enough.
const AGAIN: Duration = Duration::from_secs(60);

/// Looks for orphans until dropped.
pub(super) async fn adopt(app: Arc<App>, broker: Broker) {
    let mut adopted = HashMap::new();
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        adopted.retain(|_, at: &mut Instant| at.elapsed() < AGAIN);
        if broker.unavailable().is_none()
            && let Err(error) = republish(&app, &broker, &mut adopted).await
        {
            tracing::debug!(%error, "did not look for orphans");
        }
    }
}

async fn republish(
    app: &App,
    broker: &Broker,
    adopted: &mut HashMap<RequestId, Instant>,
) -> Result<(), StoreError> {
    let age = 2 * broker.publish_timeout() + GRACE;
    let old_us = app.clock.now_us().saturating_sub(age.as_micros() as u64);
    for attempt in app.store.unconfirmed(old_us).await? {
        let id = attempt.request_id;
        if adopted.contains_key(&id) {
            continue;
        }
        if broker.publish(&attempt).await.is_err() {
            return Ok(());
        }
        tracing::info!(request_id = %id, "republished an attempt whose outcome was not known");
        adopted.insert(id, Instant::now());
        app.confirm_batcher.add(&attempt);
    }
    Ok(())
}
