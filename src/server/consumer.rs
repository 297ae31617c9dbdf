//! The consumer: takes attempts from the queue, has the store decide them, acknowledges them.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};

use crate::profile::CONSUMERS_MAX;
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

/// Batches of this process's queue that all consumers decide at a time. A batch is decided in
/// memory and then waits for the next commit. If the consumers waited with it, no more than one
/// batch of each would be decided in a commit, while any number may be accepted.
const BATCHES_OF_PROCESS: usize = CONSUMERS_MAX;

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

/// How many batches one of so many consumers may decide at a time.
pub fn batches_max(queue: &Queue, consumers: usize) -> usize {
    match queue.lookup() {
        Lookup::Queue(queue) if queue.is_in_order() => {
            (BATCHES_OF_PROCESS / consumers.max(1)).max(1)
        }
        Lookup::Queue(_) => 1,
        Lookup::Register(_) => BATCHES_OF_BROKER,
    }
}

/// Decides attempts until the queue is closed and empty: at most so many batches at a time, each of
/// at most `prefetch` attempts.
pub async fn run(app: Arc<App>, prefetch: usize, batches_max: usize) {
    let mut subscription = app.queue.subscribe(prefetch);
    let (mut deciding, mut panics) = (JoinSet::new(), 0);
    loop {
        // After a panic attempts are taken one by one, to find the one that causes it.
        let (max, batches_max) = if panics > 0 { (1, 1) } else { (prefetch, batches_max) };
        let outcome = tokio::select! {
            biased;
            Some(outcome) = deciding.join_next() => outcome,
            batch = subscription.next(max), if deciding.len() < batches_max => match batch {
                Some(batch) if panics >= PANICS_MAX => {
                    tracing::error!(panics, "attempt rejected after repeated panics");
                    batch.reject().await;
                    panics = 0;
                    continue;
                }
                Some(batch) => {
                    deciding.spawn(decide_until_decided(Arc::clone(&app), batch));
                    continue;
                }
                None => break,
            },
        };
        match outcome_of(outcome) {
            Outcome::Decided => panics = 0,
            Outcome::GivenBack => {}
            Outcome::Panicked => {
                // What the others say is of no attempt that was taken since.
                while deciding.join_next().await.is_some() {}
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
