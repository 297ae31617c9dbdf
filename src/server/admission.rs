//! Admission: which attempts are refused before they are queued, and which are accepted.
//!
//! A known request id is answered with its recorded state before any check may refuse it: a refusal
//! says that there is no effect, and the first request may have had one. This holds beyond
//! the limits of a buyer and of an address, too. These come before everything else, so that such an
//! attempt costs the engines no write: no more than one read, of what is recorded of the id.
//!
//! Refusals do not wait for a permit of the concurrency limit. The exceptions are those that show
//! only when an attempt is enqueued.

use std::time::Duration;

use bytes::Bytes;
use hyper::{Response, StatusCode};

use crate::api::Refusal;
use crate::ids::RequestId;
use crate::queue::{PublishError, Room};
use crate::sale::NewAttempt;
use crate::store::{Known, Lookup, SaleView, StoreError};

use super::answer::{self, refused, refused_for, refused_until, rejected};
use super::app::{App, Boxed, Step};
use super::at_once;
use super::concurrency::Permit;
use super::intake::{self, Accepted};
use super::precedence::Standing;
use super::purchase_request::PurchaseRequest;

/// Answers `POST /seckill`; `draining` says whether the server is shutting down.
pub(super) async fn purchase(
    app: &App,
    request: PurchaseRequest,
    draining: bool,
) -> Response<Bytes> {
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
) -> Boxed<'_, Result<Response<Bytes>, StoreError>> {
    let message = "this process is a consumer: send attempts to one with --role api";
    let response = rejected(StatusCode::NOT_FOUND, "no_such_path", message);
    Box::pin(std::future::ready(Ok(response)))
}

/// Checks an attempt and enqueues it.
pub(super) async fn admit(
    app: &App,
    request: PurchaseRequest,
    mut draining: bool,
) -> Result<Response<Bytes>, StoreError> {
    if let Err(wait) = within_rate(app, &request) {
        return Ok(match look_up(app, &request, None).await?.known {
            Some(known) => answer_known(app, &request, known).await,
            // It came too often by itself, which earns no precedence.
            None => refused_for(Refusal::RateLimited, Some(wait)),
        });
    }
    let (mut permit, mut waited) = (None, None);
    loop {
        let now_us = app.clock.now_us();
        let standing = app.precedence.standing(&request.buyer, now_us);
        let moment = Moment { now_us, draining, standing, waited };
        let sale = match check(app, &request, moment, &mut permit).await? {
            Checked::Answered(response) => return Ok(response),
            Checked::Open(sale) => sale,
        };
        if let Some(permit) = permit.take().or_else(|| app.concurrency.try_acquire(standing)) {
            let room = room(app, &sale, moment);
            let accepted = enqueue(app, &request, sale, now_us, room).await?;
            return Ok(answer_new(app, accepted, &request, Some(permit)));
        }
        permit = tokio::select! {
            permit = app.concurrency.acquire(standing) => permit,
            () = app.draining.begun() => None,
        };
        // Everything may have changed during the wait, so it is checked again.
        draining |= app.draining.has_begun();
        waited = Some(standing);
    }
}

/// Counts an attempt of its address and of its buyer.
///
/// # Errors
/// Returns the time until it is within their limits.
fn within_rate(app: &App, request: &PurchaseRequest) -> Result<(), Duration> {
    if let (Some(limit), Some(client)) = (&app.limits.address_rate, request.client) {
        limit.admit(client)?;
    }
    app.buyer_rate_limit.as_ref().map_or(Ok(()), |limit| limit.admit(&request.buyer))
}

/// When an attempt is checked, and how it stands then.
#[derive(Debug, Clone, Copy)]
struct Moment {
    /// In microseconds since the Unix epoch.
    now_us: u64,
    draining: bool,
    standing: Standing,
    /// How it stood when it began to wait for a permit, if it has waited for one.
    waited: Option<Standing>,
}

impl Moment {
    /// Whether an attempt that has got no permit waits no longer. One that came too early waits
    /// once more when its buyer has precedence.
    fn ends_wait(&self) -> bool {
        let has_first = |waited| waited != Standing::First && self.standing == Standing::First;
        self.waited.is_some_and(|waited| !has_first(waited))
    }
}

/// How much of the queue an attempt at a sale may fill.
fn room(app: &App, sale: &SaleView, moment: Moment) -> Room {
    app.limits.room(sale.left, app.precedence.parts_kept(moment.standing, moment.now_us))
}

/// The outcome of what is checked before an attempt is accepted.
enum Checked {
    /// The answer is certain.
    Answered(Response<Bytes>),
    /// The sale admits the attempt.
    Open(SaleView),
}

