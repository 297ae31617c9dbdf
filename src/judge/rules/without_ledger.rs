//! Rules on what buyers were told and what the states of the sale show, if the ledger after the run
//! could not be read.

use std::collections::HashMap;

use uuid::Uuid;

use crate::history::{
    Answered, OrderStatus, PaymentAnswer, Refused, RequestWindow, Row, Status, View,
};
use crate::ids::RequestId;
use crate::judge::certain::CertainOrder;
use crate::judge::facts::Facts;
use crate::judge::id_map::IdMap;
use crate::judge::invariant::{Invariant, Witnesses};
use crate::judge::made::Made;
use crate::judge::sums::adds_up;

use super::decided::is_standstill;
use super::holds::{LATE_US, tellings};
use super::kept::kept;
use super::refusals::refusals_true_below;

/// Checks that no buyer was told of more orders than one may have.
pub(super) fn buyer_limit(facts: &Facts<'_>, orders: &[CertainOrder<'_>]) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::BuyerLimit);
    let Some(limit) = limit(facts) else { return broken };
    let mut orders_of: HashMap<Uuid, u64> = HashMap::new();
    for buyer in orders.iter().filter_map(|order| buyer_of(facts, &order.attempt)) {
        *orders_of.entry(buyer).or_default() += 1;
    }
    let mut over: Vec<_> = orders_of.into_iter().filter(|(_, orders)| *orders > limit).collect();
    over.sort_unstable();
    over.iter().for_each(|(buyer, orders)| broken.add(format_args!("{buyer} has {orders}")));
    broken
}

/// How many orders one buyer may have, if that is known.
fn limit(facts: &Facts<'_>) -> Option<u64> {
    let limit = facts.ledger.sale.per_buyer;
    (facts.tells.limit && limit < u32::MAX).then_some(u64::from(limit))
}

/// The buyer of an attempt, of this run or of an earlier one.
fn buyer_of(facts: &Facts<'_>, request_id: &RequestId) -> Option<Uuid> {
    let ids = facts.history.ids;
    let of_run = ids.attempt(request_id).map(|attempt| ids.buyer(attempt));
    of_run.or_else(|| Uuid::parse_str(&facts.history.before.get(request_id)?.uid).ok())
}

/// Checks that each state shows the orders that had been told when it was requested and, at a sale
/// that holds its orders, the payments.
pub(super) fn stock_reads_bounded(facts: &Facts<'_>, orders: &[CertainOrder<'_>]) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::StockReadsBounded);
    // The first state was read before the ledger before the run.
    let first_us = facts.made().map(|made| made.entry.sent_us).min().unwrap_or(u64::MAX);
    let views = facts.views().filter(|view| view.sent_us > first_us && adds_up(view));
    let mut told_us: Vec<u64> = match facts.holds {
        true => paid_us(facts).into_values().collect(),
        false => orders.iter().map(|order| order.by_us).collect(),
    };
    told_us.sort_unstable();
    for View { sent_us, sale, .. } in views {
        let (shown, what) = match facts.holds {
            true => (sale.paid, "orders paid for"),
            false => (Some(sale.orders), "orders"),
        };
        // Orders above the stock break another invariant.
        let told = (told_us.partition_point(|us| us < sent_us) as u64).min(sale.stock);
        let ms = sent_us / 1_000;
        if let Some(shown) = shown.filter(|shown| *shown < told) {
            broken.add(format_args!("{shown} {what} at {ms} ms, at least {told} were told"));
        }
    }
    broken
}

/// By when each order had been paid for, of those that certainly were.
fn paid_us(facts: &Facts<'_>) -> IdMap<u64> {
    let history = facts.history;
    let is_paid = |row: &&Row| row.order_status() == Some(OrderStatus::Paid);
    let before = history.before.values().filter(is_paid).map(|row| (row.request_id, 0));
    let payments = history.payments.iter().filter(|of| of.answered == PaymentAnswer::Paid);
    let payments = payments.map(|payment| (payment.request_id, payment.answered_us));
    let mut paid_us: IdMap<u64> = IdMap::default();
    for (id, us) in before.chain(payments) {
        let first_us = paid_us.entry(id).or_insert(us);
        *first_us = us.min(*first_us);
    }
    paid_us
}

/// Checks refusals. Whoever is told to have as many orders as one may have has made as many
/// attempts that may have won.
pub(super) fn refusals_true(facts: &Facts<'_>) -> Witnesses {
    refusals_true_below(facts, below_limit(facts))
}

