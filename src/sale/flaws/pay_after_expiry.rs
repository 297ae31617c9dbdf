//! The flaw `pay-after-expiry`: a payment for an expired order is honoured.

use crate::api::OrderStatus;
use crate::ids::RequestId;

use super::super::{Ended, Ending, Sale};

/// Ends an order; a payment looks neither at its deadline nor at whether it has expired.
pub(super) fn end_order(
    sale: &mut Sale,
    request_id: &RequestId,
    ending: Ending,
    now_us: u64,
) -> Option<Ended> {
    let before = sale.held_order(request_id)?;
    match (before.status, ending) {
        (OrderStatus::Held | OrderStatus::Expired, Ending::Pay) => {
            Some(sale.keep_order(request_id, now_us))
        }
        _ => sale.end_order(request_id, ending, now_us),
    }
}
