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

#[cfg(test)]
mod tests {
    use crate::history::{AttemptNo, Ids, Loss, Status};
    use crate::judge::invariant::Invariant;
    use crate::judge::rules::scene::{Scene, server_us};
    use crate::settings::Buyers;

    fn assert_insane(scene: &Scene, count: u64) {
        let found = scene.violations();
        assert_eq!(scene.broken(), [Invariant::RowsSane], "{found:?}");
        assert_eq!(found[0].count, count, "{found:?}");
    }

    #[test]
    fn positions_rise() {
        let mut scene = Scene::new();
        scene.row(2).seq = 10;
        assert_insane(&scene, 1);
        scene.row(2).seq = 5;
        assert_insane(&scene, 1);
        // Gaps are legal.
        scene.row(2).seq = 29;
        assert_eq!(scene.broken(), []);
    }

    #[test]
    fn row_that_nobody_made_is_found_though_it_is_no_order() {
        for status in [Status::Lost(Loss::SoldOut), Status::Queued] {
            let mut scene = Scene::new();
            let mut row = scene.row(5).clone();
            let attempt = AttemptNo { thread: 0, index: 0 };
            row.request_id = Ids::new(9, Buyers::New).request_id(attempt);
            (row.seq, row.status) = (60, status);
            row.decided_us = None;
            scene.ledger.rows.push(row);
            assert_insane(&scene, 1);
        }
    }

    #[test]
    fn rows_before_the_run_do_not_change() {
        let earlier = || {
            let mut scene = Scene::new();
            scene.make_earlier();
            assert_eq!(scene.broken(), []);
            scene
        };
        let mut scene = earlier();
        scene.row(0).uid = "somebody".into();
        scene.row(1).accepted_us += 1;
        scene.row(2).decided_us = Some(server_us(99));
        scene.row(3).item = "coffee".into();
        scene.row(5).seq = 51;
        assert_insane(&scene, 5);
        // Attempts that were queued are decided meanwhile, unless the server says that all were.
        let mut scene = earlier();
        let before = scene.history.before.get_mut(&scene.ledger.rows[3].request_id).unwrap();
        (before.status, before.decided_us) = (Status::Queued, None);
        assert_eq!(scene.broken(), []);
        (scene.row(3).status, scene.row(3).decided_us) = (Status::Queued, None);
        assert_insane(&scene, 1);
        scene.settled = false;
        assert_eq!(scene.broken(), []);
    }

    #[test]
    fn decisions_follow_acceptance_as_far_as_clocks_agree() {
        let mut scene = Scene::new();
        scene.row(3).decided_us = Some(server_us(48) - 59_000_000);
        assert_eq!(scene.broken(), []);
        scene.row(3).decided_us = Some(server_us(48) - 61_000_000);
        assert_insane(&scene, 1);
    }

    #[test]
    fn rows_are_accepted_during_the_run() {
        let year_2001 = 978_307_200_000_000;
        let mut scene = Scene::new();
        scene.row(3).accepted_us = year_2001;
        assert_insane(&scene, 1);
        scene.row(5).accepted_us = year_2001;
        assert_insane(&scene, 2);
        scene.ledger.rows.iter_mut().for_each(|row| row.accepted_us = year_2001);
        assert_insane(&scene, 1);
    }

    #[test]
    fn effect_of_a_timed_out_request_may_come_much_later() {
        let mut scene = Scene::new();
        scene.row(5).accepted_us = server_us(500_000);
        scene.row(5).decided_us = Some(server_us(500_001));
        assert_eq!(scene.broken(), []);
    }

    #[test]
    fn two_clocks_that_differ_are_legal() {
        let mut scene = Scene::new();
        scene.row(3).accepted_us += 40_000_000;
        scene.row(4).accepted_us -= 40_000_000;
        assert_eq!(scene.broken(), []);
    }
}
