//! The rows of the ledger: each belongs to an attempt, and each accepted attempt has one.

use std::collections::HashSet;

use crate::history::Status;
use crate::judge::facts::Facts;
use crate::judge::invariant::{Invariant, Witnesses};

pub(super) fn order_ids_unique(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::OrderIdsUnique);
    let mut seen = HashSet::new();
    for order in &facts.orders {
        if let Status::Won(order_id) = &order.status {
            broken.add_if(!seen.insert(order_id), order_id);
        }
    }
    broken
}

pub(super) fn request_ids_unique(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::RequestIdsUnique);
    let mut seen = HashSet::new();
    for row in &facts.ledger.rows {
        broken.add_if(!seen.insert(row.request_id), row.request_id);
    }
    broken
}

pub(super) fn orders_were_sent(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::OrdersWereSent);
    for order in &facts.orders {
        let earlier = facts.history.before.contains_key(&order.request_id);
        broken.add_if(!earlier && !facts.was_sent(order), order.request_id);
    }
    broken
}

pub(super) fn refusals_hold(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::RefusalsHold);
    let accepted: HashSet<_> = facts.accepted.iter().map(|(id, _)| *id).collect();
    for row in &facts.ledger.rows {
        let id = &row.request_id;
        let not_refused = accepted.contains(id)
            || facts.unknown.contains_key(id)
            || facts.history.before.contains_key(id);
        broken.add_if(!not_refused && facts.was_sent(row), id);
    }
    broken
}

pub(super) fn accepted_kept(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::AcceptedKept);
    for (request_id, _) in &facts.accepted {
        broken.add_if(!facts.by_id.contains_key(request_id), request_id);
    }
    broken
}

pub(super) fn accepted_decided(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::AcceptedDecided);
    if !facts.is_settled {
        return broken;
    }
    // An attempt that is not in the ledger at all breaks `accepted_kept` instead.
    facts
        .unresolved()
        .filter(|id| facts.by_id.contains_key(id))
        .for_each(|request_id| broken.add(request_id));
    broken
}

pub(super) fn earlier_kept(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::EarlierKept);
    let mut earlier: Vec<_> = facts.history.before.iter().collect();
    earlier.sort_unstable_by_key(|(request_id, _)| **request_id);
    for (request_id, before) in earlier {
        let now = facts.by_id.get(request_id).map(|row| &row.status);
        let kept = match &before.status {
            Status::Queued => now.is_some(),
            decided => now == Some(decided),
        };
        broken.add_if(!kept, request_id);
    }
    broken
}

pub(super) fn stock_expected(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::StockExpected);
    let stock = facts.ledger.sale.stock;
    if let Some(expected) = facts.history.expected_stock {
        broken.add_if(stock != expected, format_args!("stock {stock}, expected {expected}"));
    }
    broken
}

pub(super) fn terms_kept(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::TermsKept);
    if let Some(before) = &facts.history.sale_before {
        let now = &facts.ledger.sale;
        let kept = (before.stock, before.per_buyer) == (now.stock, now.per_buyer);
        let (stock, per_buyer) = (now.stock, now.per_buyer);
        broken.add_if(
            !kept,
            format_args!(
                "stock {} is now {stock}, per_buyer {} is now {per_buyer}",
                before.stock, before.per_buyer
            ),
        );
    }
    broken
}
