//! Held orders: each ends once, in the way that its buyer was told, and by the rule of its
//! deadline.

use crate::escape::printable;
use crate::history::{OrderState, OrderStatus, Payment, PaymentAnswer, ResultRead, Row};
use crate::ids::RequestId;
use crate::judge::facts::Facts;
use crate::judge::id_map::IdMap;
use crate::judge::invariant::{Invariant, Witnesses};

use super::results::ledger_us;

/// How far apart the clocks of a right system may be, and how long after its deadline an order may
/// still be held, in microseconds.
pub(in crate::judge) const LATE_US: u64 = 60_000_000;

/// How long after the last state of the sale the ledger may have been read where its time is not
/// known, in microseconds.
const READING_US: u64 = 3_600_000_000;

/// Checks that no order has two ends: in answers to payments, in results, in the ledger and in that
/// before the run.
pub(super) fn orders_end_once(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::OrdersEndOnce);
    if !facts.holds {
        return broken;
    }
    earlier_ends_stay(facts, &mut broken);
    let told = told_ends(facts, &mut broken);
    let ledger_us = ledger_us(facts);
    let mut ends: Vec<_> = told.iter().collect();
    ends.sort_unstable_by_key(|(id, _)| **id);
    for (id, end) in ends {
        let now = facts.row_of(id).and_then(|row| row.order.as_ref()).map(|order| order.status);
        // It may have been ended after the ledger was read.
        let is_newer = now == Some(OrderStatus::Held) && end.by_us > ledger_us;
        let word = end.status.as_str();
        match now {
            Some(now) if now == end.status || is_newer => {}
            Some(now) => {
                broken.add(format_args!("{id}: told {word}, and {} in the ledger", now.as_str()));
            }
            None => broken.add(format_args!("{id}: told {word}, and no order in the ledger")),
        }
    }
    ends_follow(facts, &told, &mut broken);
    broken
}

/// The same of what buyers were told alone, without the ledger after the run.
pub(super) fn told_ends_agree(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::OrdersEndOnce);
    if facts.holds {
        let told = told_ends(facts, &mut broken);
        ends_follow(facts, &told, &mut broken);
    }
    broken
}

/// Checks that orders stay ended, and that their ends were asked for.
fn ends_follow(facts: &Facts<'_>, told: &IdMap<End>, broken: &mut Witnesses) {
    ends_stay(facts, told, broken);
    paid_orders_are_named(facts, broken);
    ends_are_asked_for(facts, broken);
}

/// The end of an order that was told first, and by when.
#[derive(Debug, Clone, Copy)]
struct End {
    status: OrderStatus,
    by_us: u64,
}

/// Each order of which an answer to a payment or a result tells that it has ended, how, and by
/// when.
pub(super) fn tellings<'a>(
    facts: &'a Facts<'_>,
) -> impl Iterator<Item = (RequestId, OrderStatus, u64)> + 'a {
    let payments = facts.history.payments.iter().filter_map(|payment| {
        let status = match payment.answered {
            PaymentAnswer::Paid => OrderStatus::Paid,
            PaymentAnswer::Expired => OrderStatus::Expired,
            PaymentAnswer::Cancelled => OrderStatus::Cancelled,
            PaymentAnswer::UnknownOrder | PaymentAnswer::Refused | PaymentAnswer::Unknown => {
                return None;
            }
        };
        Some((payment.request_id, status, payment.answered_us))
    });
    let results = facts.history.results.iter().filter_map(|read| {
        let status = read.order.filter(|status| *status != OrderStatus::Held)?;
        Some((read.request_id, status, read.answered_us))
    });
    payments.chain(results)
}

/// What answers to payments and results tell of the ends of orders. One that is told in two ways,
/// or of which the tested system knows nothing, is broken already.
fn told_ends(facts: &Facts<'_>, broken: &mut Witnesses) -> IdMap<End> {
    let mut told: IdMap<End> = IdMap::default();
    let mut add = |id: RequestId, status: OrderStatus, by_us: u64| {
        let end = told.entry(id).or_insert(End { status, by_us });
        if end.status != status {
            let (one, other) = (end.status.as_str(), status.as_str());
            broken.add(format_args!("{id}: told {one}, and told {other}"));
        }
        end.by_us = by_us.min(end.by_us);
    };
    tellings(facts).for_each(|(id, status, by_us)| add(id, status, by_us));
    let payments = facts.history.payments.iter();
    for Payment { request_id, .. } in
        payments.filter(|of| of.answered == PaymentAnswer::UnknownOrder)
    {
        broken.add(format_args!("{request_id}: won, and its order was called unknown"));
    }
    told
}

