//! The rows of the ledger, each by itself: its order, its origin and its times.

use std::collections::{BTreeSet, HashSet};

use crate::history::{Loss, Refused, RequestWindow, Row, Status};
use crate::ids::RequestId;
use crate::judge::facts::Facts;
use crate::judge::invariant::{Invariant, Witnesses};
use crate::judge::made::signed;
use crate::judge::origin::Origin;

use super::limit::AtLimit;
use super::losses::losses;

/// How far apart the clocks of a right system may be, in microseconds.
const CLOCKS_APART_US: i64 = 60_000_000;

/// How far the clocks of a right system may be from the generator's, in microseconds: further than
/// with a wrong time zone.
const OFFSET_MAX_US: i64 = 24 * 3600 * 1_000_000;

const NOT_REPLACED: &str = "lost as its sale was replaced, and it was not";

/// Checks that every row is in its place, belongs to somebody, is what it was before the run, and
/// has a reason and times that are possible.
pub(super) fn rows_sane(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::RowsSane);
    broken.add_if(
        facts.ledger.is_miscounted,
        "the last line of the ledger does not count the lines before it",
    );
    let is_everything = facts.tells.is_everything();
    let is_won = |row: &Row| matches!(row.status, Status::Won(_));
    in_order(facts, &mut broken);
    let offset_us = median_offset_us(facts);
    let is_present = is_present_after_ledger(facts);
    for (row, origin) in facts.rows() {
        let problem = match origin {
            // An order of nobody breaks `orders_were_sent` instead.
            Origin::Foreign if !is_won(row) && is_everything => Some("nobody made it"),
            Origin::Earlier => changed_since(facts, row),
            _ => None,
        };
        let is_replaced = row.status == Status::Lost(Loss::SaleReplaced) && is_present;
        let problem = problem.or(is_replaced.then_some(NOT_REPLACED));
        let problem = problem.or_else(|| other_reason(facts, row));
        let early = || decided_too_early(row, offset_us).filter(|_| facts.tells.times);
        if let Some(problem) = problem.or_else(early) {
            broken.add(format_args!("{}: {problem}", row.request_id));
        }
    }
    told_in_time(facts, &mut broken);
    if let Some(offset_us) = offset_us {
        at_possible_times(facts, offset_us, &mut broken);
    }
    broken
}

/// Whether a state that was read after the ledger shows that its sale was still the present one.
fn is_present_after_ledger(facts: &Facts<'_>) -> bool {
    let epoch = facts.ledger.sale.epoch;
    let mut views = facts.all_views().filter(|view| epoch > 0 && view.sale.epoch == epoch);
    let ledger_us = facts.history.ledger_us;
    ledger_us > 0 && views.any(|view| view.sent_us > ledger_us)
}

/// Positions rise. A second row of an attempt breaks `request_ids_unique` instead.
fn in_order(facts: &Facts<'_>, broken: &mut Witnesses) {
    if !facts.tells.positions {
        return;
    }
    let repeated: HashSet<RequestId> = facts.repeated.iter().map(|row| row.request_id).collect();
    let mut last: Option<u64> = None;
    for row in &facts.ledger.rows {
        if !repeated.is_empty() && repeated.contains(&row.request_id) {
            continue;
        }
        if let Some(last) = last.filter(|last| row.seq <= *last) {
            let (id, seq) = (row.request_id, row.seq);
            broken.add(format_args!("{id}: its position {seq} comes after {last}"));
        }
        last = last.max(Some(row.seq));
    }
}

