//! Republishes orphans: attempts that were announced and are not known to be queued, because the
//! process that announced them died before it published them or before it confirmed them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::ids::RequestId;
use crate::queue::Broker;
use crate::store::StoreError;

use super::super::app::App;

/// How often orphans are searched for.
const INTERVAL: Duration = Duration::from_secs(2);

/// Added to twice the publish time-out, the age from which an attempt is an orphan: attempts that
/// are still being published or confirmed are younger.
const GRACE: Duration = Duration::from_secs(2);

/// Pause before the same attempt is republished once more, if it is still not confirmed.
const REPEAT_PAUSE: Duration = Duration::from_secs(60);

/// Republishes orphans until dropped.
pub(super) async fn republish_loop(app: Arc<App>, broker: Broker) {
    let mut recently_republished = HashMap::new();
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        recently_republished.retain(|_, at: &mut Instant| at.elapsed() < REPEAT_PAUSE);
        if broker.unavailable().is_none()
            && let Err(error) = republish(&app, &broker, &mut recently_republished).await
        {
            tracing::debug!(%error, "cannot read the orphans from the store, will retry");
        }
    }
}

async fn republish(
    app: &App,
    broker: &Broker,
    recently_republished: &mut HashMap<RequestId, Instant>,
) -> Result<(), StoreError> {
    let age = 2 * broker.publish_timeout() + GRACE;
    let old_us = app.clock.now_us().saturating_sub(age.as_micros() as u64);
    for attempt in app.store.unconfirmed(old_us).await? {
        let id = attempt.request_id;
        if recently_republished.contains_key(&id) {
            continue;
        }
        if broker.publish(&attempt).await.is_err() {
            return Ok(());
        }
        tracing::info!(request_id = %id, "republished an attempt whose outcome was not known");
        recently_republished.insert(id, Instant::now());
        app.confirm_batcher.add(&attempt);
    }
    Ok(())
}