/// Each payment that is honoured names the order that was paid for.
fn paid_orders_are_named(facts: &Facts<'_>, broken: &mut Witnesses) {
    for Payment { request_id, told, .. } in &facts.history.payments {
        match told {
            Some(told) if told.is_told() => {
                let told = printable(told.as_str());
                broken.add(format_args!("{request_id}: told that the order {told} is paid for"));
            }
            Some(_) => broken.add(format_args!("{request_id}: told paid, without an order")),
            None => {}
        }
    }
}

/// Once an order has ended, no result shows it as held.
fn ends_stay(facts: &Facts<'_>, told: &IdMap<End>, broken: &mut Witnesses) {
    let held = facts.history.results.iter().filter(|read| read.order == Some(OrderStatus::Held));
    for read in held {
        let by_told = told.get(&read.request_id).map(|end| (end.by_us, end.status));
        let by_ledger = || ended_by(facts, facts.row_of(&read.request_id)?.order.as_ref()?);
        let ends = by_told.into_iter().chain(by_ledger()).filter(|(by_us, _)| *by_us > 0);
        let Some((by_us, status)) = ends.min_by_key(|(by_us, _)| *by_us) else { continue };
        let word = status.as_str();
        broken.add_if(
            by_us < read.sent_us,
            format_args!("{}: {word}, and then held", read.request_id),
        );
    }
}

/// By which moment of the history the order had ended, as the ledger says it: by its own time, and
/// when it had been read.
fn ended_by(facts: &Facts<'_>, order: &OrderState) -> Option<(u64, OrderStatus)> {
    let ended_us = facts.clock?.latest_moment(order.ended_us?).saturating_add(LATE_US);
    let by_us = match facts.history.ledger_us {
        0 => ended_us,
        read_us => ended_us.min(read_us),
    };
    Some((by_us, order.status))
}

/// An order of this run is paid only by a payment that was not refused, and none is cancelled, as
/// no buyer cancels.
fn ends_are_asked_for(facts: &Facts<'_>, broken: &mut Witnesses) {
    // When the first payment for an order was sent that may have had an effect, if one may.
    let mut payments: IdMap<Option<u64>> = IdMap::default();
    for Payment { request_id, answered, sent_us, .. } in &facts.history.payments {
        let may_have_paid = matches!(answered, PaymentAnswer::Paid | PaymentAnswer::Unknown);
        let first_us = payments.entry(*request_id).or_default();
        if may_have_paid {
            *first_us = Some(first_us.unwrap_or(u64::MAX).min(*sent_us));
        }
    }
    let history = facts.history;
    let is_new = |read: &&ResultRead| {
        !history.before.contains_key(&read.request_id)
            && history.ids.attempt(&read.request_id).is_some()
    };
    for read in history.results.iter().filter(|read| read.answered_us > 0).filter(is_new) {
        let first_us = payments.get(&read.request_id).and_then(|first_us| *first_us);
        let problem = match read.order {
            Some(OrderStatus::Cancelled) => "shown as cancelled, and no buyer has cancelled it",
            Some(OrderStatus::Paid) if first_us.is_none_or(|us| read.answered_us < us) => {
                "shown as paid before anybody had paid for it"
            }
            _ => continue,
        };
        broken.add(format_args!("{}: {problem}", read.request_id));
    }
    let new = facts.made().filter(|made| made.earlier.is_none());
    for row in new.filter_map(|made| made.row) {
        let Some(order) = &row.order else { continue };
        let problem = match (order.status, payments.get(&row.request_id)) {
            (OrderStatus::Paid, None) => "paid, and nobody has paid for it",
            (OrderStatus::Paid, Some(None)) => "paid, and each payment was refused",
            (OrderStatus::Cancelled, _) => "cancelled, and no buyer has cancelled it",
            _ => continue,
        };
        broken.add(format_args!("{}: {problem}", row.request_id));
    }
}

/// An order that had ended before the run is as it was.
fn earlier_ends_stay(facts: &Facts<'_>, broken: &mut Witnesses) {
    let is_changed = |before: &&Row| {
        let ended = before.order.as_ref().filter(|order| order.ended_us.is_some());
        let now = facts.row_of(&before.request_id).map(|row| &row.order);
        // A row that is gone breaks `earlier_kept` instead.
        ended.is_some_and(|ended| now.is_some_and(|now| now.as_ref() != Some(ended)))
    };
    let mut changed: Vec<_> = facts.history.before.values().filter(is_changed).collect();
    changed.sort_unstable_by_key(|row| row.request_id);
    for row in changed {
        broken.add(format_args!("{}: ended otherwise before the run", row.request_id));
    }
}

