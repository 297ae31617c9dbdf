//! Answers: the one place where an outcome gets its HTTP status and its body.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use serde::Serialize;

use crate::api::{Answer, OrderStatus, Refusal};
use crate::ids::{IdError, RequestId};
use crate::queue::Place;
use crate::sale::{Decision, Order};
use crate::store::{Decided, OrderRef, StoreError};

use super::retry_after;

/// A response with a JSON body.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response<Bytes> {
    // The shapes of `api` have string keys and no maps, so they can always be written.
    let body = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// Answers a malformed request, which has no effect.
pub(super) fn rejected(
    status: StatusCode,
    reason: &'static str,
    message: impl Into<Cow<'static, str>>,
) -> Response<Bytes> {
    let message = Some(message.into());
    let answer = Answer {
        status: "rejected".into(),
        reason: Some(reason.into()),
        message,
        ..Answer::default()
    };
    json(status, &answer)
}

/// Answers a malformed request id.
pub(super) fn bad_request_id(error: IdError) -> Response<Bytes> {
    rejected(StatusCode::BAD_REQUEST, "bad_request_id", format!("request_id {error}"))
}

/// Answers a well-formed request that is refused: it has no effect, now or later.
pub(super) fn refused(refusal: Refusal) -> Response<Bytes> {
    refused_for(refusal, None)
}

/// Like [`refused`], for a reason that is expected to last this long, if that is known.
pub(super) fn refused_for(refusal: Refusal, wait: Option<Duration>) -> Response<Bytes> {
    refused_with(refusal, || retry_after::header(wait))
}

/// Like [`refused`], to a client that should come back after this many seconds.
pub(super) fn refused_until(refusal: Refusal, seconds: u64) -> Response<Bytes> {
    refused_with(refusal, || HeaderValue::from(seconds))
}

fn refused_with(refusal: Refusal, retry_after: impl FnOnce() -> HeaderValue) -> Response<Bytes> {
    let status =
        StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let reason = Some(refusal.as_str().into());
    let mut response =
        json(status, &Answer { status: "rejected".into(), reason, ..Answer::default() });
    if status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, retry_after());
    }
    if refusal == Refusal::Draining {
        // The shutdown may have begun after the request had arrived.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Answers a request for a ledger while as many are read as may be.
pub(super) fn ledger_busy() -> Response<Bytes> {
    let message = "other ledgers are being read: try again later";
    let mut response = rejected(StatusCode::SERVICE_UNAVAILABLE, "ledger_busy", message);
    response.headers_mut().insert(RETRY_AFTER, retry_after::header(None));
    response
}

/// Answers a purchase that is accepted and not decided.
pub(super) fn queued(request_id: RequestId) -> Response<Bytes> {
    let request_id = Some(request_id.to_string().into());
    json(StatusCode::ACCEPTED, &Answer { status: "queued".into(), request_id, ..Answer::default() })
}

/// Answers a request for the result of an attempt that is queued, with its place in the queue if
/// that is known.
pub(super) fn waiting(request_id: RequestId, place: Option<Place>) -> Response<Bytes> {
    let answer = Answer {
        status: "queued".into(),
        request_id: Some(request_id.to_string().into()),
        position: place.map(|place| place.position as u64),
        eta_ms: place.and_then(|place| place.eta).map(|eta| eta.as_millis() as u64),
        ..Answer::default()
    };
    json(StatusCode::OK, &answer)
}

/// Answers a decided attempt; the answer is the same every time.
pub(super) fn decided(decided: &Decided) -> Response<Bytes> {
    decided_with(decided, None)
}

/// Like [`decided`], with what has become of its order, if it is one that needs a payment.
pub(super) fn decided_with(decided: &Decided, order: Option<Order>) -> Response<Bytes> {
    let request_id = Some(decided.attempt.request_id.to_string().into());
    let answer = match &decided.decision {
        Decision::Won(order_id) => Answer {
            status: "won".into(),
            order_id: Some(order_id.as_str().into()),
            request_id,
            order: order.map(|order| order.status.as_str().into()),
            held_until_us: order.map(|order| order.held_until_us),
            ..Answer::default()
        },
        Decision::Lost(reason) => Answer {
            status: "lost".into(),
            reason: Some(reason.as_str().into()),
            request_id,
            ..Answer::default()
        },
    };
    json(StatusCode::OK, &answer)
}

/// Answers an attempt whose outcome is unknown: the client may send the same id again.
pub(super) fn unknown(request_id: Option<RequestId>) -> Response<Bytes> {
    let answer = Answer {
        status: "unknown".into(),
        reason: Some("outcome_unknown".into()),
        request_id: request_id.map(|id| id.to_string().into()),
        message: Some("send the same request_id again to find out".into()),
        ..Answer::default()
    };
    json(StatusCode::INTERNAL_SERVER_ERROR, &answer)
}

/// Answers a payment or a cancellation that has taken effect, now or before.
pub(super) fn ended(order: &OrderRef, status: OrderStatus) -> Response<Bytes> {
    let answer = Answer {
        status: status.as_str().into(),
        request_id: Some(order.request_id.to_string().into()),
        order_id: Some(order.order_id.as_str().into()),
        ..Answer::default()
    };
    json(StatusCode::OK, &answer)
}

/// Answers a payment or a cancellation of an order that has ended in another way: it has no effect,
/// now or later.
pub(super) fn ended_otherwise(status: OrderStatus) -> Response<Bytes> {
    let reason = Some(status.as_str().into());
    json(StatusCode::CONFLICT, &Answer { status: "rejected".into(), reason, ..Answer::default() })
}

/// Answers a request for which the store failed.
pub(super) fn store_error(error: &StoreError) -> Response<Bytes> {
    match error {
        StoreError::Unavailable => refused(Refusal::StoreUnavailable),
        StoreError::Unknown => unknown(None),
        StoreError::Reused => refused(Refusal::RequestIdReused),
        StoreError::UnknownItem => {
            rejected(StatusCode::NOT_FOUND, "unknown_item", error.to_string())
        }
        StoreError::ItemRequired => {
            rejected(StatusCode::BAD_REQUEST, "item_required", error.to_string())
        }
    }
}
