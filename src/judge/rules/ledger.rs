//! The rows of the ledger: each belongs to an attempt, and each accepted attempt has one.

use std::collections::{HashMap, HashSet};

use crate::history::{AttemptNo, History, Row, Status};
use crate::ids::{OrderId, RequestId};
use crate::judge::facts::Facts;
use crate::judge::invariant::{Invariant, Witnesses};
use crate::judge::made::Made;
use crate::judge::origin::Origin;

use super::results::truths;

pub(super) fn order_ids_unique(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::OrderIdsUnique);
    let mut attempt_of = HashMap::with_capacity(facts.orders.len());
    for order in &facts.orders {
        if let Status::Won(order_id) = &order.status
            && order_id.is_told()
        {
            let other = attempt_of.insert(order_id, order.request_id);
            broken.add_if(other.is_some(), order_id);
        }
    }
    // Attempts that were decided after the ledger was read. Other results that the ledger
    // contradicts break `results_true`.
    for (read, &is_true) in facts.history.results.iter().zip(truths(facts)) {
        let row = facts.row_of(&read.request_id);
        if is_true && facts.tells.request_ids && row.is_some_and(|row| row.status == Status::Queued)
        {
            let order_id = read.status.as_ref().and_then(Status::order_id);
            let is_of_other = |id: &&OrderId| {
                attempt_of.get(*id).is_some_and(|attempt| *attempt != read.request_id)
            };
            order_id.filter(is_of_other).into_iter().for_each(|id| broken.add(id));
        }
    }
    broken
}

pub(super) fn request_ids_unique(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::RequestIdsUnique);
    let repeated = facts.repeated.iter().filter(|_| facts.tells.once);
    repeated.for_each(|row| broken.add(row.request_id));
    broken
}

pub(super) fn orders_were_sent(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::OrdersWereSent);
    let is_foreign = |(row, origin): &(&Row, Origin)| {
        // A row that names neither an attempt nor a buyer may be of any attempt.
        let is_named = facts.tells.names() || !row.uid.is_empty();
        matches!(row.status, Status::Won(_)) && is_named && *origin == Origin::Foreign
    };
    let mut foreign: Vec<&Row> = facts.rows().filter(is_foreign).map(|(row, _)| row).collect();
    if !facts.tells.once && !foreign.is_empty() {
        // Each request of an attempt may have made one.
        let buyers = buyers(facts.history, &foreign);
        foreign.retain(|row| !buyers.contains(&*row.uid));
    }
    foreign.into_iter().for_each(|row| broken.add(row.request_id));
    if !facts.tells.names() && facts.tells.once && !facts.is_replaced {
        let new = facts.rows().filter(|(row, origin)| {
            matches!(row.status, Status::Won(_)) && *origin != Origin::Earlier
        });
        let (orders, attempts) = (new.count(), facts.made().count());
        broken.add_if(
            orders > attempts,
            format_args!("{orders} new orders, and {attempts} attempts that can have made one"),
        );
    }
    broken
}

/// The buyers of these rows that have made an attempt in this run.
fn buyers<'a>(history: &History, rows: &[&'a Row]) -> HashSet<&'a str> {
    let named: HashMap<&str, &'a str> = rows.iter().map(|row| (&*row.uid, &*row.uid)).collect();
    let attempts = (0..)
        .zip(&history.sent)
        .flat_map(|(thread, sent)| (0..*sent).map(move |index| AttemptNo { thread, index }));
    let ours = attempts.map(|attempt| history.ids.buyer(attempt).to_string());
    ours.filter_map(|buyer| named.get(&*buyer).copied()).collect()
}

/// An attempt that another sale has accepted is not in this ledger, but it has a result.
pub(super) fn accepted_kept(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::AcceptedKept);
    if !facts.tells.is_everything() && !facts.is_replaced {
        accepted_kept_in_parts(facts, &mut broken);
        return broken;
    }
    let results = facts.history.results.iter().filter(|read| read.status.is_none());
    let forgotten: HashMap<RequestId, u64> = match facts.is_replaced {
        true => results.map(|read| (read.request_id, read.sent_us)).collect(),
        false => HashMap::new(),
    };
    for made in facts.accepted.iter().filter(|made| made.row.is_none()) {
        let is_forgotten = || {
            let read_us = forgotten.get(&made.request_id);
            read_us.zip(made.window()).is_some_and(|(read_us, window)| *read_us > window.1)
        };
        broken.add_if(!facts.is_replaced || is_forgotten(), made.request_id);
    }
    broken
}

/// Of a source that does not tell everything, attempts that were told of an order are missing, and,
/// if it has all attempts, those that were accepted.
fn accepted_kept_in_parts(facts: &Facts<'_>, broken: &mut Witnesses) {
    let tells = facts.tells;
    let has_all = tells.attempts && tells.names();
    // An attempt that is sent again may have been answered with a row from before the run.
    let has_earlier: HashSet<&str> = match has_all && !tells.request_ids {
        true => facts.history.before.values().map(|row| &*row.uid).collect(),
        false => HashSet::new(),
    };
    let is_known_buyer = |made: &Made<'_>| {
        !has_earlier.is_empty() && {
            let buyer = facts.history.ids.buyer(made.entry.attempt).to_string();
            has_earlier.contains(&*buyer)
        }
    };
    for made in facts.accepted.iter().filter(|made| made.row.is_none()) {
        // A result may tell of an order that was made after the ledger was read.
        let is_told = facts.is_settled || made.entry.answered.is_decision();
        let is_missing = is_told && facts.missing.contains(&made.request_id);
        broken.add_if(is_missing || (has_all && !is_known_buyer(made)), made.request_id);
    }
}

pub(super) fn earlier_kept(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::EarlierKept);
    let is_changed = |before: &&Row| {
        let row = facts.row_of(&before.request_id);
        let is_of_other = row.is_some_and(|row| row.uid != before.uid);
        // Of a source that tells everything, it breaks `rows_sane`.
        if is_of_other && facts.tells.buyers && !facts.tells.is_everything() {
            return true;
        }
        let now = row.map(|row| &row.status);
        match &before.status {
            // The id of a row without one changes with its decision.
            Status::Queued => facts.tells.request_ids && now.is_none(),
            // Of rows without ids, one may be another one like it.
            Status::Lost(_) if !facts.tells.request_ids => !matches!(now, Some(Status::Lost(_))),
            decided => now != Some(decided),
        }
    };
    let mut changed: Vec<_> = facts.history.before.values().filter(is_changed).collect();
    changed.sort_unstable_by_key(|row| row.request_id);
    changed.into_iter().for_each(|row| broken.add(row.request_id));
    broken
}

pub(super) fn stock_expected(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::StockExpected);
    let stock = facts.ledger.sale.stock;
    if let Some(expected) = facts.history.expected_stock.filter(|_| facts.tells.stock) {
        broken.add_if(stock != expected, format_args!("stock {stock}, expected {expected}"));
    }
    broken
}

pub(super) fn terms_kept(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::TermsKept);
    if let Some(before) = &facts.history.sale_before {
        let now = &facts.ledger.sale;
        let has_kept_stock = !facts.tells.stock || before.stock == now.stock;
        let kept = has_kept_stock && (!facts.tells.limit || before.per_buyer == now.per_buyer);
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