/// Checks the times of orders by the ledger's own clock, and those that buyers saw as far as the
/// clocks are bounded.
pub(super) fn deadlines_hold(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::DeadlinesHold);
    let Some(hold_us) = facts.ledger.sale.hold_us else { return broken };
    let ledger_us = ledger_us(facts);
    for row in &facts.orders {
        let Some(order) = &row.order else { continue };
        let problem = wrong_time(row, order, hold_us)
            .or_else(|| overdue(facts, order, ledger_us))
            .or_else(|| ended_in_future(facts, order));
        if let Some(problem) = problem {
            broken.add(format_args!("{}: {problem}", row.request_id));
        }
    }
    payments_in_time(facts, &mut broken);
    broken
}

/// What is wrong with the times of an order, by the ledger alone.
fn wrong_time(row: &Row, order: &OrderState, hold_us: u64) -> Option<&'static str> {
    let OrderState { status, held_until_us, ended_us } = *order;
    if row.decided_us.map(|us| us.saturating_add(hold_us)) != Some(held_until_us) {
        return Some("held until another time than its decision and the hold");
    }
    if ended_us?.saturating_add(LATE_US) < row.decided_us? {
        return Some("ended before it was decided");
    }
    let is_late = ended_us? >= held_until_us;
    match status {
        OrderStatus::Paid if is_late => Some("paid after its deadline"),
        OrderStatus::Cancelled if is_late => Some("cancelled after its deadline"),
        OrderStatus::Expired if !is_late => Some("expired before its deadline"),
        _ => None,
    }
}

/// Whether a held order should have expired long before the ledger was read.
fn overdue(facts: &Facts<'_>, order: &OrderState, ledger_us: u64) -> Option<&'static str> {
    // A moment before the history is 0: a server that was down until then has a minute, too.
    let due_us = facts.clock?.latest_moment(order.held_until_us).saturating_add(LATE_US);
    let is_overdue = order.status == OrderStatus::Held && due_us < ledger_us;
    is_overdue.then_some("held long after its deadline")
}

/// Whether an order ended at a time at which the ledger had been read already.
fn ended_in_future(facts: &Facts<'_>, order: &OrderState) -> Option<&'static str> {
    let earliest_us = facts.clock?.earliest_moment(order.ended_us?);
    let read_us = match facts.history.ledger_us {
        0 => facts.all_views().next_back()?.answered_us.saturating_add(READING_US),
        read_us => read_us.saturating_add(LATE_US),
    };
    (earliest_us > read_us).then_some("ended in the future")
}

/// Nobody is refused as too late in time, and nobody pays too late, by more than clocks differ; and
/// no result shows an order as expired so early.
fn payments_in_time(facts: &Facts<'_>, broken: &mut Witnesses) {
    let Some(clock) = facts.clock else { return };
    for Payment { request_id, answered, sent_us, answered_us, .. } in &facts.history.payments {
        let order = facts.row_of(request_id).and_then(|row| row.order.as_ref());
        let Some(order) = order else { continue };
        let early_us = clock.earliest_moment(order.held_until_us).saturating_sub(LATE_US);
        let late_us = clock.latest_moment(order.held_until_us).saturating_add(LATE_US);
        match answered {
            PaymentAnswer::Expired if *answered_us < early_us => {
                broken.add(format_args!("{request_id}: called expired before its deadline"));
            }
            PaymentAnswer::Paid if *sent_us > late_us => {
                broken.add(format_args!("{request_id}: paid long after its deadline"));
            }
            _ => {}
        }
    }
    for read in facts.history.results.iter().filter(|of| of.order == Some(OrderStatus::Expired)) {
        let order = facts.row_of(&read.request_id).and_then(|row| row.order.as_ref());
        let early_us = |order: &OrderState| clock.earliest_moment(order.held_until_us);
        broken.add_if(
            order.is_some_and(|order| read.answered_us.saturating_add(LATE_US) < early_us(order)),
            format_args!("{}: shown as expired before its deadline", read.request_id),
        );
    }
}

/// By when buyers were told of orders that these had been given back, in order: of those that were
/// by the ledger, since another end breaks `orders_end_once`.
pub(super) fn told_back_us(facts: &Facts<'_>) -> Vec<u64> {
    let mut first: IdMap<u64> = IdMap::default();
    let is_back = |status| matches!(status, OrderStatus::Expired | OrderStatus::Cancelled);
    for (id, _, by_us) in tellings(facts).filter(|(_, status, _)| is_back(*status)) {
        let is_returned = |row: &Row| row.order.is_some() && !row.takes_unit();
        if by_us > 0 && facts.row_of(&id).is_some_and(is_returned) {
            let first_us = first.entry(id).or_insert(by_us);
            *first_us = by_us.min(*first_us);
        }
    }
    let mut by_us: Vec<u64> = first.into_values().collect();
    by_us.sort_unstable();
    by_us
}
