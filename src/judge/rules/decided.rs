//! Decisions: every accepted attempt gets one.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use crate::history::{ResultRead, Row, Standstill, Status};
use crate::ids::RequestId;
use crate::judge::facts::Facts;
use crate::judge::invariant::{Invariant, Witnesses};
use crate::judge::origin::Origin;

use super::results::Settled;

/// For how long nothing may change while attempts are queued and every part of the tested system
/// works, in microseconds: half of the time that was waited, within these bounds. A slow system
/// decides something in that time.
const STANDSTILL_US: RangeInclusive<u64> = 5_000_000..=15_000_000;

/// The same, if a queue has passed over an attempt.
const PASSED_OVER_US: u64 = 2_000_000;

/// How many attempts that were accepted later may be decided before an attempt: a broker delivers
/// about in order, and some attempts again.
const DISORDER_MAX: usize = 100;

/// Checks that accepted attempts are decided: all of them if nothing was queued when the ledger was
/// read, and otherwise those that stood still.
pub(super) fn accepted_decided(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::AcceptedDecided);
    if !facts.tells.attempts || !facts.tells.request_ids {
        return broken;
    }
    let stuck = Stuck::of(facts);
    if !facts.is_settled && matches!(stuck, Stuck::Nothing) {
        return broken;
    }
    let known = known_before_settled(facts);
    let is_lost = |row: &Row| match stuck {
        _ if facts.is_settled => true,
        Stuck::Nothing => false,
        Stuck::Below { seq } => row.seq < seq,
        Stuck::Everything => true,
    };
    for made in &facts.accepted {
        // An attempt that is not in the ledger at all breaks `accepted_kept` instead.
        let Some(row) = made.row.filter(|row| row.status == Status::Queued) else { continue };
        broken.add_if(is_lost(row), made.request_id);
    }
    // One that was queued before the run, and when nothing was, breaks `rows_sane` instead.
    let earlier = facts.rows().filter(|(_, origin)| *origin == Origin::Earlier);
    for (row, _) in earlier.filter(|(row, _)| row.status == Status::Queued && !facts.is_settled) {
        let is_made = facts.history.ids.attempt(&row.request_id).is_some();
        broken.add_if(!is_made && is_lost(row), row.request_id);
    }
    for made in &facts.unknown {
        let Some(row) = made.row.filter(|row| row.status == Status::Queued) else { continue };
        let is_stuck = !facts.is_settled && is_lost(row) && was_accepted_in_load(facts, row);
        broken.add_if(is_stuck || known.contains(&made.request_id), made.request_id);
    }
    broken
}

/// Whether an attempt was accepted before the load had ended, however far clocks differ: then it
/// has been queued for as long as was waited.
fn was_accepted_in_load(facts: &Facts<'_>, row: &Row) -> bool {
    let latest_us = facts.clock.map(|clock| clock.latest_moment(row.accepted_us));
    latest_us.is_some_and(|us| us < facts.history.ended_us)
}

/// Attempts of which a result was read before nothing was queued.
fn known_before_settled(facts: &Facts<'_>) -> HashSet<RequestId> {
    let Settled::Since { sent_us, .. } = Settled::of(facts) else { return HashSet::new() };
    let is_known = |read: &&ResultRead| read.status.is_some() && read.answered_us < sent_us;
    let known = facts.history.results.iter().filter(is_known);
    known.filter(|read| read.answered_us > 0).map(|read| read.request_id).collect()
}

/// Whether nothing was decided for so long that nothing will be any more.
pub(super) fn is_standstill(facts: &Facts<'_>) -> bool {
    let standstill = facts.history.standstill.filter(|standstill| standstill.is_ready);
    standstill.is_some_and(|Standstill { unchanged_us, waited_us, .. }| {
        unchanged_us >= (waited_us / 2).clamp(*STANDSTILL_US.start(), *STANDSTILL_US.end())
    })
}

/// Which queued attempts will never be decided.
#[derive(Clone, Copy)]
enum Stuck {
    Nothing,
    /// Those at lower positions: many at higher ones were decided.
    Below {
        seq: u64,
    },
    Everything,
}

impl Stuck {
    fn of(facts: &Facts<'_>) -> Self {
        let Some(standstill) = facts.history.standstill.filter(|standstill| standstill.is_ready)
        else {
            return Self::Nothing;
        };
        let Standstill { queued, unchanged_us, .. } = standstill;
        let rows = &facts.ledger.rows;
        let still_queued = rows.iter().filter(|row| row.status == Status::Queued).count() as u64;
        // The ledger was read later: if it has fewer of them, something has been decided since.
        if unchanged_us < PASSED_OVER_US || still_queued < queued {
            return Self::Nothing;
        }
        if is_standstill(facts) {
            return Self::Everything;
        }
        if !facts.tells.positions {
            return Self::Nothing;
        }
        let decided = rows.iter().filter(|row| row.status != Status::Queued).map(|row| row.seq);
        let mut decided: Vec<u64> = decided.collect();
        if decided.len() <= DISORDER_MAX {
            return Self::Nothing;
        }
        let at = decided.len() - 1 - DISORDER_MAX;
        let (_, seq, _) = decided.select_nth_unstable(at);
        Self::Below { seq: *seq }
    }
}
