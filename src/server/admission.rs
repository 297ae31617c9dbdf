//! Admission: what is refused before it is queued, and what is accepted.
//!
//! An id that is known already is answered with what is known of it, before anything may refuse
//! it: a refusal says that there is no effect, and the first try may have had one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use hyper::header::HeaderValue;
use hyper::{Response, StatusCode};

use crate::api::Purchase;
use crate::api::Refusal;
use crate::ids::{BuyerId, ItemId, RequestId};
use crate::queue::{PublishError, Queue};
use crate::sale::{Attempt, NewAttempt, Phase};
use crate::store::{Known, SaleView, StoreError};
use crate::units::Rate;

use super::answer::{self, Body, refused, rejected};
use super::waiting::{self, Accepted};
use super::{App, article};

/// How attempts are admitted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Admission {
    /// After a look at the sale, the buyer and what is known of the id.
    #[default]
    Checked,
    /// As the article did: without a look.
    Blind,
    /// Not by this process: it is a consumer.
    Closed,
}

/// Answers `POST /seckill`; `keys` are its `Idempotency-Key` fields.
pub(super) async fn purchase(
    app: &App,
    purchase: Purchase,
    keys: &[HeaderValue],
) -> Response<Body> {
    let wanted = match Wanted::parse(purchase, keys) {
        Ok(wanted) => wanted,
        Err(response) => return response,
    };
    let request_id = wanted.request_id;
    let admitted = match app.admission {
        Admission::Checked => admit(app, wanted).await,
        Admission::Blind => article::admit(app, wanted).await,
        Admission::Closed => return not_here(),
    };
    match admitted {
        Ok(response) => response,
        Err(StoreError::Unknown) => answer::unknown(Some(request_id)),
        Err(error) => answer::store_error(&error),
    }
}

/// The answer of a process that only decides.
fn not_here() -> Response<Body> {
    let message = "this process is a consumer: send attempts to one with --role api";
    rejected(StatusCode::NOT_FOUND, "no_such_path", message)
}

async fn admit(app: &App, wanted: Wanted) -> Result<Response<Body>, StoreError> {
    // First the queue, then the store: see `waiting::known`.
    let queued = app.queue.find(&wanted.request_id).map(Known::Waiting);
    let Wanted { request_id, buyer, item } = &wanted;
    let now_us = app.clock.now_us();
    let announce_us = announces(app).then_some(now_us);
    let look = app.store.look(request_id, item.as_ref(), buyer, announce_us).await?;
    if let Some(known) = look.known.or(queued) {
        return Ok(answer_known(app, &wanted, known).await);
    }
    if let Some(attempt) = look.announced {
        return Ok(accepted_answer(waiting::publish(app, &attempt).await?, *request_id));
    }
    let sale = look.sale?;
    if let Some(refusal) = refusal(app, &sale, look.at_limit, now_us) {
        // A twin may have been accepted since the first look: then this one is, too.
        return Ok(match twin(app, request_id).await? {
            Some(known) => answer_known(app, &wanted, known).await,
            None => refused(refusal),
        });
    }
    enqueue(app, wanted, sale, now_us).await
}

/// Puts an attempt at this sale into the queue, and says what came of that.
pub(super) async fn enqueue(
    app: &App,
    wanted: Wanted,
    sale: SaleView,
    now_us: u64,
) -> Result<Response<Body>, StoreError> {
    let Wanted { request_id, buyer, .. } = wanted;
    let (item, epoch) = (sale.terms.item, sale.epoch);
    let attempt = NewAttempt { request_id, buyer, item, epoch, accepted_us: now_us };
    Ok(accepted_answer(waiting::accept(app, attempt).await?, request_id))
}

/// Whether an attempt may be announced with the first look at it: where nothing but the sale can
/// stand against it.
fn announces(app: &App) -> bool {
    let is_broker = matches!(app.queue, Queue::RabbitMq(_));
    is_broker
        && app.rate_limit.is_none()
        && !app.draining.has_started()
        && app.queue.unavailable().is_none()
}

/// What has become known of an id since the store was looked at. A store that knows all that waits
/// was asked for everything at one moment: there is nothing to add.
async fn twin(app: &App, request_id: &RequestId) -> Result<Option<Known>, StoreError> {
    match &app.queue {
        Queue::Embedded(_) => waiting::known(app, request_id).await,
        Queue::RabbitMq(_) => Ok(None),
    }
}

/// A well-formed purchase.
pub(super) struct Wanted {
    request_id: RequestId,
    buyer: BuyerId,
    pub(super) item: Option<ItemId>,
}

