//! A purchase after its form was checked.

use std::net::IpAddr;

use hyper::header::HeaderValue;
use hyper::{Request, Response, StatusCode};

use crate::api::Purchase;
use crate::ids::{BuyerId, IdError, ItemId, RequestId};
use crate::sale::Attempt;

use super::address::AddressRateLimit;
use super::answer::{Body, rejected};

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
        let keys = request.headers().get_all("idempotency-key").iter().cloned().collect();
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
    pub(super) fn parse(purchase: Purchase, head: PurchaseHead) -> Result<Self, Response<Body>> {
        let PurchaseHead { keys, client, ticket } = head;
        let bad = |reason, what: &str, error: IdError| {
            rejected(StatusCode::BAD_REQUEST, reason, format!("{what} {error}"))
        };
        let buyer = purchase.uid.parse().map_err(|error| bad("bad_uid", "uid", error))?;
        let item = purchase.item.map(|item| item.parse()).transpose();
        let item = item.map_err(|error| bad("bad_item", "item", error))?;
        let from_headers =
            keys.iter().map(|key| key.to_str().unwrap_or_default().trim_matches('"'));
        let mut given = Vec::new();
        for text in from_headers.chain(purchase.request_id.as_deref()) {
            let id = RequestId::of_new_attempt(text)
                .map_err(|error| bad("bad_request_id", "request_id", error))?;
            given.push(id);
        }
        let request_id = given.first().copied().unwrap_or_else(RequestId::random);
        if given.iter().any(|other| *other != request_id) {
            let message = "request_id and Idempotency-Key differ: send one of them";
            return Err(rejected(StatusCode::BAD_REQUEST, "bad_request_id", message));
        }
        Ok(Self { request_id, buyer, item, client, ticket })
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
