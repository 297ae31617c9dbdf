//! The consumer: takes attempts from the queue, has the store decide them, acknowledges them.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};

use crate::profile::{CONSUMERS_MAX, PREFETCH_MAX};
use crate::queue::{Batch, Lookup, Queue};
use crate::store::{Reservation, StoreError};

use super::app::{App, Step};

/// Pause before a batch that the store could not decide is tried again; it doubles each time.
const BACKOFF: Duration = Duration::from_millis(100);

/// The longest pause: it bounds how late a recovered store is noticed.
const BACKOFF_MAX: Duration = Duration::from_secs(1);

/// Panics over one attempt after which it is rejected. Only a broker has dead letters for it.
const PANICS_MAX: u32 = 5;

/// Batches of a broker that one consumer decides at a time: while the store decides one, the
/// answers about the other are read, it is acknowledged, and the next one is sent.
const BATCHES_OF_BROKER: usize = 2;

/// Attempts of this process's queue that all consumers decide at a time: their decisions fit into
/// what may wait for one commit.
const ATTEMPTS_OF_PROCESS: usize = CONSUMERS_MAX * PREFETCH_MAX;

/// What one consumer decides at a time, at most.
#[derive(Debug, Clone, Copy)]
pub struct Share {
    batches: usize,
    attempts: usize,
}

impl Share {
    /// That of one of so many consumers of a queue.
    pub fn of(queue: &Queue, consumers: usize) -> Self {
        match queue.lookup() {
            // A batch is decided in memory and then waits for the next commit. If the consumer
            // waited with it, a commit would decide one batch, and accept any number of attempts.
            Lookup::Queue(queue) if queue.is_in_order() => {
                Self { batches: usize::MAX, attempts: ATTEMPTS_OF_PROCESS / consumers.max(1) }
            }
            Lookup::Queue(_) => Self { batches: 1, attempts: usize::MAX },
            Lookup::Register(_) => Self { batches: BATCHES_OF_BROKER, attempts: usize::MAX },
        }
    }
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is decided.
    Decided,
    /// It was given back undecided, because the server shuts down while the store fails.
    GivenBack,
    /// Deciding it panicked.
    Panicked,
}

/// Decides attempts until the queue is closed and empty, in batches of at most `prefetch`.
pub async fn run(app: Arc<App>, prefetch: usize, share: Share) {
    let mut subscription = app.queue.subscribe(prefetch);
    let (mut deciding, mut attempts, mut panics) = (JoinSet::new(), 0, 0);
    loop {
        // After a panic attempts are taken one by one, to find the one that causes it.
        let (max, batches) = if panics > 0 { (1, 1) } else { (prefetch, share.batches) };
        let has_room = deciding.len() < batches && attempts <= share.attempts.saturating_sub(max);
        let decided = tokio::select! {
            biased;
            Some(decided) = deciding.join_next() => decided,
            batch = subscription.next(max), if has_room => match batch {
                Some(batch) if panics >= PANICS_MAX => {
                    tracing::error!(panics, "attempt rejected after repeated panics");
                    batch.reject().await;
                    panics = 0;
                    continue;
                }
                Some(batch) => {
                    let (app, len) = (Arc::clone(&app), batch.attempts().len());
                    attempts += len;
                    deciding.spawn(async move { (decide_until_decided(app, batch).await, len) });
                    continue;
                }
                None => break,
            },
        };
        attempts -= decided.as_ref().map_or(0, |(_, len)| *len);
        match outcome_of(decided.map(|(outcome, _)| outcome)) {
            Outcome::Decided => panics = 0,
            Outcome::GivenBack => {}
            Outcome::Panicked => {
                // What the others say is of no attempt that was taken since.
                while deciding.join_next().await.is_some() {}
                attempts = 0;
                panics += 1;
                tokio::time::sleep(BACKOFF).await;
            }
        }
    }
    while deciding.join_next().await.is_some() {}
}

/// Decides a batch and acknowledges it. While the store fails, the batch is tried again and not
/// given back: a broker would count its deliveries, and they say nothing against its attempts.
pub(super) async fn decide(app: &Arc<App>, batch: Batch) -> Outcome {
    // In a task of its own, so that a panic does not end the consumer.
    outcome_of(tokio::spawn(decide_until_decided(Arc::clone(app), batch)).await)
}

fn outcome_of(joined: Result<Outcome, JoinError>) -> Outcome {
    joined.unwrap_or_else(|error| {
        tracing::error!(%error, "deciding a batch panicked");
        Outcome::Panicked
    })
}

async fn decide_until_decided(app: Arc<App>, mut batch: Batch) -> Outcome {
    if let Step::Replaced(consume) = app.consume {
        consume(&app, batch).await;
        return Outcome::Decided;
    }
    let mut backoff = BACKOFF;
    loop {
        let error = match reserve(&app, &mut batch).await {
            Ok(()) => {
                batch.ack().await;
                return Outcome::Decided;
            }
            Err(error) => error,
        };
        if let Step::Replaced(handle) = app.undecided {
            handle(batch, error).await;
            return Outcome::Decided;
        }
        tracing::debug!(%error, "batch not decided, will retry");
        tokio::time::sleep(backoff).await;
        if app.draining.has_begun() {
            return Outcome::GivenBack;
        }
        backoff = (2 * backoff).min(BACKOFF_MAX);
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
        app.progress.decided(&decided);
    }
    Ok(())
}
