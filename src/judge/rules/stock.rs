//! Stock and orders: what may be sold, and to whom.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Display;

use crate::history::{Loss, Row, SaleTerms, SaleView, Status};
use crate::judge::facts::Facts;
use crate::judge::invariant::{Invariant, Witnesses};
use crate::judge::sums::{adds_up, is_sum};

use super::losses::losses;

pub(super) fn never_oversold(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::NeverOversold);
    if facts.stock().is_none() {
        return broken;
    }
    let (orders, told) = (&facts.kept, facts.only_told_kept());
    let within = orders.len() + told.len() - facts.oversold_in_the_end();
    orders.iter().skip(within).for_each(|order| broken.add(order.request_id));
    let told = told.iter().skip(within.saturating_sub(orders.len()));
    for (order, id) in told {
        match order.is_told() {
            true => broken.add(format_args!("told of order {order}")),
            false => broken.add(format_args!("{id}: told of an order")),
        }
    }
    if let Some(view) = facts.most_oversold_view() {
        let SaleView { stock, orders, .. } = view.sale;
        let ms = view.sent_us / 1_000;
        broken.add(format_args!("stock {stock}, orders {orders} at {ms} ms"));
    }
    broken
}

pub(super) fn stock_never_negative(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::StockNeverNegative);
    let left = facts.ledger.sale.stock_left;
    broken.add_if(facts.tells.stock && left < 0, format_args!("stock_left {left}"));
    for view in facts.views().filter(|view| adds_up(view)) {
        let (left, ms) = (view.sale.stock_left, view.sent_us / 1_000);
        broken.add_if(left < 0, format_args!("stock_left {left} at {ms} ms"));
    }
    broken
}

/// Ledgers and states show the sale at one moment each, so the sum is right in all of them.
pub(super) fn stock_conserved(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::StockConserved);
    let SaleTerms { stock, stock_left, .. } = facts.ledger.sale;
    // A source that is no single answer may show the stock and the orders of different moments.
    if facts.tells.stock && (facts.tells.states || facts.is_settled) {
        add_up(&mut broken, stock, stock_left, facts.kept.len() as u64, "");
    }
    earlier_sums(facts, &mut broken);
    broken
}

/// The same, without the ledger after the run.
pub(super) fn states_add_up(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::StockConserved);
    earlier_sums(facts, &mut broken);
    broken
}

fn add_up(broken: &mut Witnesses, stock: u64, left: i64, orders: u64, when: impl Display) {
    let wrong = format_args!("stock {stock}, left {left}, orders {orders}{when}");
    broken.add_if(!is_sum(stock, left, orders), wrong);
}

/// The sums of the ledger before the run, and of all states.
fn earlier_sums(facts: &Facts<'_>, broken: &mut Witnesses) {
    let before = facts.history.sale_before.as_ref().filter(|_| facts.tells.stock);
    if let Some(before) = before {
        let rows = facts.history.before.values();
        let orders = rows.filter(|row| row.takes_unit()).count();
        add_up(broken, before.stock, before.stock_left, orders as u64, " before the run");
    }
    for view in facts.views() {
        let SaleView { stock, stock_left, orders, .. } = view.sale;
        let ms = view.sent_us / 1_000;
        add_up(broken, stock, stock_left, orders, format_args!(" at {ms} ms"));
        if let Some((held, paid)) = view.sale.held.zip(view.sale.paid) {
            let wrong = format_args!("held {held}, paid {paid}, orders {orders} at {ms} ms");
            broken.add_if(held.checked_add(paid) != Some(orders), wrong);
        }
    }
}

pub(super) fn buyer_limit(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::BuyerLimit);
    if !facts.tells.limit {
        return broken;
    }
    let limit = u64::from(facts.ledger.sale.per_buyer);
    let kept_of = kept_of(facts);
    let kept_of = if facts.holds { &kept_of } else { &facts.orders_of };
    let mut over: Vec<_> = kept_of.iter().filter(|(_, n)| **n > limit).collect();
    over.sort_unstable();
    over.into_iter().for_each(|(uid, orders)| broken.add(format_args!("{uid} has {orders}")));
    broken
}

/// The orders of each buyer that take a unit, at a sale that holds its orders.
fn kept_of<'a>(facts: &Facts<'a>) -> HashMap<&'a str, u64> {
    let mut kept_of = HashMap::new();
    for order in facts.kept.iter().filter(|_| facts.holds) {
        *kept_of.entry(&*order.uid).or_default() += 1;
    }
    kept_of
}

/// The reason for which an attempt lost does not matter: a unit is left that its buyer did not get.
pub(super) fn no_unsold_stock(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::NoUnsoldStock);
    if !facts.has_units_left() {
        return broken;
    }
    // A shop with reasons of its own may let a buyer lose for one of them.
    let is_entitled = |row: &Row| match facts.tells.is_everything() {
        true => matches!(row.status, Status::Lost(_)) && facts.is_below_limit(&row.uid),
        false => {
            let is_known = facts.tells.buyers || !row.uid.is_empty();
            row.status == Status::Lost(Loss::SoldOut) && is_known && facts.is_below_limit(&row.uid)
        }
    };
    for row in facts.ledger.rows.iter().filter(|row| is_entitled(row)) {
        broken.add(row.request_id);
    }
    if !facts.tells.attempts && facts.tells.names() {
        told_losers(facts, &mut broken);
    }
    broken
}

/// Buyers without a row of their loss who were told that no unit was left.
fn told_losers(facts: &Facts<'_>, broken: &mut Witnesses) {
    let lost = losses(facts, Loss::SoldOut).map(|told| told.attempt);
    for attempt in lost.collect::<BTreeSet<_>>() {
        let id = facts.history.ids.request_id(attempt);
        let buyer = facts.history.ids.buyer(attempt).to_string();
        broken.add_if(facts.row_of(&id).is_none() && facts.is_below_limit(&buyer), id);
    }
}
