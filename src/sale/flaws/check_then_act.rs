//! The flaw `check-then-act`: a unit is taken by a count that was read in an earlier step.

use crate::api::LostReason;

use super::super::{Attempt, Decision, Sale};

/// Decides one attempt by the units that were left when they were read.
pub fn act(sale: &mut Sale, attempt: &Attempt, count: i64) -> Decision {
    if attempt.epoch != sale.epoch() {
        return Decision::Lost(LostReason::SaleReplaced);
    }
    if count <= 0 {
        return Decision::Lost(LostReason::SoldOut);
    }
    if sale.at_limit(&attempt.buyer) {
        return Decision::Lost(LostReason::AlreadyBought);
    }
    sale.take();
    sale.order(&attempt.buyer)
}

/// Decides one attempt again as it was decided before: the record of a decision does not have the
/// count, and shows only whether units were left.
pub fn act_again(sale: &mut Sale, attempt: &Attempt, recorded: &Decision) -> Decision {
    let was_sold_out = *recorded == Decision::Lost(LostReason::SoldOut);
    act(sale, attempt, if was_sold_out { 0 } else { 1 })
}
