//! Sold out: said only when every unit is sold, and final for the sale.

use crate::history::{Refused, RequestWindow, Status};
use crate::judge::facts::{Facts, Origin};
use crate::judge::invariant::{Invariant, Witnesses};

/// Nobody may be told that no unit is left while units are left: none at all if units are left at
/// the end, none before an attempt is sent that wins, and none before enough attempts are sent that
/// can have taken the units.
pub(super) fn sold_out_true(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::SoldOutTrue);
    let Some(tally) = facts.history.refusals.of(Refused::SoldOut) else { return broken };
    let left = facts.ledger.sale.stock_left;
    let id = |request: &RequestWindow| facts.history.ids.request_id(request.attempt);
    if facts.is_settled && left > 0 {
        let told = tally.first.iter().chain(&tally.last).chain(&tally.sample);
        let witnesses = told.map(|request| format!("{}: {left} left at the end", id(request)));
        broken.add_counted(tally.count, witnesses);
        return broken;
    }
    let Some(first) = tally.first.filter(|first| first.answered_us > 0) else { return broken };
    for made in facts.made() {
        let is_won = made.row.is_some_and(|row| matches!(row.status, Status::Won(_)));
        let is_later = made.window().is_some_and(|(sent_us, _)| sent_us > first.answered_us);
        let id = made.request_id;
        broken.add_if(is_won && is_later && made.earlier.is_none(), format_args!("{id} won later"));
    }
    if let Some(units) = units_before(facts) {
        let takers = takers(facts, first.answered_us);
        broken.add_if(
            i128::from(takers) < units,
            format_args!(
                "{}: {units} units, {takers} attempts that can have taken them",
                id(&first)
            ),
        );
    }
    broken
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
    let is_unexplained = |(row, origin): &(&crate::history::Row, Origin)| {
        matches!(row.status, Status::Won(_)) && matches!(origin, Origin::Refused | Origin::Foreign)
    };
    (made + facts.rows().filter(is_unexplained).count()) as u64
}

#[cfg(test)]
mod tests {
    use crate::history::{Answered, Refused};
    use crate::judge::invariant::Invariant;
    use crate::judge::rules::scene::Scene;

    #[test]
    fn sold_out_with_units_left_at_the_end_is_false() {
        let mut scene = Scene::new();
        scene.refuse(Refused::SoldOut, 60, 70);
        assert_eq!(scene.broken(), []);
        scene.set_stock(4);
        assert_eq!(scene.broken(), [Invariant::SoldOutTrue, Invariant::NoUnsoldStock]);
        scene.settled = false;
        assert_eq!(scene.broken(), []);
    }

    #[test]
    fn no_attempt_wins_that_was_sent_after_sold_out_was_told() {
        let mut scene = Scene::new();
        scene.history.sale_before = None;
        scene.history.views = Default::default();
        scene.refuse(Refused::SoldOut, 35, 39);
        let found = scene.violations();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].invariant, found[0].count), (Invariant::SoldOutTrue, 1));
        assert_eq!(found[0].witnesses, [format!("{} won later", scene.id(2))]);
    }

    #[test]
    fn attempt_in_flight_while_sold_out_was_told_may_win() {
        let mut scene = Scene::new();
        scene.refuse(Refused::SoldOut, 25, 41);
        assert_eq!(scene.broken(), []);
        for number in 0..3 {
            scene.entry(number).answered = Answered::Unknown;
        }
        assert_eq!(scene.broken(), []);
    }

    #[test]
    fn units_cannot_be_gone_before_enough_attempts_were_sent() {
        let mut scene = Scene::new();
        // Two attempts cannot have taken three units, and the third one was sent later and won.
        scene.refuse(Refused::SoldOut, 22, 28);
        assert_eq!(scene.broken(), [Invariant::SoldOutTrue]);
        assert_eq!(scene.violations()[0].count, 2);
        scene.change_views(|at, sale| sale.queued = if at == 0 { 1 } else { sale.queued });
        assert_eq!(scene.violations()[0].count, 1, "one was queued before the run");
    }

    #[test]
    fn run_against_a_sold_out_sale_is_told_so_at_once() {
        let mut scene = Scene::new();
        scene.make_earlier();
        scene.refuse(Refused::SoldOut, 1, 2);
        assert_eq!(scene.broken(), []);
    }
}
