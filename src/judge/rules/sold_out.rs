//! Sold out: said only when every unit is sold, and final for the sale.

use crate::history::{Answered, Loss, Refused, RequestWindow, Row, Status};
use crate::ids::RequestId;
use crate::judge::facts::{Facts, Origin};
use crate::judge::invariant::{Invariant, Witnesses};

/// Nobody may be told that no unit is left while units are left: none at all if units are left at
/// the end, none before an attempt is sent that wins, and none before enough attempts are sent that
/// can have taken the units.
pub(super) fn sold_out_true(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::SoldOutTrue);
    let left = facts.ledger.sale.stock_left;
    let refusals = facts.history.refusals.of(Refused::SoldOut);
    if let Some(tally) = refusals.filter(|_| facts.is_settled && left > 0) {
        let id = |request: &RequestWindow| facts.history.ids.request_id(request.attempt);
        let told = tally.first.iter().chain(&tally.last).chain(&tally.sample);
        let witnesses = told.map(|request| format!("{}: {left} left at the end", id(request)));
        broken.add_counted(tally.count, witnesses);
        return broken;
    }
    let Some((first, told_us)) = first_told(facts) else { return broken };
    for made in facts.made() {
        let is_won = made.row.is_some_and(|row| matches!(row.status, Status::Won(_)));
        let is_later = made.window().is_some_and(|(sent_us, _)| sent_us > told_us);
        let id = made.request_id;
        broken.add_if(is_won && is_later && made.earlier.is_none(), format_args!("{id} won later"));
    }
    if let Some(units) = units_before(facts) {
        let takers = takers(facts, told_us);
        broken.add_if(
            i128::from(takers) < units,
            format_args!("{first}: {units} units, {takers} attempts that can have taken them"),
        );
    }
    broken
}

/// The attempt that was the first of which somebody was told that no unit was left, and when: by a
/// refusal, by its decision, or by the ledger before the run.
fn first_told(facts: &Facts<'_>) -> Option<(RequestId, u64)> {
    const LOST: Status = Status::Lost(Loss::SoldOut);
    let history = facts.history;
    let refused = history.refusals.of(Refused::SoldOut).and_then(|tally| tally.first);
    let refused = refused.map(|first| (history.ids.request_id(first.attempt), first.answered_us));
    // A decision that is not the ledger's breaks another invariant.
    let is_lost = |row: Option<&Row>| row.is_some_and(|row| row.status == LOST);
    let answered = facts.accepted.iter().filter(|made| is_lost(made.row));
    let answered = answered.filter(|made| made.entry.answered == Answered::Lost(Loss::SoldOut));
    let answered = answered.map(|made| (made.request_id, made.entry.answered_us));
    let read = history.results.iter().filter(|read| read.status == Some(LOST));
    let read = read.filter(|read| is_lost(facts.row_of(&read.request_id)));
    let read = read.map(|read| (read.request_id, read.answered_us));
    let told = refused.into_iter().chain(answered).chain(read).filter(|(_, us)| *us > 0);
    let before = history.before.values().filter(|row| row.status == LOST);
    let before = before.map(|row| (row.request_id, 0));
    told.chain(before).min_by_key(|(id, us)| (*us, *id))
}

/// Units that were left before the run and not wanted by attempts that were queued, at the least;
/// `None` if no state of the sale before the run is known.
fn units_before(facts: &Facts<'_>) -> Option<i128> {
    let history = facts.history;
    let queued = || history.before.values().filter(|row| row.status == Status::Queued).count();
    let epoch = facts.ledger.sale.epoch;
    let sale = history.sale_before.as_ref().filter(|sale| sale.epoch == epoch);
    let by_ledger = sale.map(|sale| i128::from(sale.stock_left) - queued() as i128);
    let view = history.views.iter().next().filter(|view| view.sale.epoch == epoch);
    let by_view = view.map(|view| i128::from(view.sale.stock_left) - i128::from(view.sale.queued));
    by_ledger.into_iter().chain(by_view).min()
}

/// Attempts that were sent by this moment and had an effect, or may have had one. Orders that no
/// attempt of the run explains count as well: they break another invariant.
fn takers(facts: &Facts<'_>, moment_us: u64) -> u64 {
    let is_sent = |sent_us: u64| sent_us <= moment_us;
    let made = facts.made().filter(|made| is_sent(made.entry.sent_us)).count();
    let is_unexplained = |(row, origin): &(&Row, Origin)| {
        matches!(row.status, Status::Won(_)) && matches!(origin, Origin::Refused | Origin::Foreign)
    };
    (made + facts.rows().filter(is_unexplained).count()) as u64
}