impl Wanted {
    fn parse(purchase: Purchase, keys: &[HeaderValue]) -> Result<Self, Response<Body>> {
        let bad = |reason, what: &str, error: crate::ids::IdError| {
            rejected(StatusCode::BAD_REQUEST, reason, format!("{what} {error}"))
        };
        let buyer = purchase.uid.parse().map_err(|error| bad("bad_uid", "uid", error))?;
        let item = purchase.item.map(|item| item.parse()).transpose();
        let item = item.map_err(|error| bad("bad_item", "item", error))?;
        let from_headers =
            keys.iter().map(|key| key.to_str().unwrap_or_default().trim_matches('"'));
        let mut given = Vec::new();
        for text in from_headers.chain(purchase.request_id.as_deref()) {
            let id: RequestId =
                text.parse().map_err(|error| bad("bad_request_id", "request_id", error))?;
            given.push(id);
        }
        let request_id = given.first().copied().unwrap_or_else(RequestId::random);
        if given.iter().any(|other| *other != request_id) {
            let message = "request_id and Idempotency-Key differ: send one of them";
            return Err(rejected(StatusCode::BAD_REQUEST, "bad_request_id", message));
        }
        Ok(Self { request_id, buyer, item })
    }

    fn is_same(&self, attempt: &Attempt) -> bool {
        self.buyer == attempt.buyer && self.item.as_ref().is_none_or(|item| *item == attempt.item)
    }
}

/// The answer to an id that was accepted before, or may have been.
async fn answer_known(app: &App, wanted: &Wanted, known: Known) -> Response<Body> {
    if !wanted.is_same(known.attempt()) {
        return refused(Refusal::RequestIdReused);
    }
    let request_id = wanted.request_id;
    let accepted = match known {
        Known::Decided(decided) => return answer::decided(&decided),
        Known::Waiting(_) => waiting::durable(app, &request_id).await.into(),
        Known::Announced(attempt) => waiting::again(app, &attempt).await,
    };
    accepted_answer(accepted, request_id)
}

fn accepted_answer(accepted: Accepted, request_id: RequestId) -> Response<Body> {
    match accepted {
        Accepted::Queued => answer::queued(StatusCode::ACCEPTED, request_id),
        Accepted::Decided(decided) => answer::decided(&decided),
        Accepted::Refused(PublishError::Full) => refused(Refusal::QueueFull),
        Accepted::Refused(PublishError::Reused) => refused(Refusal::RequestIdReused),
        Accepted::Refused(PublishError::Unavailable) => refused(Refusal::BrokerUnavailable),
        Accepted::Refused(PublishError::Unknown | PublishError::Untold) | Accepted::Unknown => {
            answer::unknown(Some(request_id))
        }
    }
}

/// Why an attempt at this sale would be refused now, if it would.
fn refusal(app: &App, sale: &SaleView, at_limit: bool, now_us: u64) -> Option<Refusal> {
    if app.draining.has_started() {
        return Some(Refusal::Draining);
    }
    match sale.phase(now_us) {
        Phase::NotOpen => return Some(Refusal::NotOpen),
        Phase::Closed => return Some(Refusal::Closed),
        Phase::Open => {}
    }
    if sale.left <= 0 {
        return Some(Refusal::SoldOut);
    }
    if at_limit {
        return Some(Refusal::AlreadyBought);
    }
    if app.queue.unavailable().is_some() {
        return Some(Refusal::BrokerUnavailable);
    }
    let limited = app.rate_limit.as_ref().is_some_and(|limit| !limit.admit());
    limited.then_some(Refusal::RateLimited)
}

/// So many attempts per second, evenly, with a tenth of a second's worth at once: the generic
/// cell rate algorithm (ITU-T I.371), which needs one number and no lock.
#[derive(Debug)]
pub struct RateLimit {
    begun: Instant,
    interval_ns: u64,
    burst_ns: u64,
    /// When the next attempt would be due, in nanoseconds since `begun`.
    due_ns: AtomicU64,
}

impl RateLimit {
    /// Admits so many attempts per second.
    pub fn new(rate: Rate) -> Self {
        let interval_ns = (1_000_000_000 / rate.per_second).max(1);
        let burst_ns = 100_000_000.max(interval_ns);
        Self { begun: Instant::now(), interval_ns, burst_ns, due_ns: AtomicU64::new(0) }
    }

    fn admit(&self) -> bool {
        self.admit_at(u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    fn admit_at(&self, now_ns: u64) -> bool {
        let next = |due_ns: u64| {
            let next_ns = due_ns.max(now_ns) + self.interval_ns;
            (next_ns <= now_ns + self.burst_ns).then_some(next_ns)
        };
        self.due_ns.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_held_over_time() {
        let limit = RateLimit::new(Rate { per_second: 100 });
        let admitted = (0..10_000).filter(|ms| limit.admit_at(ms * 1_000_000)).count();
        assert!((1_000..=1_010).contains(&admitted), "{admitted} in 10 s at 100/s");
    }

    #[test]
    fn a_burst_is_a_tenth_of_a_second() {
        let limit = RateLimit::new(Rate { per_second: 100 });
        assert_eq!((0..1_000).filter(|_| limit.admit_at(0)).count(), 10);
        let slow = RateLimit::new(Rate { per_second: 1 });
        assert_eq!((0..1_000).filter(|_| slow.admit_at(0)).count(), 1);
    }
}
