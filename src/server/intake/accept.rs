//! Accepting an attempt: it is in the queue, durably, before the client gets its 202.
//!
//! For a queue without lookup the order is: announce in the store's register, publish, confirm;
//! or withdraw, if the queue did not take it.

use std::sync::Arc;

use crate::queue::{Broker, Lookup, PublishError, Room};
use crate::sale::{Attempt, NewAttempt};
use crate::store::{Announced, Known, StoreError};

use super::super::app::App;
use super::accepted::Accepted;
use super::durable::with_durability_timeout;

/// Enqueues an attempt. A broker is not told how much of it may be filled: the limit on attempts
/// that are being accepted bounds by how much it is exceeded.
///
/// # Errors
/// Returns an error when the store failed; unless that is [`StoreError::Unknown`], the attempt has
/// no effect.
pub(in crate::server) async fn accept(
    app: &App,
    new: NewAttempt,
    room: Room,
) -> Result<Accepted, StoreError> {
    match app.queue.lookup() {
        Lookup::Queue(queue) => {
            let published = with_durability_timeout(queue.publish_within(new.clone(), room)).await;
            if published.is_err() {
                return Ok(published.into());
            }
            // An attempt with the same id may have left the queue just before this one was added.
            Ok(match app.store.known(&new.request_id).await {
                Ok(Some(known)) if !is_same(&new, known.attempt()) => {
                    Accepted::Refused(PublishError::Reused)
                }
                Ok(_) => Accepted::Queued,
                Err(_) => Accepted::Unknown,
            })
        }
        Lookup::Register(broker) => match app.store.announce(&new).await? {
            Announced::Fresh(attempt) => publish_announced(app, broker, &attempt).await,
            Announced::Known(known) if !is_same(&new, known.attempt()) => {
                Ok(Accepted::Refused(PublishError::Reused))
            }
            Announced::Known(Known::Decided(decided)) => Ok(Accepted::Decided(decided)),
            Announced::Known(Known::Waiting(_)) => Ok(Accepted::Queued),
            Announced::Known(Known::Announced(attempt)) => {
                Ok(republish_announced(app, broker, &attempt).await)
            }
        },
    }
}

fn is_same(new: &NewAttempt, attempt: &Attempt) -> bool {
    new.buyer == attempt.buyer && new.item == attempt.item
}

/// Publishes an attempt that was announced for the first time.
///
/// # Errors
/// As [`accept`].
pub(in crate::server) async fn publish(
    app: &App,
    attempt: &Arc<Attempt>,
) -> Result<Accepted, StoreError> {
    match app.queue.lookup() {
        // Attempts are not announced for a queue that has lookup: it is queued already.
        Lookup::Queue(_) => Ok(Accepted::Queued),
        Lookup::Register(broker) => publish_announced(app, broker, attempt).await,
    }
}

async fn publish_announced(
    app: &App,
    broker: &Broker,
    attempt: &Arc<Attempt>,
) -> Result<Accepted, StoreError> {
    let published = broker.publish(attempt).await;
    match published {
        Ok(()) => app.confirm_batcher.add(attempt),
        Err(PublishError::Unknown) => {}
        // A refusal promises that the attempt will not be decided later. A withdrawn one is not,
        // even if its message is in the queue.
        Err(_) => {
            let withdrawn = app.store.withdraw(attempt).await;
            if withdrawn != Ok(true) {
                return Ok(Accepted::Unknown);
            }
        }
    }
    Ok(match published {
        Err(PublishError::NotTaken) if broker.unavailable().is_none() && broker.nacked().await => {
            Accepted::Refused(PublishError::Full)
        }
        published => published.into(),
    })
}

/// Publishes an attempt that was announced before and is not known to be queued. A second message
/// is harmless, since decisions are idempotent. If the queue does not take it, the first may still
/// have been taken.
pub(in crate::server) async fn republish(app: &App, attempt: &Arc<Attempt>) -> Accepted {
    match app.queue.lookup() {
        // It was announced when the queue was a broker, which may never have got it.
        Lookup::Queue(queue) => {
            let Attempt { request_id, buyer, item, epoch, accepted_us, .. } = (**attempt).clone();
            let new = NewAttempt { request_id, buyer, item, epoch, accepted_us };
            match with_durability_timeout(queue.publish(new)).await {
                Ok(()) => Accepted::Queued,
                Err(_) => Accepted::Unknown,
            }
        }
        Lookup::Register(broker) => republish_announced(app, broker, attempt).await,
    }
}

async fn republish_announced(app: &App, broker: &Broker, attempt: &Arc<Attempt>) -> Accepted {
    match broker.publish(attempt).await {
        Ok(()) => {
            app.confirm_batcher.add(attempt);
            Accepted::Queued
        }
        Err(_) => Accepted::Unknown,
    }
}
