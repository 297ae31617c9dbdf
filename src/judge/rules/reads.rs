//! The stock that was read during the run: at each moment it is what can have been sold by then.

use crate::history::{OrderStatus, Row, Status, View};
use crate::judge::facts::Facts;
use crate::judge::invariant::{Invariant, Witnesses};
use crate::judge::sums::adds_up;

use super::holds::{LATE_US, told_back_us};
use super::limit::AtLimit;
use super::orders::{moments, orders};
use super::paid_reads::paid_reads_bounded;
use super::results::ledger_us;
use super::sold_out::{first_told, sold_out_true};
use super::views::late_orders;

/// Checks each state against what must have been sold when it was requested and what can have been
/// sold when it was answered, and that sold units stay sold.
pub(super) fn stock_reads_bounded(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::StockReadsBounded);
    let views = facts.views();
    let mut views: Vec<&View> =
        views.filter(|view| view.answered_us > 0 && adds_up(view)).collect();
    if views.is_empty() {
        return broken;
    }
    if !facts.holds {
        sold_stays_sold(&views, &mut broken);
    }
    if !facts.tells.is_everything() {
        return broken;
    }
    if !facts.holds {
        sold_out_stays(facts, &views, &mut broken);
    }
    let history = facts.history;
    let won = |row: &&Row| matches!(row.status, Status::Won(_));
    let before_won = history.before.values().filter(won).count();
    let from_us = moments(orders(facts), |order| order.from_us);
    let at_limit = AtLimit::told(facts);
    // An order that was given back may have been by the time of any state.
    let in_ledger = Certain::of(facts, &at_limit, Row::takes_unit);
    let last_us = views.iter().map(|view| view.answered_us).max().unwrap_or(0);
    let stays = |row: &Row| row.keeps_unit() || is_held_until(facts, row, last_us);
    let later = facts.holds.then(|| Certain::of(facts, &at_limit, stays));
    let first_us = facts.made().map(|made| made.entry.sent_us).min();
    let ledger_us = ledger_us(facts);
    let told_back_us = told_back_us(facts);
    let late = late_orders(facts);
    for view in &views {
        // The first state was read before the ledger before the run, which may have newer orders.
        let is_after_ledger = first_us.is_some_and(|first_us| first_us <= view.sent_us);
        // Only a state that was read later may be newer than the ledger. Orders that are held there
        // may have been given back since.
        let is_newer = view.sent_us > ledger_us;
        let certain = if is_newer { later.as_ref().unwrap_or(&in_ledger) } else { &in_ledger };
        let certain = certain.by(view.sent_us, is_after_ledger);
        let late = if is_newer { late } else { 0 };
        let possible = before_won + from_us.partition_point(|us| *us <= view.answered_us) + late;
        let possible =
            possible.saturating_sub(told_back_us.partition_point(|us| *us < view.sent_us));
        let sold = view.sale.orders;
        if sold < certain as u64 {
            let ms = view.sent_us / 1_000;
            broken.add(format_args!("{sold} orders at {ms} ms, at least {certain} were made"));
        } else if history.sale_before.is_some() && sold > possible as u64 {
            let ms = view.answered_us / 1_000;
            broken.add(format_args!("{sold} orders at {ms} ms, at most {possible} can be made"));
        }
    }
    if facts.holds {
        paid_reads_bounded(facts, &views, &mut broken);
        views.retain(|view| view.sent_us <= ledger_us);
    }
    if broken.is_empty() {
        winners_wait(facts, &views, &mut broken);
    }
    broken
}

/// Whether an order is still held at a moment, however far clocks differ: nobody but its buyer can
/// give it back before its deadline, and no buyer of a run does.
fn is_held_until(facts: &Facts<'_>, row: &Row, us: u64) -> bool {
    let held = row.order.as_ref().filter(|order| order.status == OrderStatus::Held);
    let is_ours = facts.history.ids.attempt(&row.request_id).is_some();
    let due_us = held.filter(|_| is_ours).zip(facts.clock);
    let due_us = due_us.map(|(order, clock)| clock.earliest_moment(order.held_until_us));
    due_us.is_some_and(|due_us| us.saturating_add(LATE_US) < due_us)
}

