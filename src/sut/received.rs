//! What the load gives to the system under test, and takes from it.

use uuid::Uuid;

use crate::history::{AttemptNo, Ids};
use crate::ids::RequestId;

/// An answer that was received whole.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// Its status.
    pub status: u16,
    /// Its head, with the status line.
    pub head: &'a [u8],
    /// Its body, without its framing.
    pub body: &'a [u8],
}

/// Who makes an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visit {
    /// The buyer.
    pub buyer: Uuid,
    /// The buyer's number.
    pub number: u64,
    /// The attempt's id.
    pub request_id: RequestId,
    /// The virtual user.
    pub thread: u32,
}

impl Visit {
    /// Who makes an attempt of the run with these ids, as this virtual user.
    pub fn new(ids: Ids, attempt: AttemptNo, thread: u32) -> Self {
        let (buyer, number) = (ids.buyer(attempt), ids.buyer_number(attempt));
        Self { buyer, number, request_id: ids.request_id(attempt), thread }
    }
}

/// When a step takes place that is not the purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Once for each virtual user, before the run.
    Setup,
    /// In each attempt, before the purchase.
    Before,
    /// In each attempt, after the purchase.
    After,
}
