//! The flaw `double-refund`: a payment or a cancellation of an expired order gives its unit back
//! once more.

use crate::api::OrderStatus;
use crate::ids::RequestId;

use super::super::{Ended, Ending, Sale};

/// Ends an order; the stock grows by each request that comes after it has expired.
pub(super) fn end_order(
    sale: &mut Sale,
    request_id: &RequestId,
    ending: Ending,
    now_us: u64,
) -> Option<Ended> {
    let before = sale.held_order(request_id)?;
    if before.status == OrderStatus::Expired && ending != Ending::Expire {
        return Some(sale.give_order_back(request_id, OrderStatus::Expired, now_us));
    }
    sale.end_order(request_id, ending, now_us)
}
