//! The rows of the ledger, each by itself: its order, its origin and its times.

use std::collections::HashSet;

use crate::history::{Row, Status};
use crate::ids::RequestId;
use crate::judge::facts::{Facts, Origin};
use crate::judge::invariant::{Invariant, Witnesses};
use crate::judge::made::signed;

/// How far apart the clocks of a right system may be, in microseconds.
const CLOCKS_APART_US: i64 = 60_000_000;

/// How far the clocks of a right system may be from the generator's, in microseconds: further than
/// with a wrong time zone.
const OFFSET_MAX_US: i64 = 24 * 3600 * 1_000_000;

/// Checks that every row is in its place, belongs to somebody, is what it was before the run, and
/// has times that are possible.
pub(super) fn rows_sane(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::RowsSane);
    in_order(facts, &mut broken);
    for (row, origin) in facts.rows() {
        let problem = match origin {
            // An order of nobody breaks `orders_were_sent` instead.
            Origin::Foreign if !matches!(row.status, Status::Won(_)) => Some("nobody made it"),
            Origin::Earlier => changed_since(facts, row),
            _ => None,
        };
        if let Some(problem) = problem.or_else(|| decided_too_early(row)) {
            broken.add(format_args!("{}: {problem}", row.request_id));
        }
    }
    at_possible_times(facts, &mut broken);
    broken
}

/// Positions rise. A second row of an attempt breaks `request_ids_unique` instead.
fn in_order(facts: &Facts<'_>, broken: &mut Witnesses) {
    let repeated: HashSet<RequestId> = facts.repeated.iter().map(|row| row.request_id).collect();
    let mut last: Option<u64> = None;
    for row in &facts.ledger.rows {
        if !repeated.is_empty() && repeated.contains(&row.request_id) {
            continue;
        }
        if last.is_some_and(|last| row.seq <= last) {
            broken.add(format_args!("{}: position {} twice or too late", row.request_id, row.seq));
        }
        last = last.max(Some(row.seq));
    }
}

/// What differs from the row before the run, other than its decision: `earlier_kept` compares that.
fn changed_since(facts: &Facts<'_>, row: &Row) -> Option<&'static str> {
    let before = facts.history.before.get(&row.request_id)?;
    let is_queued = before.status == Status::Queued;
    if before.uid != row.uid {
        Some("another buyer than before the run")
    } else if before.item != row.item {
        Some("another item than before the run")
    } else if before.seq != row.seq {
        Some("another position than before the run")
    } else if before.accepted_us != row.accepted_us {
        Some("accepted at another time than before the run")
    } else if !is_queued && before.status == row.status && before.decided_us != row.decided_us {
        Some("decided at another time than before the run")
    } else if facts.is_settled && row.status == Status::Queued && is_queued {
        Some("queued when nothing was queued")
    } else {
        None
    }
}

/// With several clocks, a decision may seem to be a little older than the acceptance.
fn decided_too_early(row: &Row) -> Option<&'static str> {
    let decided_us = signed(row.decided_us?);
    let is_too_early = decided_us.saturating_add(CLOCKS_APART_US) < signed(row.accepted_us);
    is_too_early.then_some("decided before it was accepted")
}

/// Accepted attempts show by how much the accepting clock differs from the generator's. All clocks
/// of a right system differ by about as much.
fn at_possible_times(facts: &Facts<'_>, broken: &mut Witnesses) {
    let began_us = signed(facts.history.began_us);
    if began_us == 0 {
        return;
    }
    let offset_us = |made: &crate::judge::made::Made<'_>| made.offset_us(began_us);
    let accepted = facts.accepted.iter();
    let mut middles: Vec<i64> = accepted
        .filter_map(offset_us)
        .map(|(from, to)| from.saturating_add(to.saturating_sub(from) / 2))
        .collect();
    if middles.is_empty() {
        return;
    }
    let middle = middles.len() / 2;
    let (_, median, _) = middles.select_nth_unstable(middle);
    let median = *median;
    if median.saturating_abs() > OFFSET_MAX_US {
        broken.add(format_args!("the clock is {} s from ours", median / 1_000_000));
        return;
    }
    let (earliest, latest) = (median - CLOCKS_APART_US, median + CLOCKS_APART_US);
    for made in &facts.accepted {
        if made.offset_us(began_us).is_some_and(|(from, to)| from > latest || to < earliest) {
            broken.add(format_args!("{}: accepted at another time", made.request_id));
        }
    }
    // An attempt without an answer may have been accepted at any time after it was sent.
    for made in &facts.unknown {
        if made.offset_us(began_us).is_some_and(|(_, to)| to < earliest) {
            broken.add(format_args!("{}: accepted before it was sent", made.request_id));
        }
    }
}