/// Looks an attempt up and checks whether it may be accepted. It is announced together with the
/// lookup if only the sale can refuse it, and if there is a permit for it.
async fn check(
    app: &App,
    request: &PurchaseRequest,
    moment: Moment,
    permit: &mut Option<Permit>,
) -> Result<Checked, StoreError> {
    let may_announce = !moment.draining
        && app.rate_limit.is_none()
        && !app.limits.depend_on_backlog()
        && app.waiting_room.is_none()
        && intake::can_announce_with_lookup(app);
    if may_announce && moment.waited.is_none() {
        *permit = app.concurrency.try_acquire(moment.standing);
    }
    let announce_us = (may_announce && permit.is_some()).then_some(moment.now_us);
    let lookup = look_up(app, request, announce_us).await?;
    if let Some(known) = lookup.known {
        // It needs no permit, and a repeated publish may take long.
        *permit = None;
        return Ok(Checked::Answered(answer_known(app, request, known).await));
    }
    if let Some(attempt) = lookup.announced {
        let accepted = intake::publish(app, &attempt).await?;
        let response = answer_new(app, accepted, request, permit.take());
        return Ok(Checked::Answered(response));
    }
    let sale = lookup.sale?;
    let mut refusal = match moment.draining {
        true => Some((Refusal::Draining, None)),
        false => refusal(app, request, &sale, lookup.at_limit, moment),
    };
    if refusal.is_none() && app.limits.depend_on_backlog() {
        let backlog = intake::backlog(app, &sale.terms.item).await?;
        let admitted = app.limits.admit(&backlog, room(app, &sale, moment));
        refusal = admitted.err().map(|wait| (Refusal::QueueFull, wait));
    }
    // An attempt that has waited in vain would be accepted late, in the place of a new one.
    let in_vain = permit.is_none() && moment.ends_wait();
    let refusal = refusal.or_else(|| in_vain.then(|| (Refusal::QueueFull, app.queue.drain_time())));
    let Some(refusal) = refusal else { return Ok(Checked::Open(sale)) };
    // The same attempt may have been accepted since it was looked up.
    let known = intake::known_since_lookup(app, &request.request_id).await?;
    Ok(Checked::Answered(refuse(app, request, known, refusal).await))
}

/// Looks an attempt up, and announces it at this time if nothing stands against it.
async fn look_up(
    app: &App,
    request: &PurchaseRequest,
    announce_us: Option<u64>,
) -> Result<Lookup, StoreError> {
    let PurchaseRequest { request_id, buyer, item, .. } = request;
    // The queue is read before the store: see `intake::known`.
    let queued = app.queue.find(request_id).map(Known::Waiting);
    let lookup = app.store.lookup(request_id, item.as_ref(), buyer, announce_us).await?;
    Ok(Lookup { known: lookup.known.or(queued), ..lookup })
}

/// Refuses an attempt, unless it is known.
async fn refuse(
    app: &App,
    request: &PurchaseRequest,
    known: Option<Known>,
    (refusal, wait): (Refusal, Option<Duration>),
) -> Response<Bytes> {
    match known {
        Some(known) => answer_known(app, request, known).await,
        None if matches!(refusal, Refusal::QueueFull | Refusal::RateLimited) => {
            refuse_for_now(app, request, refusal, wait)
        }
        None => refused_for(refusal, wait),
    }
}

/// Refuses an attempt since too many came; its buyer has precedence when it comes back.
fn refuse_for_now(
    app: &App,
    request: &PurchaseRequest,
    refusal: Refusal,
    wait: Option<Duration>,
) -> Response<Bytes> {
    let (buyer, now_us) = (&request.buyer, app.clock.now_us());
    let seconds = match (refusal, wait) {
        (Refusal::RateLimited, Some(turn)) => app.precedence.refused_until(buyer, turn, now_us),
        _ => app.precedence.refused(buyer, wait, now_us),
    };
    refused_until(refusal, seconds)
}

/// Enqueues an attempt at this sale, if it finds this room in the queue.
pub(super) async fn enqueue(
    app: &App,
    request: &PurchaseRequest,
    sale: SaleView,
    now_us: u64,
    room: Room,
) -> Result<Accepted, StoreError> {
    let (request_id, buyer) = (request.request_id, request.buyer.clone());
    let (item, epoch) = (sale.terms.item, sale.epoch);
    let new = NewAttempt { request_id, buyer, item, epoch, accepted_us: now_us };
    intake::accept(app, new, room).await
}

/// Answers an attempt that was enqueued now, and releases its permit.
fn answer_new(
    app: &App,
    accepted: Accepted,
    request: &PurchaseRequest,
    permit: Option<Permit>,
) -> Response<Bytes> {
    if let Accepted::Refused(PublishError::Full) = accepted {
        return refuse_for_now(app, request, Refusal::QueueFull, app.queue.drain_time());
    }
    if matches!(accepted, Accepted::Queued) {
        permit.into_iter().for_each(Permit::accepted);
        app.precedence.accepted(&request.buyer, app.clock.now_us());
    }
    answer_accepted(app, accepted, request.request_id)
}

/// Answers a request id that was accepted before, or may have been.
async fn answer_known(app: &App, request: &PurchaseRequest, known: Known) -> Response<Bytes> {
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

pub(super) fn answer_accepted(
    app: &App,
    accepted: Accepted,
    request_id: RequestId,
) -> Response<Bytes> {
    match accepted {
        Accepted::Queued => answer::queued(request_id),
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
    request: &PurchaseRequest,
    sale: &SaleView,
    at_limit: bool,
    moment: Moment,
) -> Option<(Refusal, Option<Duration>)> {
    if let Some(refusal) = at_once::to_everybody(sale.glance(moment.now_us)) {
        return Some((refusal, None));
    }
    if at_limit {
        return Some((Refusal::AlreadyBought, None));
    }
    if let Some(room) = &app.waiting_room {
        let admits = |ticket| room.admits(ticket, sale, &request.buyer, moment.now_us);
        if !request.ticket().is_some_and(admits) {
            return Some((Refusal::NotAdmitted, None));
        }
    }
    if app.queue.unavailable().is_some() {
        return Some((Refusal::BrokerUnavailable, None));
    }
    if app.store.unavailable().is_some() {
        return Some((Refusal::StoreUnavailable, None));
    }
    // An attempt that has waited for a permit was counted before.
    let rate_limit = app.rate_limit.as_ref().filter(|_| moment.waited.is_none());
    if let Some(Err(wait)) = rate_limit.map(|limit| limit.admit(moment.standing)) {
        return Some((Refusal::RateLimited, Some(wait)));
    }
    app.queue.is_full().then(|| (Refusal::QueueFull, app.queue.drain_time()))
}
