//! What is accepted and not decided: read from a queue that has a lookup, and from the store's
//! register for one that has none.

use std::sync::Arc;

use crate::ids::{ItemId, RequestId};
use crate::queue::{Backlog, Lookup, Place, Queue};
use crate::sale::Attempt;
use crate::store::{Known, RegisterBacklog, Store, StoreError};

use super::super::app::App;

/// What is known of a request id. The queue is read before the store, so that an attempt which is
/// decided in between is found in one of the two.
///
/// # Errors
/// Returns an error when the store does not answer.
pub(in crate::server) async fn known(
    app: &App,
    request_id: &RequestId,
) -> Result<Option<Known>, StoreError> {
    let queued = app.queue.find(request_id);
    let known = app.store.known(request_id).await?;
    Ok(known.or(queued.map(Known::Waiting)))
}

/// Repeats the lookup, because the attempt may have been accepted since. With a register in the
/// store, the first lookup has read everything at one moment, so no repetition is needed.
///
/// # Errors
/// Returns an error when the store does not answer.
pub(in crate::server) async fn known_since_lookup(
    app: &App,
    request_id: &RequestId,
) -> Result<Option<Known>, StoreError> {
    match app.queue.lookup() {
        Lookup::Queue(_) => known(app, request_id).await,
        Lookup::Register(_) => Ok(None),
    }
}

/// Whether an attempt can be announced in the store together with its lookup: the queue needs the
/// register, and accepts attempts at this moment.
pub(in crate::server) fn can_announce_with_lookup(app: &App) -> bool {
    match app.queue.lookup() {
        Lookup::Queue(_) => false,
        Lookup::Register(broker) => broker.unavailable().is_none() && !broker.is_full(),
    }
}

/// All waiting attempts at a sale, oldest first.
///
/// # Errors
/// Returns an error when the store does not answer.
pub(in crate::server) async fn waiting_attempts(
    queue: &Queue,
    store: &Store,
    epoch: u64,
) -> Result<Vec<Arc<Attempt>>, StoreError> {
    match queue.lookup() {
        Lookup::Queue(queue) => Ok(queue.waiting(epoch).await),
        Lookup::Register(_) => store.waiting(epoch).await,
    }
}

/// What waits before a new attempt at an item.
///
/// # Errors
/// Returns an error when the store does not answer.
pub(in crate::server) async fn backlog(app: &App, item: &ItemId) -> Result<Backlog, StoreError> {
    match app.queue.lookup() {
        Lookup::Queue(queue) => Ok(queue.backlog(item, app.clock.now_us())),
        Lookup::Register(_) => {
            let RegisterBacklog { of_item, all, decided } = app.store.backlog(item).await?;
            Ok(Backlog { of_item, wait: app.decided_rate.wait(all, decided) })
        }
    }
}

/// Where a queued attempt is; `None` if that is not known.
pub(in crate::server) async fn place(app: &App, attempt: &Attempt) -> Option<Place> {
    match app.queue.lookup() {
        Lookup::Queue(queue) => queue.place(&attempt.request_id),
        Lookup::Register(_) => {
            let (position, decided) = app.store.position(attempt).await.ok()?;
            let position = position?;
            Some(Place { position, eta: app.decided_rate.time_for(position + 1, decided) })
        }
    }
}

/// How many attempts at an item wait.
///
/// # Errors
/// Returns an error when the store does not answer.
pub(in crate::server) async fn waiting_count(
    app: &App,
    item: &ItemId,
) -> Result<usize, StoreError> {
    match app.queue.lookup() {
        Lookup::Queue(queue) => Ok(queue.depth_of(item)),
        Lookup::Register(_) => app.store.waiting_count(item).await,
    }
}
