//! When each order was made, as far as answers and results show it. Times are in microseconds since
//! the beginning of the history.

use std::ptr;

use crate::history::{Answered, Row, Status};
use crate::judge::facts::Facts;
use crate::judge::id_map::IdMap;
use crate::judge::order::Order;
use crate::judge::origin::Origin;

use super::results::truths;

/// The orders that the ledger before the run does not have, in no order.
pub(super) fn orders<'f, 'a>(facts: &'f Facts<'a>) -> &'f [Order<'a>] {
    facts.order_times.get_or_init(|| find_orders(facts))
}

/// One of the times of all these orders, in order.
pub(super) fn moments(orders: &[Order<'_>], of: fn(&Order<'_>) -> u64) -> Vec<u64> {
    let mut moments: Vec<u64> = orders.iter().map(of).collect();
    moments.sort_unstable();
    moments
}

fn find_orders<'a>(facts: &Facts<'a>) -> Vec<Order<'a>> {
    if !facts.tells.request_ids {
        return undated_orders(facts);
    }
    let told = told(facts);
    let was_won = |row: &Row| facts.history.before.get(&row.request_id).is_some_and(is_won);
    let order = |row: &'a Row, sent_us: u64| {
        let (queued_us, by_us) = told.get(&row.request_id).copied().unwrap_or((0, u64::MAX));
        // Results that contradict each other break another invariant.
        let queued_us = if queued_us <= by_us { queued_us } else { 0 };
        Order { row, from_us: queued_us.max(sent_us), by_us }
    };
    let mut orders = Vec::with_capacity(facts.orders.len());
    for made in facts.made().filter(|made| made.earlier.is_none()) {
        if let Some(row) = made.row.filter(|row| is_won(row)) {
            let mut order = order(row, made.entry.sent_us);
            if let (Answered::Won(_), Some((_, by_us))) = (&made.entry.answered, made.window()) {
                order.by_us = by_us.min(order.by_us);
            }
            orders.push(order);
        }
    }
    let others = facts.rows().filter(|(row, origin)| *origin != Origin::Made && is_won(row));
    orders.extend(others.filter(|(row, _)| !was_won(row)).map(|(row, _)| order(row, 0)));
    if !facts.answered_twice.is_empty() {
        orders.sort_unstable_by_key(|order| (order.row.request_id, order.from_us));
        orders.dedup_by_key(|order| order.row.request_id);
    }
    if !facts.repeated.is_empty() {
        // An attempt that has several rows breaks another invariant.
        let is_last = |row: &Row| facts.row_of(&row.request_id).is_some_and(|of| ptr::eq(of, row));
        let made = facts.rows().filter(|(row, origin)| *origin == Origin::Made && is_won(row));
        let earlier = made.map(|(row, _)| row).filter(|row| !is_last(row));
        orders.extend(earlier.map(|row| Order { row, from_us: 0, by_us: u64::MAX }));
    }
    orders
}

/// The orders of rows that may be of other attempts than they seem: nothing shows their times.
fn undated_orders<'a>(facts: &Facts<'a>) -> Vec<Order<'a>> {
    let new = facts.rows().filter(|(row, origin)| *origin != Origin::Earlier && is_won(row));
    new.map(|(row, _)| Order { row, from_us: 0, by_us: u64::MAX }).collect()
}

/// What results show of the orders, and the answers to attempts of an earlier run. False results
/// break another invariant.
fn told(facts: &Facts<'_>) -> IdMap<(u64, u64)> {
    let mut told: IdMap<(u64, u64)> = IdMap::default();
    let results = facts.history.results.iter().zip(truths(facts));
    for read in results.filter(|(_, is_true)| **is_true).map(|(read, _)| read) {
        let (from_us, by_us) = told.entry(read.request_id).or_insert((0, u64::MAX));
        match &read.status {
            None | Some(Status::Queued) => *from_us = read.sent_us.max(*from_us),
            Some(Status::Won(_)) if read.answered_us > 0 => *by_us = read.answered_us.min(*by_us),
            Some(Status::Won(_) | Status::Lost(_)) => {}
        }
    }
    for made in facts.accepted.iter().filter(|made| made.earlier.is_some()) {
        if let (Answered::Won(_), Some((_, answered_us))) = (&made.entry.answered, made.window()) {
            let (_, by_us) = told.entry(made.request_id).or_insert((0, u64::MAX));
            *by_us = answered_us.min(*by_us);
        }
    }
    told
}

fn is_won(row: &Row) -> bool {
    matches!(row.status, Status::Won(_))
}
