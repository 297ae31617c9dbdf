//! The flaw `off-by-one`: a unit is sold while the stock is at least the orders, not above them.

use crate::api::LostReason;

use super::super::{Attempt, Decision, Sale};

/// Decides one attempt, and sells one unit more than there is.
pub(super) fn reserve(sale: &mut Sale, attempt: &Attempt) -> Decision {
    if attempt.epoch != sale.epoch() {
        return Decision::Lost(LostReason::SaleReplaced);
    }
    if sale.left() < 0 {
        return Decision::Lost(LostReason::SoldOut);
    }
    if sale.at_limit(&attempt.buyer) {
        return Decision::Lost(LostReason::AlreadyBought);
    }
    sale.take();
    sale.order(&attempt.buyer)
}
