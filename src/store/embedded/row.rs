//! A decision as it is kept in memory: packed into some 50 bytes.

use std::sync::Arc;

use uuid::Uuid;

use crate::api::LostReason;
use crate::ids::{ItemId, OrderId, RequestId};
use crate::packed_name::{self, PackedName};
use crate::sale::{Attempt, Decision};

use super::super::Decided;
use super::varint::{self, Reader};

/// The first byte of a row: its lowest bits say which decision it is.
const DECISION: u8 = 0b1111;
/// An order, by its number.
const WON_NUMBER: u8 = 0;
/// An order, by its id, which is none of the sale.
const WON_ID: u8 = 1;
/// From here on the reasons of lost attempts, in the order of [`LostReason::ALL`].
const LOST: u8 = 2;
/// The order is held until a deadline.
const HELD: u8 = 1 << 4;
/// Item and epoch are not those of the block.
const FOREIGN: u8 = 1 << 5;

/// Where the request id is in a row.
const ID_AT: usize = 1;

/// What the rows of a block have in common, and numbers that theirs are near.
#[derive(Debug, Clone)]
pub(super) struct Context {
    pub(super) item: ItemId,
    pub(super) epoch: u64,
    pub(super) seq: u64,
    pub(super) accepted_us: u64,
    pub(super) record: u64,
}

/// A row, read.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) request_id: RequestId,
    pub(super) seq: u64,
    /// The sequence number of the decision's record in the journal.
    pub(super) record: u64,
    pub(super) epoch: u64,
    /// Length of the row in bytes.
    pub(super) len: usize,
    accepted_us: u64,
    decided_us: u64,
    held_until_us: Option<u64>,
    decision: Packed<'a>,
    /// The item, if it is not that of the block.
    item: Option<&'a str>,
    /// The buyer's packed name.
    buyer: &'a [u8],
}

#[derive(Debug)]
enum Packed<'a> {
    Number(u64),
    Id(&'a str),
    Lost(LostReason),
}

/// Appends a row.
pub(super) fn write(bytes: &mut Vec<u8>, context: &Context, decided: &Decided, record: u64) {
    let Decided { attempt, decision, decided_us, held_until_us } = decided;
    let is_foreign = attempt.item != context.item || attempt.epoch != context.epoch;
    let number = match decision {
        Decision::Won(order_id) => order_id.number(&attempt.item, attempt.epoch),
        Decision::Lost(_) => None,
    };
    let mut flags = match (decision, number) {
        (Decision::Won(_), Some(_)) => WON_NUMBER,
        (Decision::Won(_), None) => WON_ID,
        (Decision::Lost(reason), _) => LOST + *reason as u8,
    };
    flags |= if held_until_us.is_some() { HELD } else { 0 };
    flags |= if is_foreign { FOREIGN } else { 0 };
    bytes.push(flags);
    bytes.extend_from_slice(attempt.request_id.0.as_bytes());
    varint::write_near(bytes, attempt.seq, context.seq);
    varint::write_near(bytes, record, context.record);
    varint::write_near(bytes, attempt.accepted_us, context.accepted_us);
    varint::write_near(bytes, *decided_us, attempt.accepted_us);
    if let Some(held_until_us) = held_until_us {
        varint::write_near(bytes, *held_until_us, *decided_us);
    }
    if is_foreign {
        varint::write(bytes, attempt.epoch);
        varint::write_text(bytes, attempt.item.as_str());
    }
    match (decision, number) {
        (_, Some(number)) => varint::write(bytes, number),
        (Decision::Won(order_id), None) => varint::write_text(bytes, order_id.as_str()),
        (Decision::Lost(_), None) => {}
    }
    bytes.extend_from_slice(PackedName::new(attempt.buyer.as_str()).as_bytes());
}

/// The request id of the row that `bytes` begin with.
pub(super) fn request_id(bytes: &[u8]) -> Option<RequestId> {
    let id = bytes.get(ID_AT..)?.first_chunk()?;
    Some(RequestId(Uuid::from_bytes(*id)))
}

impl<'a> Row<'a> {
    /// The row that `bytes` begin with.
    pub(super) fn read(bytes: &'a [u8], context: &Context) -> Option<Self> {
        let flags = *bytes.first()?;
        let request_id = request_id(bytes)?;
        let mut rest = Reader(bytes.get(ID_AT + size_of::<Uuid>()..)?);
        let seq = rest.number_near(context.seq)?;
        let record = rest.number_near(context.record)?;
        let accepted_us = rest.number_near(context.accepted_us)?;
        let decided_us = rest.number_near(accepted_us)?;
        let held_until_us = match flags & HELD {
            0 => None,
            _ => Some(rest.number_near(decided_us)?),
        };
        let (epoch, item) = match flags & FOREIGN {
            0 => (context.epoch, None),
            _ => (rest.number()?, Some(rest.text()?)),
        };
        let decision = match flags & DECISION {
            WON_NUMBER => Packed::Number(rest.number()?),
            WON_ID => Packed::Id(rest.text()?),
            lost => Packed::Lost(*LostReason::ALL.get(usize::from(lost - LOST))?),
        };
        let (buyer, after) = packed_name::split(rest.0)?;
        let len = bytes.len() - after.len();
        Some(Self {
            request_id,
            seq,
            record,
            epoch,
            len,
            accepted_us,
            decided_us,
            held_until_us,
            decision,
            item,
            buyer,
        })
    }

    /// The attempt.
    pub(super) fn attempt(&self, context: &Context) -> Option<Attempt> {
        let &Self { request_id, epoch, seq, accepted_us, .. } = self;
        let item = match self.item {
            None => context.item.clone(),
            Some(item) => item.parse().ok()?,
        };
        let buyer = packed_name::unpack(self.buyer, str::parse)?.ok()?;
        Some(Attempt { request_id, buyer, item, epoch, seq, accepted_us })
    }

    /// The decided attempt.
    pub(super) fn decided(&self, context: &Context) -> Option<Decided> {
        let attempt = self.attempt(context)?;
        let decision = match self.decision {
            Packed::Number(number) => {
                Decision::Won(OrderId::new(&attempt.item, attempt.epoch, number))
            }
            Packed::Id(id) => Decision::Won(OrderId::from_text(id)),
            Packed::Lost(reason) => Decision::Lost(reason),
        };
        let &Self { decided_us, held_until_us, .. } = self;
        Some(Decided { attempt: Arc::new(attempt), decision, decided_us, held_until_us })
    }
}
