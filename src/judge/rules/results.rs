//! Results: what a buyer reads of an attempt is what the ledger says.

use std::collections::HashSet;

use crate::history::{Answered, Loss, ResultRead, Row, Status};
use crate::ids::OrderId;
use crate::ids::RequestId;
use crate::judge::facts::Facts;
use crate::judge::id_map::IdMap;
use crate::judge::invariant::{Invariant, Witnesses};
use crate::judge::made::Made;

/// Checks each result that was read, during the run or after it.
pub(super) fn results_true(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::ResultsTrue);
    for (read, is_true) in facts.history.results.iter().zip(truths(facts)) {
        broken.add_if(!is_true, read.request_id);
    }
    deadlines_agree(facts, &mut broken);
    broken
}

/// Until when an order is held is part of its decision: all results and the ledger give the same.
fn deadlines_agree(facts: &Facts<'_>, broken: &mut Witnesses) {
    let mut known: IdMap<(u64, &str)> = IdMap::default();
    for read in &facts.history.results {
        let Some(told_us) = read.held_until_us else { continue };
        let id = read.request_id;
        let (held_us, by) = *known.entry(id).or_insert_with(|| {
            let order = facts.row_of(&id).and_then(|row| row.order.as_ref());
            order.map_or((told_us, "another result"), |of| (of.held_until_us, "the ledger"))
        });
        broken.add_if(
            told_us != held_us,
            format_args!("{id}: held until {told_us}, and until {held_us} in {by}"),
        );
    }
}

/// Whether each result can be true beside the ledger, which is a little older or newer: an attempt
/// may have been accepted or decided between the two.
pub(super) fn truths<'a>(facts: &'a Facts<'_>) -> &'a [bool] {
    facts.truths.get_or_init(|| find_truths(facts))
}

fn find_truths(facts: &Facts<'_>) -> Vec<bool> {
    let results = &facts.history.results;
    if results.is_empty() {
        return Vec::new();
    }
    // Few results are read after most runs, so only their attempts are kept.
    let mut made: IdMap<Option<&Made<'_>>> =
        results.iter().map(|read| (read.request_id, None)).collect();
    for one in facts.made() {
        if let Some(kept) = made.get_mut(&one.request_id) {
            *kept = Some(one);
        }
    }
    let settled = Settled::of(facts);
    let others = facts.orders.iter().filter(|_| !facts.tells.once);
    let others: HashSet<&OrderId> = others.filter_map(|row| row.status.order_id()).collect();
    // Without ids, what has become of a buyer's earlier attempt may look like the new one's row.
    let before = facts.history.before.values().filter(|row| row.status == Status::Queued);
    let had_queued: HashSet<&str> =
        before.filter(|_| !facts.tells.request_ids).map(|row| &*row.uid).collect();
    let ledger_us = ledger_us(facts);
    let is_true = |read: &ResultRead| {
        let made = made.get(&read.request_id).copied().flatten();
        let accepted = made.filter(|made| made.entry.answered != Answered::Unknown);
        let row = made.map_or_else(|| facts.row_of(&read.request_id), |made| made.row);
        match (&read.status, row) {
            (Some(Status::Lost(Loss::Foreign)), _) => false,
            (Some(status), None) if !facts.tells.is_everything() => {
                accepted.is_some() || !is_missing(facts, status, &read.request_id)
            }
            (None, Some(_)) if !facts.tells.request_ids => true,
            (Some(status), Some(row)) if !facts.tells.request_ids => {
                agrees_in_parts(status, row) || had_queued.contains(&*row.uid)
            }
            (Some(_), Some(_)) if was_not_sent(made, read) => false,
            (Some(Status::Queued), Some(_)) if was_decided_before(facts, read) => false,
            (Some(Status::Queued), Some(row)) if row.status != Status::Queued => {
                let was_read =
                    facts.history.ledger_us > 0 && read.sent_us > facts.history.ledger_us;
                !was_read && (accepted.is_none() || !settled.was_decided(read))
            }
            (Some(Status::Queued), Some(_)) => true,
            // An attempt whose request timed out may have had its effect after the ledger was read.
            (Some(_), Some(Row { status: Status::Queued, .. })) => {
                let is_older = read.answered_us > 0 && read.answered_us <= ledger_us;
                (!facts.is_settled || accepted.is_none()) && !is_older
            }
            (Some(result), Some(row)) => {
                // Each request of an attempt may have made an order of its own.
                let is_of_other = || result.order_id().is_some_and(|id| others.contains(id));
                result.agrees_with(&row.status) || is_of_other()
            }
            // An accepted attempt that is not in the ledger breaks `accepted_kept` instead.
            (Some(_), None) => accepted.is_some(),
            (None, None) => true,
            (None, Some(row)) => !was_known(facts, made, row, read),
        }
    };
    results.iter().map(is_true).collect()
}

