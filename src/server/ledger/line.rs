//! The lines of a ledger.

use crate::api::{LedgerAttempt, LedgerLine, LedgerSale};
use crate::sale::{Attempt, Decision};
use crate::store::{Decided, SaleView};

/// The first line.
pub(super) fn sale(sale: &SaleView) -> LedgerLine {
    let sale = LedgerSale {
        item: sale.terms.item.to_string(),
        epoch: sale.epoch,
        stock: sale.terms.stock.into(),
        stock_left: sale.left,
        per_buyer: sale.terms.per_buyer,
        opens_us: sale.terms.opens_us,
        closes_us: sale.terms.closes_us,
    };
    LedgerLine::Sale { sale }
}

/// The line of an attempt that is not decided.
pub(super) fn queued(attempt: &Attempt) -> LedgerAttempt {
    LedgerAttempt {
        request_id: attempt.request_id.to_string(),
        uid: attempt.buyer.to_string(),
        item: attempt.item.to_string(),
        seq: attempt.seq,
        accepted_us: attempt.accepted_us,
        decided_us: None,
        status: "queued".into(),
        reason: None,
        order_id: None,
    }
}

/// The line of a decided attempt.
pub(super) fn decided(decided: &Decided) -> LedgerAttempt {
    let mut line = queued(&decided.attempt);
    line.decided_us = Some(decided.decided_us);
    match &decided.decision {
        Decision::Won(order_id) => {
            line.status = "won".into();
            line.order_id = Some(order_id.to_string());
        }
        Decision::Lost(reason) => {
            line.status = "lost".into();
            line.reason = Some(reason.as_str().into());
        }
    }
    line
}