/// Orders that a state has for certain, once they were made.
struct Certain {
    /// Those that the ledger before the run has.
    before: usize,
    /// By when the others had been made, in order.
    by_us: Vec<u64>,
}

impl Certain {
    /// The orders of the ledger's rows that `stay`.
    fn of(facts: &Facts<'_>, at_limit: &AtLimit, stay: impl Fn(&Row) -> bool) -> Self {
        let won = |row: &&Row| matches!(row.status, Status::Won(_));
        let is_still_won = |row: &&Row| facts.row_of(&row.request_id).is_some_and(&stay);
        let before = facts.history.before.values().filter(won).filter(is_still_won).count();
        let orders = orders(facts).iter().filter(|order| stay(order.row));
        let by_us = orders.map(|order| order.by_us.min(at_limit.by_us(order.row)));
        let mut by_us: Vec<u64> = by_us.collect();
        by_us.sort_unstable();
        Self { before, by_us }
    }

    /// How many there are by a moment, if the ledger before the run was read before it or not.
    fn by(&self, moment_us: u64, is_after_ledger: bool) -> usize {
        let before = if is_after_ledger { self.before } else { 0 };
        self.by_us.partition_point(|us| *us < moment_us) + before
    }
}

/// Whoever was accepted and wins in the end is queued until the order is made. `views_agree`
/// compares the last state with the ledger.
fn winners_wait(facts: &Facts<'_>, views: &[&View], broken: &mut Witnesses) {
    let new = facts.accepted.iter().filter(|made| made.earlier.is_none());
    let winners = new.filter(|made| made.row.is_some_and(Row::takes_unit));
    let mut accepted: Vec<_> =
        winners.filter_map(|made| Some((made.request_id, made.window()?.1))).collect();
    // An attempt may have been answered twice.
    accepted.sort_unstable();
    accepted.dedup_by_key(|(request_id, _)| *request_id);
    let mut accepted_us: Vec<u64> = accepted.into_iter().map(|(_, us)| us).collect();
    accepted_us.sort_unstable();
    let last_us = match facts.history.views.iter().next_back() {
        Some(last) if facts.is_settled => last.sent_us,
        _ => u64::MAX,
    };
    for View { sent_us, sale, .. } in views.iter().filter(|view| view.sent_us < last_us) {
        let winners = accepted_us.partition_point(|us| us < sent_us) as u64;
        let (orders, queued, ms) = (sale.orders, sale.queued, sent_us / 1_000);
        broken.add_if(
            orders.saturating_add(queued) < winners,
            format_args!("{orders} orders and {queued} queued at {ms} ms, of {winners} winners"),
        );
    }
}

/// No unit is left once somebody was told so, unless that was false.
fn sold_out_stays(facts: &Facts<'_>, views: &[&View], broken: &mut Witnesses) {
    let Some((told, told_us)) = first_told(facts) else { return };
    if facts.ledger.sale.stock_left > 0 {
        return;
    }
    let mut later = views.iter().filter(|view| view.sent_us > told_us);
    // Units that never became orders break `stock_conserved`.
    let orders = facts.ledger.sale.stock.min(facts.orders.len() as u64);
    if let Some(view) = later.find(|view| view.sale.orders < orders)
        && sold_out_true(facts).finish().is_none()
    {
        let (left, ms) = (view.sale.stock_left, view.sent_us / 1_000);
        broken.add(format_args!("{left} units left at {ms} ms, and {told} was told that none was"));
    }
}

/// Orders never become fewer.
fn sold_stays_sold(views: &[&View], broken: &mut Witnesses) {
    let mut by_answer: Vec<&View> = views.to_vec();
    by_answer.sort_by_key(|view| view.answered_us);
    let mut by_request: Vec<&View> = views.to_vec();
    by_request.sort_by_key(|view| view.sent_us);
    let mut earlier = by_answer.into_iter().peekable();
    let mut orders = 0;
    for view in by_request {
        while let Some(before) = earlier.next_if(|before| before.answered_us < view.sent_us) {
            orders = orders.max(before.sale.orders);
        }
        let (fewer, ms) = (view.sale.orders, view.sent_us / 1_000);
        broken.add_if(fewer < orders, format_args!("{fewer} orders at {ms} ms, {orders} before"));
    }
}