fn below_limit(facts: &Facts<'_>) -> Vec<RequestWindow> {
    let history = facts.history;
    let refused = history.refusals.of(Refused::AlreadyBought).map(kept);
    let refused = refused.into_iter().flatten().filter(|request| request.answered_us > 0);
    let told: Vec<RequestWindow> = refused.collect();
    // Without the ledger before the run, a buyer may have orders from before.
    let limit = limit(facts).filter(|_| !told.is_empty() && history.sale_before.is_some());
    let Some(limit) = limit else { return Vec::new() };
    let mut sent_us: HashMap<Uuid, Vec<u64>> =
        told.iter().map(|request| (history.ids.buyer(request.attempt), Vec::new())).collect();
    let may_win = |row: &&Row| !matches!(row.status, Status::Lost(_));
    let before = history.before.values().filter(may_win);
    let before = before.filter_map(|row| Some((Uuid::parse_str(&row.uid).ok()?, 0)));
    let new = facts.made().filter(|made| made.earlier.is_none());
    let new = new.map(|made| (history.ids.buyer(made.entry.attempt), made.entry.sent_us));
    for (buyer, us) in before.chain(new) {
        sent_us.entry(buyer).and_modify(|sent_us| sent_us.push(us));
    }
    let is_below = |request: &RequestWindow| {
        let sent_us = &sent_us[&history.ids.buyer(request.attempt)];
        let may_have = sent_us.iter().filter(|us| **us <= request.answered_us).count();
        (may_have as u64) < limit
    };
    told.into_iter().filter(is_below).collect()
}

/// Checks that no result says that an attempt is not known which had been accepted before.
pub(super) fn results_true(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::ResultsTrue);
    let results = facts.history.results.iter();
    let unknown: Vec<_> = results.filter(|read| read.status.is_none()).collect();
    if unknown.is_empty() {
        return broken;
    }
    // One whose decision was told breaks `ids_answered_once` instead.
    let queued = facts.accepted.iter().filter(|made| made.entry.answered == Answered::Accepted);
    let accepted = |made: &Made<'_>| Some((made.request_id, made.window()?.1));
    let accepted_us: IdMap<u64> = queued.filter_map(accepted).collect();
    for read in unknown {
        let was_accepted = accepted_us.get(&read.request_id).is_some_and(|us| *us < read.sent_us);
        let was_known = was_accepted || facts.history.before.contains_key(&read.request_id);
        broken.add_if(was_known, format_args!("{}: accepted, and not known", read.request_id));
    }
    broken
}

/// Checks that attempts did not stand still, of which results say that they are queued.
pub(super) fn accepted_decided(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::AcceptedDecided);
    let queued = facts.history.standstill.map(|standstill| standstill.queued);
    let last = facts.views().last().map(|view| view.sale.queued);
    // Fewer in the last state have been decided since.
    if !is_standstill(facts) || last < queued {
        return broken;
    }
    let end_us = facts.load_end_us().max(facts.history.ended_us);
    let mut last: IdMap<(u64, bool)> = IdMap::default();
    for read in &facts.history.results {
        let is_queued = read.status == Some(Status::Queued) && read.sent_us > end_us;
        let kept = last.entry(read.request_id).or_default();
        *kept = (*kept).max((read.sent_us, is_queued));
    }
    let is_stuck = |id: &RequestId| last.get(id).is_some_and(|(_, is_queued)| *is_queued);
    for made in facts.accepted.iter().filter(|made| is_stuck(&made.request_id)) {
        broken.add(made.request_id);
    }
    broken
}

/// Checks that no buyer is told of an order that it has expired long before its deadline, which is
/// the hold after its decision.
pub(super) fn deadlines_hold(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::DeadlinesHold);
    let Some(hold_us) = facts.ledger.sale.hold_us else { return broken };
    let expired = tellings(facts).filter(|(_, status, _)| *status == OrderStatus::Expired);
    let mut expired: Vec<(RequestId, u64)> = expired.map(|(id, _, by_us)| (id, by_us)).collect();
    if expired.is_empty() {
        return broken;
    }
    let new = facts.made().filter(|made| made.earlier.is_none());
    let sent_us: IdMap<u64> = new.map(|made| (made.request_id, made.entry.sent_us)).collect();
    expired.sort_unstable();
    expired.dedup_by_key(|(id, _)| *id);
    for (id, by_us) in expired {
        let due_us = sent_us.get(&id).map(|us| us.saturating_add(hold_us));
        let is_early = due_us.is_some_and(|due_us| by_us.saturating_add(LATE_US) < due_us);
        broken.add_if(is_early, format_args!("{id}: called expired before its deadline"));
    }
    broken
}