/// Whether a result of an attempt without a row shows that one is missing.
fn is_missing(facts: &Facts<'_>, status: &Status, request_id: &RequestId) -> bool {
    let has_exact_rows = facts.tells.attempts && facts.tells.request_ids;
    match status {
        Status::Won(_) => {
            has_exact_rows || (facts.is_settled && facts.missing.contains(request_id))
        }
        Status::Lost(_) | Status::Queued => has_exact_rows,
    }
}

/// Whether a result can be true beside a row that the attempt has only if its buyer has no better
/// one for it: then it is an order, or not one.
fn agrees_in_parts(status: &Status, row: &Row) -> bool {
    match (status, &row.status) {
        (Status::Won(one), Status::Won(other)) => one.agrees_with(other),
        (Status::Won(_), Status::Lost(_)) | (Status::Lost(_), Status::Won(_)) => false,
        (Status::Won(_) | Status::Lost(_) | Status::Queued, _) => true,
    }
}

/// Whether the tested system certainly knew the attempt when its result was requested.
fn was_known(facts: &Facts<'_>, made: Option<&Made<'_>>, row: &Row, read: &ResultRead) -> bool {
    // A refused attempt with a row breaks `refusals_hold` instead.
    let Some(made) = made else { return facts.history.before.contains_key(&read.request_id) };
    if made.earlier.is_some() {
        return true;
    }
    match (&made.entry.answered, made.window()) {
        (Answered::Unknown, _) => {
            facts.clock.is_some_and(|clock| clock.latest_moment(row.accepted_us) < read.sent_us)
        }
        (_, Some((_, answered_us))) => read.answered_us == 0 || answered_us < read.sent_us,
        (_, None) => true,
    }
}

/// Whether the attempt had been decided when the ledger before the run was read.
fn was_decided_before(facts: &Facts<'_>, read: &ResultRead) -> bool {
    let before = facts.history.before.get(&read.request_id);
    before.is_some_and(|row| row.status != Status::Queued)
}

/// Whether the attempt was sent only after this result of it had been answered.
fn was_not_sent(made: Option<&Made<'_>>, read: &ResultRead) -> bool {
    let new = made.filter(|made| made.earlier.is_none());
    read.answered_us > 0 && new.is_some_and(|made| read.answered_us < made.entry.sent_us)
}

/// The ledger was not requested before this moment: the bench waits for the load with all of its
/// payments, and for the state that shows that nothing is queued.
pub(super) fn ledger_us(facts: &Facts<'_>) -> u64 {
    let paid_us = facts.history.payments.iter().map(|payment| payment.answered_us).max();
    let settled_us = match Settled::of(facts) {
        Settled::Since { answered_us, .. } => answered_us,
        Settled::Never | Settled::AtSomeTime => facts.load_end_us(),
    };
    settled_us.max(paid_us.unwrap_or(0)).max(facts.history.ended_us)
}

/// Since when nothing was queued after the load.
pub(super) enum Settled {
    /// Attempts were queued until the end.
    Never,
    /// No state of the sale was kept that shows it.
    AtSomeTime,
    /// This state of the sale shows it: it was requested and answered then.
    Since { sent_us: u64, answered_us: u64 },
}

impl Settled {
    pub(super) fn of(facts: &Facts<'_>) -> Self {
        let end_us = facts.load_end_us();
        if !facts.is_settled {
            return Self::Never;
        }
        // A described shop has this one state only, if it tells what is queued.
        let mut views = facts.history.views.iter();
        match views.find(|view| view.sale.queued == 0 && view.sent_us > end_us) {
            Some(view) => Self::Since { sent_us: view.sent_us, answered_us: view.answered_us },
            None => Self::AtSomeTime,
        }
    }

    /// Whether everything that had been accepted was decided when this result was requested.
    fn was_decided(&self, read: &ResultRead) -> bool {
        match *self {
            Self::Never => false,
            Self::AtSomeTime => read.answered_us == 0,
            Self::Since { answered_us, .. } => answered_us < read.sent_us,
        }
    }
}
