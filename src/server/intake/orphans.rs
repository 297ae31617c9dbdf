//! Republishes orphans: attempts of the register that are not in the queue.
//!
//! Some were announced by a process that died before it published or confirmed them. Others were
//! confirmed, and the broker has lost them since: its queue was purged or deleted. A broker cannot
//! be asked whether it has a message, but it delivers in the order of acceptance. So an attempt is
//! overdue when attempts that were accepted later have been decided, or when the queue is empty. In
//! a long queue nothing is overdue, and so nothing is republished.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::ids::RequestId;
use crate::queue::{Broker, PublishError};
use crate::sale::Attempt;
use crate::store::{RegisterScan, StoreError};

use super::super::app::App;

/// How often orphans are searched for.
const INTERVAL: Duration = Duration::from_secs(1);

/// How much later than others an attempt may be decided: attempts are published, delivered and
/// decided concurrently, and by several machines with clocks of their own.
const GRACE: Duration = Duration::from_secs(2);

/// How long it is remembered that an attempt was republished. It also bounds the memory, with the
/// attempts that can be found in that time.
const REPEAT_PAUSE: Duration = Duration::from_secs(60);

/// Publishes at a time.
const CONCURRENT: usize = 100;

/// Republishes orphans until dropped.
pub(super) async fn republish_loop(app: Arc<App>, broker: Broker) {
    let mut search =
        Search { app, broker, scan: RegisterScan::default(), republished: HashMap::new() };
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        while search.broker.unavailable().is_none() {
            match search.round().await {
                // Where some were found, there may be more.
                Ok(1..) => {}
                Ok(0) => break,
                Err(error) => {
                    tracing::debug!(%error, "cannot read the orphans from the store, will retry");
                    break;
                }
            }
        }
    }
}

struct Search {
    app: Arc<App>,
    broker: Broker,
    scan: RegisterScan,
    /// When attempts were republished, in microseconds since the Unix epoch.
    republished: HashMap<RequestId, u64>,
}

impl Search {
    /// Republishes a part of the orphans, and returns how many.
    async fn round(&mut self) -> Result<usize, StoreError> {
        let now_us = self.app.clock.now_us();
        self.republished.retain(|_, at_us| *at_us > before(now_us, REPEAT_PAUSE));
        // Younger ones may still be on their way to the queue.
        let announced_us = before(now_us, 2 * self.broker.publish_timeout() + GRACE);
        let unconfirmed = self.app.store.unconfirmed(announced_us).await?;
        // Counted before the register is read: what is added meanwhile is younger.
        let is_empty = self.broker.depth().await == Some(0);
        let passed_us = if is_empty { now_us } else { self.app.progress.accepted_us() };
        let overdue_us = before(passed_us, GRACE);
        let overdue = self.app.store.overdue(&mut self.scan, overdue_us).await?;
        let mut orphans = self.not_republished_since(unconfirmed, announced_us);
        orphans.extend(self.not_republished_since(overdue, overdue_us));
        let mut count = 0;
        for orphans in orphans.chunks(CONCURRENT) {
            let published = self.publish(orphans).await;
            count += published;
            if published < orphans.len() {
                break;
            }
        }
        if count > 0 {
            tracing::info!(count, "republished attempts that the queue does not seem to have");
        }
        Ok(count)
    }

    /// Those that were not republished after this moment: a new message waits its turn, too.
    fn not_republished_since(
        &self,
        attempts: Vec<Arc<Attempt>>,
        moment_us: u64,
    ) -> Vec<Arc<Attempt>> {
        let at_us = |attempt: &Attempt| self.republished.get(&attempt.request_id);
        attempts.into_iter().filter(|a| at_us(a).is_none_or(|at_us| *at_us <= moment_us)).collect()
    }

    /// Publishes attempts, and returns how many the broker confirmed.
    async fn publish(&mut self, attempts: &[Arc<Attempt>]) -> usize {
        let mut publishing = JoinSet::new();
        for attempt in attempts.iter().cloned() {
            let broker = self.broker.clone();
            publishing.spawn(async move {
                broker.publish(&attempt).await?;
                Ok::<_, PublishError>(attempt)
            });
        }
        let mut count = 0;
        while let Some(published) = publishing.join_next().await {
            let Ok(Ok(attempt)) = published else { continue };
            self.republished.insert(attempt.request_id, self.app.clock.now_us());
            self.app.confirm_batcher.add(&attempt);
            count += 1;
        }
        count
    }
}

fn before(moment_us: u64, time: Duration) -> u64 {
    moment_us.saturating_sub(time.as_micros() as u64)
}
