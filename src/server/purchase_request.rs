//! A purchase after its form was checked.

use std::net::IpAddr;

use bytes::Bytes;
use hyper::header::HeaderValue;
use hyper::{Request, Response, StatusCode};

use crate::api::Purchase;
use crate::ids::{BuyerId, IdError, ItemId, RequestId};
use crate::sale::Attempt;

use super::address::AddressRateLimit;
use super::answer::rejected;
use super::http::PlainRequest;

/// The header with the request id.
const KEY: &str = "idempotency-key";

/// The header with the ticket of the waiting room.
const TICKET: &str = "waiting-room-ticket";

/// What the head of a purchase says.
#[derive(Debug, Default)]
pub(super) struct PurchaseHead {
    /// The `Idempotency-Key` fields.
    keys: Vec<HeaderValue>,
    /// Whose request it is, if addresses are limited.
    client: Option<IpAddr>,
    /// The ticket of the waiting room.
    ticket: Option<HeaderValue>,
}

impl PurchaseHead {
    /// The head of a request; `limit` is that on addresses, if they are limited.
    pub(super) fn of<B>(request: &Request<B>, limit: Option<&AddressRateLimit>) -> Self {
        let keys = request.headers().get_all(KEY).iter().cloned().collect();
        let client = limit.and_then(|limit| limit.client(request));
        Self { keys, client, ticket: request.headers().get(TICKET).cloned() }
    }
}

/// A well-formed purchase.
#[derive(Debug)]
pub struct PurchaseRequest {
    pub(super) request_id: RequestId,
    pub(super) buyer: BuyerId,
    pub(super) item: Option<ItemId>,
    /// Whose request it is, if addresses are limited.
    pub(super) client: Option<IpAddr>,
    /// The ticket of the waiting room, if there is one.
    ticket: Option<HeaderValue>,
}

impl PurchaseRequest {
    /// Checks a purchase.
    pub(super) fn parse(
        purchase: &Purchase<'_>,
        head: PurchaseHead,
    ) -> Result<Self, Response<Bytes>> {
        let bad = |reason, what: &str, error: IdError| {
            rejected(StatusCode::BAD_REQUEST, reason, format!("{what} {error}"))
        };
        let buyer = purchase.uid.parse().map_err(|error| bad("bad_uid", "uid", error))?;
        let item = purchase.item.as_deref().map(str::parse).transpose();
        let item = item.map_err(|error| bad("bad_item", "item", error))?;
        let request_id = given_id(purchase, head.keys.iter().map(HeaderValue::as_bytes))
            .map_err(|message| rejected(StatusCode::BAD_REQUEST, "bad_request_id", message))?
            .unwrap_or_else(RequestId::random);
        Ok(Self { request_id, buyer, item, client: head.client, ticket: head.ticket })
    }

    /// The ticket of the waiting room, if there is one.
    pub(super) fn ticket(&self) -> Option<&str> {
        self.ticket.as_ref()?.to_str().ok()
    }

    /// Whether this is the same purchase as an attempt that has its id.
    pub(super) fn is_same(&self, attempt: &Attempt) -> bool {
        self.buyer == attempt.buyer && self.item.as_ref().is_none_or(|item| *item == attempt.item)
    }
}

/// A well-formed purchase in the bytes that have arrived, where addresses are not limited.
#[derive(Debug)]
pub(super) struct PlainPurchase<'a> {
    request: &'a PlainRequest<'a>,
    purchase: Purchase<'a>,
    /// The id of the attempt, if the client has given one.
    pub(super) request_id: Option<RequestId>,
}

impl<'a> PlainPurchase<'a> {
    /// Reads a purchase; `None` if it is not well-formed.
    pub(super) fn read(request: &'a PlainRequest<'a>, purchase: Purchase<'a>) -> Option<Self> {
        let is_item = purchase.item.as_deref().is_none_or(ItemId::is_valid);
        if !is_item || !BuyerId::is_valid(&purchase.uid) {
            return None;
        }
        let request_id = given_id(&purchase, request.values(KEY)).ok()?;
        Some(Self { request, purchase, request_id })
    }

    /// The item, if the client has named one.
    pub(super) fn item(&self) -> Option<&str> {
        self.purchase.item.as_deref()
    }

    /// The purchase apart from the bytes; `None` if a field of its head is no text.
    pub(super) fn to_request(&self) -> Option<PurchaseRequest> {
        let values = |name| self.request.values(name).map(HeaderValue::from_bytes);
        let keys = values(KEY).collect::<Result<_, _>>().ok()?;
        let ticket = values(TICKET).next().transpose().ok()?;
        PurchaseRequest::parse(&self.purchase, PurchaseHead { keys, client: None, ticket }).ok()
    }
}

/// The request id that the fields of the head and the body give; `None` if they give none.
///
/// # Errors
/// Says what is wrong with it.
fn given_id<'a>(
    purchase: &Purchase<'_>,
    keys: impl Iterator<Item = &'a [u8]>,
) -> Result<Option<RequestId>, String> {
    let keys = keys.map(|key| str::from_utf8(key).unwrap_or_default().trim_matches('"'));
    let mut given = None;
    for text in keys.chain(purchase.request_id.as_deref()) {
        let id = RequestId::of_new_attempt(text).map_err(|error| format!("request_id {error}"))?;
        if given.is_some_and(|other| other != id) {
            return Err("request_id and Idempotency-Key differ: send one of them".into());
        }
        given = Some(id);
    }
    Ok(given)
}
