//! Stock and orders: what may be sold, and to whom.

use crate::history::{SaleTerms, Status};
use crate::judge::facts::Facts;
use crate::judge::invariant::{Invariant, Witnesses};

pub(super) fn never_oversold(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::NeverOversold);
    let (orders, told) = (&facts.orders, &facts.only_told);
    let within = orders.len() + told.len() - facts.oversold();
    orders.iter().skip(within).for_each(|order| broken.add(order.request_id));
    let told = told.iter().skip(within.saturating_sub(orders.len()));
    told.for_each(|order| broken.add(format_args!("told of order {order}")));
    broken
}

pub(super) fn stock_never_negative(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::StockNeverNegative);
    let left = facts.ledger.sale.stock_left;
    broken.add_if(left < 0, format_args!("stock_left {left}"));
    broken
}

/// A ledger shows the state of one moment, so the sum is right before the run as well.
pub(super) fn stock_conserved(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::StockConserved);
    let mut add_up = |sale: &SaleTerms, orders: usize, when: &str| {
        let (stock, left) = (sale.stock, sale.stock_left);
        let adds_up = i128::from(stock) == i128::from(left) + orders as i128;
        broken.add_if(!adds_up, format_args!("stock {stock}, left {left}, orders {orders}{when}"));
    };
    add_up(&facts.ledger.sale, facts.orders.len(), "");
    if let Some(before) = &facts.history.sale_before {
        let rows = facts.history.before.values();
        let orders = rows.filter(|row| matches!(row.status, Status::Won(_))).count();
        add_up(before, orders, " before the run");
    }
    broken
}

pub(super) fn buyer_limit(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::BuyerLimit);
    let limit = u64::from(facts.ledger.sale.per_buyer);
    let mut over: Vec<_> = facts.orders_of.iter().filter(|(_, n)| **n > limit).collect();
    over.sort_unstable();
    over.into_iter().for_each(|(uid, orders)| broken.add(format_args!("{uid} has {orders}")));
    broken
}

/// The reason for which an attempt lost does not matter: a unit is left that its buyer did not get.
pub(super) fn no_unsold_stock(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::NoUnsoldStock);
    if facts.ledger.sale.stock_left <= 0 {
        return broken;
    }
    let limit = u64::from(facts.ledger.sale.per_buyer);
    for row in &facts.ledger.rows {
        let is_below = || facts.orders_of.get(&*row.uid).copied().unwrap_or(0) < limit;
        broken.add_if(matches!(row.status, Status::Lost(_)) && is_below(), row.request_id);
    }
    broken
}
