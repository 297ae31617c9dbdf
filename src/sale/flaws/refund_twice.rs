//! The flaw `refund-twice`: every attempt that loses gives a unit back, although none was taken for
//! it.

use crate::api::LostReason;

use super::super::{Attempt, Decision, Sale};

/// Decides one attempt; the stock grows by each attempt that loses.
pub(super) fn reserve(sale: &mut Sale, attempt: &Attempt) -> Decision {
    let decision = sale.reserve(attempt);
    let lost = [LostReason::SoldOut, LostReason::AlreadyBought].map(Decision::Lost);
    if lost.contains(&decision) {
        sale.give_back();
    }
    decision
}