/// What differs from the row before the run, other than its decision: `earlier_kept` compares that.
fn changed_since(facts: &Facts<'_>, row: &Row) -> Option<&'static str> {
    if !facts.tells.request_ids {
        // A row without an id may be another one like it.
        return None;
    }
    let before = facts.history.before.get(&row.request_id)?;
    let is_queued = before.status == Status::Queued;
    if facts.tells.buyers && before.uid != row.uid {
        Some("another buyer than before the run")
    } else if before.item != row.item {
        Some("another item than before the run")
    } else if facts.tells.items && *row.item != *facts.ledger.sale.item {
        Some("another item than the sale's")
    } else if facts.tells.positions && before.seq != row.seq {
        Some("another position than before the run")
    } else if facts.tells.times && before.accepted_us != row.accepted_us {
        Some("accepted at another time than before the run")
    } else if facts.tells.times
        && !is_queued
        && before.status == row.status
        && before.decided_us != row.decided_us
    {
        Some("decided at another time than before the run")
    } else if facts.is_settled && row.status == Status::Queued && is_queued {
        Some("queued when nothing was queued")
    } else {
        None
    }
}

/// Why the reason of a loss is false: orders never become fewer, and units more only as orders are
/// given back. A buyer who
/// should have won instead breaks `no_unsold_stock`.
fn other_reason(facts: &Facts<'_>, row: &Row) -> Option<&'static str> {
    let sale = &facts.ledger.sale;
    if !(facts.tells.stock && facts.tells.limit && facts.tells.buyers) {
        return None;
    }
    let orders = || facts.orders_of.get(&*row.uid).copied().unwrap_or(0);
    let is_below_limit = || orders() < u64::from(sale.per_buyer);
    // Whoever was refused for a false reason breaks `sold_out_true`.
    let was_told = || facts.history.refusals.of(Refused::SoldOut).is_some();
    match row.status {
        Status::Lost(Loss::Foreign) => Some("lost for a reason that the API does not have"),
        Status::Lost(Loss::SoldOut)
            if facts.has_units_left() && !is_below_limit() && !was_told() =>
        {
            Some("lost as sold out, and units are left")
        }
        Status::Lost(Loss::AlreadyBought) if sale.stock_left <= 0 && is_below_limit() => {
            Some("lost as already bought, and the buyer is below the limit")
        }
        _ => None,
    }
}

/// Checks when the reasons of losses were told: not while the sale was the present one, and not
/// before the buyer had as many orders as one may have.
fn told_in_time(facts: &Facts<'_>, broken: &mut Witnesses) {
    let epoch = facts.ledger.sale.epoch;
    let present = facts.all_views().filter(|view| epoch > 0 && view.sale.epoch == epoch);
    let until_us = present.map(|view| view.sent_us).max().unwrap_or(0);
    let replaced = losses(facts, Loss::SaleReplaced).filter(|told| told.answered_us < until_us);
    let is_lost = |told: &RequestWindow| {
        let row = facts.row_of(&facts.history.ids.request_id(told.attempt));
        row.is_some_and(|row| row.status == Status::Lost(Loss::SaleReplaced))
    };
    // A row with that reason is broken already.
    let is_named = is_present_after_ledger(facts);
    let replaced = replaced.filter(|told| !(is_named && is_lost(told)));
    let replaced = replaced.map(|told| (told.attempt, NOT_REPLACED));
    // Where a buyer never gets as many, a lost row breaks an invariant by itself.
    let limit = u64::from(facts.ledger.sale.per_buyer);
    let end_us = facts.load_end_us();
    let breaks = |told: &RequestWindow| {
        let row = facts.row_of(&facts.history.ids.request_id(told.attempt));
        if row.is_some_and(|row| row.status == Status::Queued) {
            return told.answered_us <= end_us;
        }
        let buyer = facts.history.ids.buyer(told.attempt).to_string();
        facts.orders_of.get(&*buyer).is_some_and(|orders| *orders >= limit)
    };
    let at_limit = AtLimit::told(facts).lost.into_iter().filter(breaks);
    let at_limit = at_limit.map(|told| (told.attempt, "lost as already bought before it was"));
    let told: BTreeSet<_> = replaced.chain(at_limit).collect();
    for (attempt, problem) in told {
        broken.add(format_args!("{}: {problem}", facts.history.ids.request_id(attempt)));
    }
}

/// With several clocks, a decision may seem to be older than the acceptance: by a little, and by as
/// much as the accepting clock is known to be ahead.
fn decided_too_early(row: &Row, offset_us: Option<i64>) -> Option<&'static str> {
    let ahead_us = offset_us.unwrap_or(0).clamp(0, OFFSET_MAX_US);
    let decided_us = signed(row.decided_us?).saturating_add(CLOCKS_APART_US + ahead_us);
    (decided_us < signed(row.accepted_us)).then_some("decided before it was accepted")
}

/// By how much the accepting clocks are ahead of the generator's, as the median of the accepted
/// attempts, in microseconds; `None` without attempts or times.
fn median_offset_us(facts: &Facts<'_>) -> Option<i64> {
    let began_us = began_us(facts).filter(|_| facts.tells.times && facts.tells.request_ids)?;
    let offsets = facts.accepted.iter().filter_map(|made| made.offset_us(began_us));
    let middle = |(from, to): (i64, i64)| from.saturating_add(to.saturating_sub(from) / 2);
    let mut middles: Vec<i64> = offsets.map(middle).collect();
    let half = middles.len() / 2;
    (!middles.is_empty()).then(|| *middles.select_nth_unstable(half).1)
}

fn began_us(facts: &Facts<'_>) -> Option<i64> {
    Some(signed(facts.history.began_us)).filter(|us| *us > 0)
}

/// Checks the times of acceptance: all clocks of a right system differ from the generator's by
/// about as much.
fn at_possible_times(facts: &Facts<'_>, median_us: i64, broken: &mut Witnesses) {
    let Some(began_us) = began_us(facts) else { return };
    if median_us.saturating_abs() > OFFSET_MAX_US {
        broken.add(format_args!("the clock differs from ours by {} s", median_us / 1_000_000));
        return;
    }
    let (earliest, latest) = (median_us - CLOCKS_APART_US, median_us + CLOCKS_APART_US);
    // Nothing in a settled ledger was decided after it and the last state of the sale were read.
    let history = facts.history;
    let read_us = facts.all_views().next_back().map(|view| view.answered_us.max(history.ledger_us));
    let end_us = read_us.map_or(i64::MAX, |read_us| {
        began_us.saturating_add(signed(read_us)).saturating_add(latest.max(0))
    });
    for made in &facts.accepted {
        if made.offset_us(began_us).is_some_and(|(from, to)| from > latest || to < earliest) {
            broken.add(format_args!("{}: accepted at another time", made.request_id));
        }
        let decided_us = made.row.and_then(|row| row.decided_us);
        if facts.is_settled && decided_us.is_some_and(|us| signed(us) > end_us) {
            broken.add(format_args!("{}: decided in the future", made.request_id));
        }
    }
    // An attempt without an answer may have been accepted at any time after it was sent.
    for made in &facts.unknown {
        if made.offset_us(began_us).is_some_and(|(_, to)| to < earliest) {
            broken.add(format_args!("{}: accepted before it was sent", made.request_id));
        }
    }
    // What was queued when the ledger before the run was read, has been decided since.
    let begun_us = began_us.saturating_add(median_us.min(0)).saturating_sub(CLOCKS_APART_US);
    // Where it is not known when the ledger was read, a late effect may be newer than the state.
    let is_read = facts.is_settled && history.ledger_us > 0;
    let was_queued = |row: &Row| {
        history.before.get(&row.request_id).is_some_and(|row| row.status == Status::Queued)
    };
    for (row, decided_us) in unanswered(facts, was_queued) {
        if is_read && decided_us > end_us {
            broken.add(format_args!("{}: decided in the future", row.request_id));
        } else if decided_us < begun_us && was_queued(row) {
            broken.add(format_args!("{}: decided while it was queued", row.request_id));
        }
    }
}

/// Rows that were decided during the run, of attempts that were not answered in it, with the times
/// of their decisions.
fn unanswered<'a>(
    facts: &'a Facts<'_>,
    was_queued: impl Fn(&Row) -> bool + 'a,
) -> impl Iterator<Item = (&'a Row, i64)> + 'a {
    let unknown = facts.unknown.iter().filter(|made| made.earlier.is_none());
    let others = facts.rows().filter(move |(row, origin)| match origin {
        Origin::Made => false,
        Origin::Earlier => was_queued(row),
        Origin::Refused | Origin::OtherRun | Origin::Foreign => true,
    });
    let rows = unknown.filter_map(|made| made.row).chain(others.map(|(row, _)| row));
    rows.filter_map(|row| Some((row, signed(row.decided_us?))))
}
