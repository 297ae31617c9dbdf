//! Time: attempts are accepted within the hours of the sale.

use crate::history::{Answered, Status};
use crate::judge::facts::Facts;
use crate::judge::invariant::{Invariant, Witnesses};

/// Checks that each accepted attempt of this run was sent before the closing and answered after the
/// opening, as far as the clocks of the tested system are bounded. Of those without an answer, the
/// ledger shows which were accepted.
pub(super) fn within_hours(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::WithinHours);
    let Some((hours, clock)) = facts.hours().zip(facts.clock) else { return broken };
    let opens_us = hours.opens_us.map(|us| clock.earliest_moment(us));
    let closed_us = hours.closes_us.map(|us| clock.latest_moment(us));
    for made in facts.made().filter(|made| made.earlier.is_none() && made.row.is_some()) {
        let Some((sent_us, answered_us)) = made.window() else { continue };
        // An attempt without an answer may have been accepted later.
        let is_answered = made.entry.answered != Answered::Unknown;
        let id = made.request_id;
        let became = match made.row.map(|row| &row.status) {
            Some(Status::Won(_)) => "won",
            _ => "was accepted",
        };
        if is_answered && opens_us.is_some_and(|opens_us| answered_us < opens_us) {
            broken.add(format_args!("{id}: answered before the opening, and {became}"));
        } else if closed_us.is_some_and(|closed_us| sent_us > closed_us) {
            broken.add(format_args!("{id}: sent after the closing, and {became}"));
        }
    }
    broken
}
