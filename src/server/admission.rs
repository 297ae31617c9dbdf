//! Admission: what is refused before it is queued, and what is accepted.
//!
//! An id that is known already is answered with what is known of it, before anything may refuse
//! it: a refusal says that there is no effect, and the first try may have had one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hyper::header::HeaderValue;
use hyper::{Response, StatusCode};

use crate::api::Purchase;
use crate::queue::{NewAttempt, PublishError};
use crate::sale::{Attempt, BuyerId, ItemId, Phase, Refusal, RequestId};
use crate::store::SaleView;
use crate::units::Rate;

use super::App;
use super::answer::{self, Body, refused, rejected};

/// How long an attempt may take to become durable before its outcome is called unknown.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(10);

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
    if let Some(response) = known(app, &wanted).await {
        return response;
    }
    let sale = match app.store.sale(wanted.item.as_ref()) {
        Ok(sale) => sale,
        Err(error) => return answer::store_error(&error),
    };
    let now_us = app.clock.now_us();
    if let Some(refusal) = refusal(app, &sale, &wanted.buyer, now_us) {
        // A twin may have been accepted since the first look: then this one is, too.
        return known(app, &wanted).await.unwrap_or_else(|| refused(refusal));
    }
    let Wanted { request_id, buyer, .. } = wanted.clone();
    let (item, epoch) = (sale.terms.item, sale.epoch);
    let attempt = NewAttempt { request_id, buyer, item, epoch, accepted_us: now_us };
    let is_decided = |request_id: &RequestId| app.store.decided(request_id).is_some();
    let result = within_limit(app.queue.publish(attempt, is_decided)).await;
    if result == Err(PublishError::Decided) {
        let known = known(app, &wanted).await;
        return known.unwrap_or_else(|| answer::unknown(Some(request_id)));
    }
    published(result, request_id)
}

/// A well-formed purchase.
#[derive(Clone)]
struct Wanted {
    request_id: RequestId,
    buyer: BuyerId,
    item: Option<ItemId>,
}

impl Wanted {
    fn parse(purchase: Purchase, keys: &[HeaderValue]) -> Result<Self, Response<Body>> {
        let bad = |reason, what: &str, error: crate::sale::IdError| {
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

/// The answer to an id that was accepted before.
async fn known(app: &App, wanted: &Wanted) -> Option<Response<Body>> {
    // First the queue, then the store: an attempt leaves the queue only after its decision is
    // in the store, so it is seen in one of them.
    let waiting = app.queue.find(&wanted.request_id);
    if let Some(decided) = app.store.decided(&wanted.request_id) {
        let same = wanted.is_same(&decided.attempt);
        let answer = || answer::decided(&decided);
        return Some(if same { answer() } else { refused(Refusal::RequestIdReused) });
    }
    if !wanted.is_same(waiting.as_deref()?) {
        return Some(refused(Refusal::RequestIdReused));
    }
    let durable = within_limit(app.queue.durable(&wanted.request_id)).await;
    Some(published(durable, wanted.request_id))
}

/// Why an attempt at this sale would be refused now, if it would.
fn refusal(app: &App, sale: &SaleView, buyer: &BuyerId, now_us: u64) -> Option<Refusal> {
    if app.draining.has_started() {
        return Some(Refusal::Draining);
    }
    match sale.phase(now_us) {
        Phase::NotOpen => return Some(Refusal::NotOpen),
        Phase::Closed => return Some(Refusal::Closed),
        Phase::Open => {}
    }
    if sale.left == 0 {
        return Some(Refusal::SoldOut);
    }
    if app.store.at_limit(&sale.terms.item, buyer) {
        return Some(Refusal::AlreadyBought);
    }
    let limited = app.rate_limit.as_ref().is_some_and(|limit| !limit.admit());
    limited.then_some(Refusal::RateLimited)
}

/// What is not known in time is unknown.
pub(super) async fn within_limit(
    publish: impl Future<Output = Result<(), PublishError>>,
) -> Result<(), PublishError> {
    let limited = tokio::time::timeout(PUBLISH_TIMEOUT, publish);
    limited.await.unwrap_or(Err(PublishError::Unknown))
}

fn published(result: Result<(), PublishError>, request_id: RequestId) -> Response<Body> {
    match result {
        Ok(()) => answer::queued(StatusCode::ACCEPTED, request_id),
        Err(PublishError::Full) => refused(Refusal::QueueFull),
        Err(PublishError::Reused) => refused(Refusal::RequestIdReused),
        Err(PublishError::Unavailable) => refused(Refusal::BrokerUnavailable),
        Err(PublishError::Unknown | PublishError::Decided) => answer::unknown(Some(request_id)),
    }
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
