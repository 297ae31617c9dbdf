//! What is accepted and not decided: the queue of this process knows it; what is in a broker
//! cannot be looked up there, and so is in the store's register.

use std::sync::Arc;
use std::time::Duration;

use crate::ids::{ItemId, RequestId};
use crate::queue::{PublishError, Queue};
use crate::sale::{Attempt, NewAttempt};
use crate::store::{Announced, Decided, Known, StoreError};

use super::App;

/// How long an attempt may take to become durable in the queue of this process before its outcome
/// is called unknown. A broker's has a limit of its own.
const DURABLE_TIMEOUT: Duration = Duration::from_secs(10);

/// What came of putting an attempt into the queue.
#[derive(Debug)]
pub(super) enum Accepted {
    /// It is there for good.
    Queued,
    /// It was decided before.
    Decided(Arc<Decided>),
    /// The queue did not take it: no effect.
    Refused(PublishError),
    /// Nobody knows.
    Unknown,
}

/// Puts an attempt into the queue.
///
/// # Errors
/// When the store did not take it: no effect, unless that is [`StoreError::Unknown`].
pub(super) async fn accept(app: &App, new: NewAttempt) -> Result<Accepted, StoreError> {
    match &app.queue {
        Queue::Embedded(queue) => {
            let published = in_time(queue.publish(new.clone())).await;
            if published.is_err() {
                return Ok(published.into());
            }
            // Another's with the same id may have left the queue a moment before.
            Ok(match app.store.known(&new.request_id).await {
                Ok(Some(known)) if !is_same(&new, known.attempt()) => {
                    Accepted::Refused(PublishError::Reused)
                }
                Ok(_) => Accepted::Queued,
                Err(_) => Accepted::Unknown,
            })
        }
        Queue::RabbitMq(_) => match app.store.announce(&new).await? {
            Announced::Fresh(attempt) => publish(app, &attempt).await,
            Announced::Known(known) if !is_same(&new, known.attempt()) => {
                Ok(Accepted::Refused(PublishError::Reused))
            }
            Announced::Known(Known::Decided(decided)) => Ok(Accepted::Decided(decided)),
            Announced::Known(Known::Waiting(_)) => Ok(Accepted::Queued),
            Announced::Known(Known::Announced(attempt)) => Ok(again(app, &attempt).await),
        },
    }
}

fn is_same(new: &NewAttempt, attempt: &Attempt) -> bool {
    new.buyer == attempt.buyer && new.item == attempt.item
}

/// Publishes an attempt that was announced for the first time.
pub(super) async fn publish(app: &App, attempt: &Arc<Attempt>) -> Result<Accepted, StoreError> {
    let Queue::RabbitMq(queue) = &app.queue else { return Ok(Accepted::Queued) };
    let published = queue.publish(attempt).await;
    match published {
        Ok(()) => app.confirms.add(attempt),
        Err(PublishError::Unknown) => {}
        // It will not be decided later: that is what the refusal promises.
        Err(_) => {
            let withdrawn = app.store.withdraw(attempt).await;
            if withdrawn != Ok(true) {
                return Ok(Accepted::Unknown);
            }
        }
    }
    Ok(published.into())
}

/// Of an attempt that was announced before it is not known whether it is queued, so it is queued
/// once more: it will be decided once. If it is not taken now, it may have been before.
pub(super) async fn again(app: &App, attempt: &Arc<Attempt>) -> Accepted {
    let Queue::RabbitMq(queue) = &app.queue else { return Accepted::Queued };
    match queue.publish(attempt).await {
        Ok(()) => {
            app.confirms.add(attempt);
            Accepted::Queued
        }
        Err(_) => Accepted::Unknown,
    }
}

impl From<Result<(), PublishError>> for Accepted {
    fn from(published: Result<(), PublishError>) -> Self {
        match published {
            Ok(()) => Self::Queued,
            Err(PublishError::Unknown) => Self::Unknown,
            Err(refused) => Self::Refused(refused),
        }
    }
}

/// What is known of a request id. In this order, so that an attempt which is decided in between is
/// found in one of the two.
pub(super) async fn known(app: &App, request_id: &RequestId) -> Result<Option<Known>, StoreError> {
    let queued = app.queue.find(request_id);
    let known = app.store.known(request_id).await?;
    Ok(known.or(queued.map(Known::Waiting)))
}

/// Waits until a waiting attempt is durable.
pub(super) async fn durable(app: &App, request_id: &RequestId) -> Result<(), PublishError> {
    match &app.queue {
        Queue::Embedded(queue) => in_time(queue.durable(request_id)).await,
        // The register is durable, and what is in it will be decided.
        Queue::RabbitMq(_) => Ok(()),
    }
}

/// What is not known in time is unknown.
async fn in_time(
    publish: impl Future<Output = Result<(), PublishError>>,
) -> Result<(), PublishError> {
    let limited = tokio::time::timeout(DURABLE_TIMEOUT, publish).await;
    limited.unwrap_or(Err(PublishError::Unknown))
}

/// All attempts at a sale that wait, oldest first.
pub(super) async fn of_sale(app: &App, epoch: u64) -> Result<Vec<Arc<Attempt>>, StoreError> {
    match &app.queue {
        Queue::Embedded(queue) => Ok(queue.waiting(epoch)),
        Queue::RabbitMq(_) => app.store.waiting(epoch).await,
    }
}

/// How many attempts at an item wait.
pub(super) async fn count(app: &App, item: &ItemId) -> Result<usize, StoreError> {
    match &app.queue {
        Queue::Embedded(queue) => Ok(queue.depth_of(item)),
        Queue::RabbitMq(_) => app.store.waiting_count(item).await,
    }
}
