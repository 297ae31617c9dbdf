//! [`Found`]: an order or an attempt, as a source of the tested shop shows it.

use uuid::Uuid;

use crate::ids::RequestId;

use super::Loss;

/// One order or attempt as a source of the tested shop shows it; what it does not tell is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Found {
    /// The attempt's idempotency key.
    pub request_id: Option<Box<str>>,
    /// The buyer, in whatever words the shop has for it.
    pub buyer: Option<Box<str>>,
    /// The order's id.
    pub order_id: Option<Box<str>>,
    /// The item.
    pub item: Option<Box<str>>,
    /// Its position in the order of acceptance.
    pub seq: Option<u64>,
    /// When it was accepted, by the shop's clock, in microseconds since the Unix epoch.
    pub accepted_us: Option<u64>,
    /// When it was decided, in the same way.
    pub decided_us: Option<u64>,
    /// Its state.
    pub status: FoundStatus,
}

/// The state of a record; a source without states lists orders.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum FoundStatus {
    /// It is an order.
    #[default]
    Won,
    /// It lost, for this reason.
    Lost(Loss),
    /// It is not decided.
    Queued,
}

/// What a record says; an empty text says nothing.
impl Found {
    pub(super) fn request_id(&self) -> Option<&str> {
        said(&self.request_id)
    }

    /// The request id, if it is one: a UUID in any usual form.
    pub(super) fn parsed_id(&self) -> Option<RequestId> {
        Uuid::try_parse(self.request_id()?.trim()).ok().map(RequestId)
    }

    pub(super) fn buyer(&self) -> Option<&str> {
        said(&self.buyer)
    }

    pub(super) fn order_id(&self) -> Option<&str> {
        said(&self.order_id)
    }
}

fn said(text: &Option<Box<str>>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}
