//! What no sale can show at any time, so that there is no need to search.

use std::collections::{HashMap, HashSet};

use seckill::history::{AttemptNo, History, Ledger, Row, Status, View};
use seckill::ids::RequestId;

pub(super) fn check(is_possible: bool, problem: &str) -> Result<(), String> {
    if is_possible { Ok(()) } else { Err(problem.to_owned()) }
}

pub(super) fn terms_are_the_same(history: &History, ledger: &Ledger) -> Result<(), String> {
    let now = &ledger.sale;
    let before = history.sale_before.as_ref().unwrap();
    let is_same = before.stock == now.stock && before.per_buyer == now.per_buyer;
    check(is_same && before.item == now.item, "the terms changed")?;
    for View { sale, .. } in history.views.iter() {
        let is_same = sale.stock == now.stock && sale.per_buyer == Some(now.per_buyer);
        check(is_same && *sale.item == *now.item, "a state shows other terms")?;
    }
    Ok(())
}

/// Each row is one that the ledger can have, and their number fits the units left.
pub(super) fn rows_are_possible(history: &History, ledger: &Ledger) -> Result<(), String> {
    let made: HashMap<RequestId, AttemptNo> = history
        .entries
        .iter()
        .map(|entry| (history.ids.request_id(entry.attempt), entry.attempt))
        .collect();
    let mut ids = HashSet::new();
    for row in &ledger.rows {
        check(ids.insert(row.request_id), "an attempt has two rows")?;
        match (history.before.get(&row.request_id), made.get(&row.request_id)) {
            (Some(before), _) => check(is_kept(before, row), "an earlier row has changed")?,
            (None, Some(attempt)) => {
                let is_same = history.ids.buyer(*attempt).to_string() == *row.uid;
                check(is_same, "a row has another buyer")?;
            }
            (None, None) => check(false, "nobody made a row's attempt, or it was refused")?,
        }
        check(*row.item == *history.item.as_str(), "a row has another item")?;
    }
    let mut seq = ledger.rows.windows(2).map(|pair| pair[0].seq < pair[1].seq);
    check(seq.all(|rises| rises), "the positions do not rise")?;
    check(history.before.keys().all(|id| ids.contains(id)), "an earlier row is gone")?;
    let orders = ledger.rows.iter().filter(|row| matches!(row.status, Status::Won(_)));
    let mut of_buyers: HashMap<&str, u32> = HashMap::new();
    orders.clone().for_each(|order| *of_buyers.entry(&order.uid).or_default() += 1);
    let is_within = of_buyers.values().all(|orders| *orders <= ledger.sale.per_buyer);
    check(is_within, "a buyer has too many orders")?;
    let left = i128::from(ledger.sale.stock) - orders.count() as i128;
    check(left >= 0, "more is sold than there was")?;
    check(left == ledger.sale.stock_left.into(), "the units do not add up")
}

fn is_kept(before: &Row, now: &Row) -> bool {
    let same = |row: &Row| (row.uid.clone(), row.item.clone(), row.seq, row.accepted_us);
    let decision = |row: &Row| (row.status.clone(), row.decided_us);
    let is_queued = before.status == Status::Queued;
    same(before) == same(now) && (is_queued || decision(before) == decision(now))
}
