//! The flaw `decrement-without-refund`: the unit is taken before the buyer's limit is checked, and
//! is not given back when the buyer is at the limit.

use crate::api::LostReason;

use super::super::{Attempt, Decision, Sale};

/// Decides one attempt; a buyer at the limit loses, and the unit with it.
pub(super) fn reserve(sale: &mut Sale, attempt: &Attempt) -> Decision {
    if attempt.epoch != sale.epoch() {
        return Decision::Lost(LostReason::SaleReplaced);
    }
    if sale.left() <= 0 {
        return Decision::Lost(LostReason::SoldOut);
    }
    sale.take();
    if sale.at_limit(&attempt.buyer) {
        return Decision::Lost(LostReason::AlreadyBought);
    }
    sale.order(&attempt.buyer)
}
