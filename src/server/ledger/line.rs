//! The lines of a ledger.

use crate::api::{LedgerAttempt, LedgerLine, LedgerSale};
use crate::sale::{Attempt, Decision, Order};
use crate::store::{Decided, SaleView};

/// The first line.
pub(super) fn sale(sale: &SaleView) -> LedgerLine<'static> {
    let sale = LedgerSale {
        item: sale.terms.item.to_string(),
        epoch: sale.epoch,
        stock: sale.terms.stock.into(),
        stock_left: sale.left,
        per_buyer: sale.terms.per_buyer,
        opens_us: sale.terms.opens_us,
        closes_us: sale.terms.closes_us,
        hold_us: sale.terms.hold_us,
    };
    LedgerLine::Sale { sale }
}

/// The line of an attempt that is not decided.
pub(super) fn queued(attempt: &Attempt) -> LedgerAttempt<'_> {
    LedgerAttempt {
        request_id: attempt.request_id.to_string(),
        uid: attempt.buyer.as_str().into(),
        item: attempt.item.as_str().into(),
        seq: attempt.seq,
        accepted_us: attempt.accepted_us,
        decided_us: None,
        status: "queued".into(),
        reason: None,
        order_id: None,
        order: None,
        held_until_us: None,
        order_us: None,
    }
}

/// The line of a decided attempt, and what has become of its order if it needs a payment.
pub(super) fn decided(decided: &Decided, order: Option<Order>) -> LedgerAttempt<'_> {
    let mut line = queued(&decided.attempt);
    line.decided_us = Some(decided.decided_us);
    match &decided.decision {
        Decision::Won(order_id) => {
            line.status = "won".into();
            line.order_id = Some(order_id.as_str().into());
            line.order = order.map(|order| order.status.as_str().into());
            line.held_until_us = order.map(|order| order.held_until_us);
            line.order_us = order.and_then(|order| order.ended_us);
        }
        Decision::Lost(reason) => {
            line.status = "lost".into();
            line.reason = Some(reason.as_str().into());
        }
    }
    line
}
