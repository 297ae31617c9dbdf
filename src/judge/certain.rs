//! [`certain_orders`]: orders that certainly take a unit, by what buyers were told alone.

use std::collections::{HashMap, HashSet};

use crate::history::{History, OrderStatus, PaymentAnswer, Row};
use crate::ids::{OrderId, RequestId};

use super::rules::LATE_US;

/// An order that certainly takes a unit in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CertainOrder<'a> {
    /// The order; none for an attempt that was paid for, if its order was not told.
    pub(super) order_id: Option<&'a OrderId>,
    /// The attempt that was told of it first.
    pub(super) attempt: RequestId,
    /// By when it had been made or, at a sale that holds its orders, was certain: in microseconds
    /// since the beginning of the history.
    pub(super) by_us: u64,
}

/// The orders of which the ledger before the run, answers and results tell, each once. At a sale
/// that holds its orders for `hold_us`, they may have been given back: those are certain that were
/// paid for, and those whose attempts were sent so late that they are still held.
pub(super) fn certain_orders(history: &History, hold_us: Option<u64>) -> Vec<CertainOrder<'_>> {
    match hold_us {
        None => told(history),
        Some(hold_us) => kept(history, hold_us),
    }
}

fn told(history: &History) -> Vec<CertainOrder<'_>> {
    let mut certain: Vec<CertainOrder<'_>> = Vec::new();
    let mut known: HashMap<(&OrderId, Option<RequestId>), usize> = HashMap::new();
    let named = history.told_orders().filter(|(order_id, ..)| order_id.is_told());
    let named: HashSet<RequestId> = named.map(|(_, attempt, _)| attempt).collect();
    for (order_id, attempt, by_us) in history.told_orders() {
        if !order_id.is_told() && named.contains(&attempt) {
            // It is the one that was named elsewhere.
            continue;
        }
        // An order without an id is another one for each attempt.
        let of = (!order_id.is_told()).then_some(attempt);
        let at = *known.entry((order_id, of)).or_insert(certain.len());
        match certain.get_mut(at) {
            Some(order) => order.by_us = by_us.min(order.by_us),
            None => certain.push(CertainOrder { order_id: Some(order_id), attempt, by_us }),
        }
    }
    certain
}

/// Each attempt has one order, whatever other ids were told.
fn kept(history: &History, hold_us: u64) -> Vec<CertainOrder<'_>> {
    let paid = history.payments.iter().filter(|of| of.answered == PaymentAnswer::Paid);
    let paid = paid.map(|of| (None, of.request_id, of.answered_us));
    let read = history.results.iter().filter(|read| read.order == Some(OrderStatus::Paid));
    let read = read.map(|of| (None, of.request_id, of.answered_us));
    let before = history.before.values().filter(|row| row.keeps_unit());
    let before = before.map(|row: &Row| (row.status.order_id(), row.request_id, 0));
    let mut certain: HashMap<RequestId, CertainOrder<'_>> = HashMap::new();
    for (order_id, attempt, by_us) in
        before.chain(paid).chain(read).chain(still_held(history, hold_us))
    {
        let order = CertainOrder { order_id, attempt, by_us };
        let known = certain.entry(attempt).or_insert(order);
        known.order_id = known.order_id.or(order_id);
        known.by_us = known.by_us.min(by_us);
    }
    let mut certain: Vec<_> = certain.into_values().collect();
    certain.sort_unstable_by_key(|order| (order.by_us, order.attempt));
    certain
}

/// Orders that were still held when the last of them was told of: nobody but its buyer gives an
/// order back before its deadline, which is the hold after the decision, and no buyer of a run
/// does. One that was told to be given back all the same does not count.
fn still_held(
    history: &History,
    hold_us: u64,
) -> impl Iterator<Item = (Option<&OrderId>, RequestId, u64)> {
    let mut sent_us: HashMap<RequestId, u64> = HashMap::new();
    let new = history.entries.iter().map(|entry| (history.ids.request_id(entry.attempt), entry));
    let new = new.filter(|(id, _)| !history.before.contains_key(id));
    for (id, entry) in new {
        let first_us = sent_us.entry(id).or_insert(u64::MAX);
        *first_us = entry.sent_us.min(*first_us);
    }
    let told = || history.told_orders().filter(|(_, _, by_us)| *by_us > 0);
    let last_us = told().map(|(_, _, by_us)| by_us).max().unwrap_or(0);
    let read = history.results.iter().filter(|read| read.order.is_some_and(|of| !of.takes_unit()));
    let refused = |answered| matches!(answered, PaymentAnswer::Expired | PaymentAnswer::Cancelled);
    let refused = history.payments.iter().filter(|payment| refused(payment.answered));
    let ended = read.map(|read| read.request_id).chain(refused.map(|of| of.request_id));
    let ended: HashSet<RequestId> = ended.collect();
    let is_held = move |id: &RequestId| {
        let until_us = sent_us.get(id).map(|us| us.saturating_add(hold_us));
        !ended.contains(id) && until_us.is_some_and(|us| last_us.saturating_add(LATE_US) < us)
    };
    let held = told().filter(move |(_, id, _)| is_held(id));
    // Until then, any of them may have been paid for or given back.
    held.map(move |(order_id, id, _)| (Some(order_id), id, last_us))
}
