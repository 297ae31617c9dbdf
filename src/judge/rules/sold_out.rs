//! Sold out: said only when every unit is sold, and final for the sale.

use crate::history::{Loss, Refused, RequestWindow, Row, Status};
use crate::ids::RequestId;
use crate::judge::facts::Facts;
use crate::judge::invariant::{Invariant, Witnesses};
use crate::judge::origin::Origin;

use super::holds::told_back_us;
use super::kept::kept;
use super::losses::{decided_losses, losses};
use super::orders::{moments, orders};
use super::views::by_answers;

/// Nobody may be told that no unit is left while units are left, of those that have not come back:
/// none at all if units are left at
/// the end, none before an order is made, and none before enough attempts are sent that can have
/// taken the units. A state that shows units afterwards breaks `stock_reads_bounded`.
pub(super) fn sold_out_true(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::SoldOutTrue);
    let tally = facts.history.refusals.of(Refused::SoldOut);
    let left = facts.ledger.sale.stock_left;
    let id = |request: &RequestWindow| facts.history.ids.request_id(request.attempt);
    // A loss for this reason, with units left, breaks `no_unsold_stock`.
    if let Some(tally) = tally.filter(|_| facts.has_units_left()) {
        let told = kept(tally).into_iter();
        let witnesses = told.map(|request| format!("{}: {left} left at the end", id(&request)));
        broken.add_counted(tally.count, witnesses);
        return broken;
    }
    let Some((first, told_us)) = first_told(facts) else { return broken };
    // As many as have come back may have been sold since.
    let later = orders(facts).iter().filter(|order| order.from_us > told_us);
    for order in later.skip(facts.returned()) {
        let (winner, ms) = (order.row.request_id, told_us / 1_000);
        broken
            .add(format_args!("{winner}: won, and {first} was told at {ms} ms that none is left"));
    }
    if let Some(units) = units_before(facts) {
        let takers = takers(facts, told_us);
        broken.add_if(
            i128::from(takers) < units,
            format_args!("{first}: {units} units, {takers} attempts that can have taken them"),
        );
    }
    if facts.holds && facts.is_settled && facts.tells.is_everything() {
        units_were_left(facts, &mut broken);
    }
    broken
}

/// At a sale that holds its orders, units come back: nobody is told that none is left after a state
/// has shown more of them than orders can have been made since.
fn units_were_left(facts: &Facts<'_>, broken: &mut Witnesses) {
    let views = by_answers(facts);
    let orders = orders(facts);
    let from_us = moments(orders, |order| order.from_us);
    let by_us = moments(orders, |order| order.by_us);
    let refused = facts.history.refusals.of(Refused::SoldOut).map(kept);
    let lost = decided_losses(facts, Loss::SoldOut);
    let told_back_us = told_back_us(facts);
    let won = |row: &&Row| matches!(row.status, Status::Won(_));
    let before = facts.history.before.values().filter(won).count();
    for request in refused.into_iter().flatten().chain(lost) {
        let taken = before + from_us.partition_point(|us| *us <= request.answered_us);
        let back = told_back_us.partition_point(|us| *us < request.sent_us);
        let taken = taken.saturating_sub(back);
        if (taken as u64) < facts.ledger.sale.stock {
            let (id, stock) =
                (facts.history.ids.request_id(request.attempt), facts.ledger.sale.stock);
            broken.add(format_args!("{id}: at most {taken} of {stock} units were taken"));
            continue;
        }
        let earlier = views.partition_point(|view| view.answered_us < request.sent_us);
        let Some(view) = earlier.checked_sub(1).map(|last| views[last]) else { continue };
        let made_before = by_us.partition_point(|us| *us < view.sent_us);
        let made = from_us.partition_point(|us| *us <= request.answered_us);
        let made = made.saturating_sub(made_before);
        let (left, ms) = (view.sale.stock_left, view.sent_us / 1_000);
        let id = facts.history.ids.request_id(request.attempt);
        broken.add_if(
            i128::from(left) > made as i128,
            format_args!("{id}: {left} left at {ms} ms, and at most {made} orders made since"),
        );
    }
}

/// The attempt that was the first of which somebody was told that no unit was left, and when: by a
/// refusal, as the reason of a loss, or by the ledger before the run.
pub(super) fn first_told(facts: &Facts<'_>) -> Option<(RequestId, u64)> {
    let history = facts.history;
    let refused = history.refusals.of(Refused::SoldOut).and_then(|tally| tally.first);
    let refused = refused.filter(|first| first.answered_us > 0);
    // What was lost before the run says nothing of units that may have come back since.
    let was_lost = |told: &RequestWindow| {
        let before = history.before.get(&history.ids.request_id(told.attempt));
        before.is_some_and(|row| matches!(row.status, Status::Lost(_)))
    };
    let lost = losses(facts, Loss::SoldOut).filter(|told| !facts.holds || !was_lost(told));
    let told = lost.chain(refused);
    let told = told.map(|told| (history.ids.request_id(told.attempt), told.answered_us));
    // A described shop may have got new units since, and units that were held may have come back.
    let is_of_sale = facts.tells.is_everything() && !facts.holds;
    let before = history.before.values().filter(|_| is_of_sale);
    let before = before.filter(|row| row.status == Status::Lost(Loss::SoldOut));
    let before = before.map(|row| (row.request_id, 0));
    told.chain(before).min_by_key(|(id, us)| (*us, *id))
}

/// Units that were left before the run and not wanted by attempts that were queued, at the least;
/// `None` if no state of the sale before the run is known.
fn units_before(facts: &Facts<'_>) -> Option<i128> {
    let history = facts.history;
    let queued = || history.before.values().filter(|row| row.status == Status::Queued).count();
    let epoch = facts.ledger.sale.epoch;
    // Attempts that are queued may take units, so all of them must be known.
    let is_told = facts.tells.stock && facts.tells.attempts;
    let sale = history.sale_before.as_ref().filter(|sale| is_told && sale.epoch == epoch);
    let by_ledger = sale.map(|sale| i128::from(sale.stock_left) - queued() as i128);
    let view = facts.all_views().next().filter(|view| view.sale.epoch == epoch);
    let by_view = view.map(|view| i128::from(view.sale.stock_left) - i128::from(view.sale.queued));
    by_ledger.into_iter().chain(by_view).min()
}

/// Attempts that were sent by this moment and had an effect, or may have had one. Orders that no
/// attempt of the run explains count as well: they break another invariant.
fn takers(facts: &Facts<'_>, moment_us: u64) -> u64 {
    let is_sent = |sent_us: u64| sent_us <= moment_us;
    let made = facts.made().filter(|made| is_sent(made.entry.sent_us)).count();
    let is_unexplained = |(row, origin): &(&Row, Origin)| {
        matches!(row.status, Status::Won(_))
            && matches!(origin, Origin::Refused | Origin::OtherRun | Origin::Foreign)
    };
    (made + facts.rows().filter(is_unexplained).count()) as u64
}
