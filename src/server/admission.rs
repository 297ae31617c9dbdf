//! Admission: which attempts are refused before they are queued, and which are accepted.
//!
//! A known request id is answered with its recorded state before any check may refuse it: a refusal
//! says that there is no effect, and the first request may have had one. This holds for a buyer
//! beyond its own limit, too. That limit comes before everything else, so that such a buyer costs
//! the engines no write: no more than one read, of what is recorded of the id.

use std::time::Duration;

use hyper::header::HeaderValue;
use hyper::{Response, StatusCode};

use crate::api::{Purchase, Refusal};
use crate::ids::RequestId;
use crate::queue::PublishError;
use crate::sale::{NewAttempt, Phase};
use crate::store::{Known, SaleView, StoreError};

use super::answer::{self, Body, refused, refused_for, rejected};
use super::app::{App, Boxed, Step};
use super::intake::{self, Accepted};
use super::purchase_request::PurchaseRequest;
use super::rate_limit::RateLimit;

/// Answers `POST /seckill`; `keys` are its `Idempotency-Key` fields, and `draining` says whether
/// the server is shutting down.
pub(super) async fn purchase(
    app: &App,
    purchase: Purchase,
    keys: &[HeaderValue],
    draining: bool,
) -> Response<Body> {
    let request = match PurchaseRequest::parse(purchase, keys) {
        Ok(request) => request,
        Err(response) => return response,
    };
    let request_id = request.request_id;
    let admitted = match app.admission {
        Step::Standard => admit(app, request, draining).await,
        Step::Replaced(admit) => admit(app, request).await,
    };
    match admitted {
        Ok(response) => response,
        Err(StoreError::Unknown) => answer::unknown(Some(request_id)),
        Err(error) => answer::store_error(&error),
    }
}

/// Answers every purchase of a process that only decides: it accepts none.
pub(super) fn accept_none(
    _: &App,
    _: PurchaseRequest,
) -> Boxed<'_, Result<Response<Body>, StoreError>> {
    let message = "this process is a consumer: send attempts to one with --role api";
    let response = rejected(StatusCode::NOT_FOUND, "no_such_path", message);
    Box::pin(std::future::ready(Ok(response)))
}

async fn admit(
    app: &App,
    request: PurchaseRequest,
    draining: bool,
) -> Result<Response<Body>, StoreError> {
    let limit = app.buyer_rate_limit.as_ref();
    if let Some(Err(wait)) = limit.map(|limit| limit.admit(&request.buyer)) {
        return Ok(match intake::known(app, &request.request_id).await? {
            Some(known) => answer_known(app, &request, known).await,
            None => refused_for(Refusal::RateLimited, Some(wait)),
        });
    }
    // The queue is read before the store: see `intake::known`.
    let queued = app.queue.find(&request.request_id).map(Known::Waiting);
    let PurchaseRequest { request_id, buyer, item } = &request;
    let now_us = app.clock.now_us();
    // The attempt can be announced together with the lookup if only the sale can refuse it.
    let may_announce =
        !draining && app.rate_limit.is_none() && intake::can_announce_with_lookup(app);
    let announce_us = may_announce.then_some(now_us);
    let lookup = app.store.lookup(request_id, item.as_ref(), buyer, announce_us).await?;
    if let Some(known) = lookup.known.or(queued) {
        return Ok(answer_known(app, &request, known).await);
    }
    if let Some(attempt) = lookup.announced {
        return Ok(answer_accepted(app, intake::publish(app, &attempt).await?, *request_id));
    }
    let sale = lookup.sale?;
    let refusal = match draining {
        true => Some((Refusal::Draining, None)),
        false => refusal(app, &sale, lookup.at_limit, now_us),
    };
    if let Some((refusal, wait)) = refusal {
        // The same attempt may have been accepted since the lookup; then this one is accepted, too.
        return Ok(match intake::known_since_lookup(app, request_id).await? {
            Some(known) => answer_known(app, &request, known).await,
            None => refused_for(refusal, wait),
        });
    }
    enqueue(app, request, sale, now_us).await
}

/// Enqueues an attempt at this sale, and answers with the outcome.
pub(super) async fn enqueue(
    app: &App,
    request: PurchaseRequest,
    sale: SaleView,
    now_us: u64,
) -> Result<Response<Body>, StoreError> {
    let PurchaseRequest { request_id, buyer, .. } = request;
    let (item, epoch) = (sale.terms.item, sale.epoch);
    let attempt = NewAttempt { request_id, buyer, item, epoch, accepted_us: now_us };
    Ok(answer_accepted(app, intake::accept(app, attempt).await?, request_id))
}

/// Answers a request id that was accepted before, or may have been.
async fn answer_known(app: &App, request: &PurchaseRequest, known: Known) -> Response<Body> {
    if !request.is_same(known.attempt()) {
        return refused(Refusal::RequestIdReused);
    }
    let request_id = request.request_id;
    let accepted = match known {
        Known::Decided(decided) => return answer::decided(&decided),
        Known::Waiting(_) => intake::durable(app, &request_id).await.into(),
        Known::Announced(attempt) => intake::republish(app, &attempt).await,
    };
    answer_accepted(app, accepted, request_id)
}

fn answer_accepted(app: &App, accepted: Accepted, request_id: RequestId) -> Response<Body> {
    match accepted {
        Accepted::Queued => answer::queued(StatusCode::ACCEPTED, request_id),
        Accepted::Decided(decided) => answer::decided(&decided),
        Accepted::Refused(PublishError::Full) => {
            refused_for(Refusal::QueueFull, app.queue.drain_time())
        }
        Accepted::Refused(PublishError::Reused) => refused(Refusal::RequestIdReused),
        Accepted::Refused(PublishError::Unavailable | PublishError::NotTaken) => {
            refused(Refusal::BrokerUnavailable)
        }
        Accepted::Refused(PublishError::Unknown | PublishError::HiddenFailure)
        | Accepted::Unknown => answer::unknown(Some(request_id)),
    }
}

/// The reason to refuse an attempt at this sale now, if there is one, and how long it lasts, if
/// that is known.
fn refusal(
    app: &App,
    sale: &SaleView,
    at_limit: bool,
    now_us: u64,
) -> Option<(Refusal, Option<Duration>)> {
    match sale.phase(now_us) {
        Phase::NotOpen => return Some((Refusal::NotOpen, None)),
        Phase::Closed => return Some((Refusal::Closed, None)),
        Phase::Open => {}
    }
    if sale.left <= 0 {
        return Some((Refusal::SoldOut, None));
    }
    if at_limit {
        return Some((Refusal::AlreadyBought, None));
    }
    if app.queue.unavailable().is_some() {
        return Some((Refusal::BrokerUnavailable, None));
    }
    if app.store.unavailable().is_some() {
        return Some((Refusal::StoreUnavailable, None));
    }
    if let Some(Err(wait)) = app.rate_limit.as_ref().map(RateLimit::admit) {
        return Some((Refusal::RateLimited, Some(wait)));
    }
    app.queue.is_full().then(|| (Refusal::QueueFull, app.queue.drain_time()))
}
