//! [`Bounds`]: how many orders a sale can have while the decisions of some attempts are not known.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::history::{Answered, History, Status};
use crate::ids::RequestId;

use super::facts::Facts;
use super::made::Made;

/// The orders that a sale has at the least and at the most, as far as the evidence goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// Orders that certainly exist.
    pub orders_min: u64,
    /// The same, and one for each attempt that may still have won.
    pub orders_max: u64,
}

impl Bounds {
    /// The bounds that a ledger gives. Once everything is decided, they are the same.
    pub(super) fn of_ledger(facts: &Facts<'_>) -> Self {
        let open = if facts.is_settled {
            0
        } else {
            let is_queued = |status: &Status| *status == Status::Queued;
            let queued = facts.ledger.rows.iter().filter(|row| is_queued(&row.status)).count();
            // Where an accepted attempt that is not decided has no row, it may still win, too.
            let accepted = if facts.tells.attempts { &[][..] } else { &facts.accepted[..] };
            let is_lost = |made: &&Made<'_>| matches!(made.entry.answered, Answered::Lost(_));
            let open = accepted.iter().filter(|made| !is_lost(made)).chain(&facts.unknown);
            queued + open.filter(|made| made.row.is_none()).count()
        };
        Self::new(facts.kept.len(), open)
    }

    /// The bounds without a ledger after the run, if buyers were told of `told` distinct orders.
    pub(super) fn of_answers(history: &History, told: usize) -> Self {
        let is_decided = |status: &Status| *status != Status::Queued;
        let decided: HashSet<RequestId> = history
            .results
            .iter()
            .filter(|read| read.status.as_ref().is_some_and(is_decided))
            .map(|read| read.request_id)
            .collect();
        let made = history
            .entries
            .iter()
            .filter(|entry| matches!(entry.answered, Answered::Accepted | Answered::Unknown))
            .map(|entry| history.ids.request_id(entry.attempt));
        let before = history.before.values().filter(|row| row.status == Status::Queued);
        let open: HashSet<RequestId> = made
            .chain(before.map(|row| row.request_id))
            .filter(|id| !decided.contains(id))
            .collect();
        Self::new(told, open.len())
    }

    fn new(certain: usize, open: usize) -> Self {
        Self { orders_min: certain as u64, orders_max: (certain + open) as u64 }
    }

    /// How much of what is not known would have to be orders for more than `stock` of them, in
    /// words; `None` if everything is known.
    pub(super) fn needed_to_oversell(self, stock: u64) -> Option<String> {
        let Self { orders_min, orders_max } = self;
        let open = orders_max.checked_sub(orders_min).filter(|open| *open > 0)?;
        let needed = (stock + 1).saturating_sub(orders_min);
        let then = if needed > open {
            "too few for an oversell".to_owned()
        } else {
            format!("of which {needed} would have to be orders for an oversell")
        };
        Some(format!(
            "certain are {orders_min} orders for {stock} units, unknown are {open} decisions, \
             {then}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Loss;
    use crate::judge::rules::tests::scene::Scene;

    #[test]
    fn words_say_how_many_unknown_decisions_an_oversell_needs() {
        let words = |min, max| {
            let bounds = Bounds { orders_min: min, orders_max: max };
            bounds.needed_to_oversell(10).unwrap_or_default()
        };
        assert_eq!(words(8, 8), "");
        assert!(words(8, 13).contains("of which 3 would have to be orders"), "{}", words(8, 13));
        assert!(words(8, 11).contains("of which 3 would have to be orders"), "{}", words(8, 11));
        assert!(words(8, 10).contains("too few"), "{}", words(8, 10));
        assert!(words(12, 13).contains("of which 0"), "{}", words(12, 13));
    }

    #[test]
    fn queued_rows_and_unknown_attempts_without_a_row_may_still_be_orders() {
        let mut scene = Scene::new();
        let bounds = |scene: &Scene, is_settled| {
            let Bounds { orders_min, orders_max } =
                Bounds::of_ledger(&Facts::gather(&scene.history, &scene.ledger, is_settled));
            (orders_min, orders_max)
        };
        assert_eq!(bounds(&scene, true), (3, 3));
        scene.row(3).status = Status::Queued;
        assert_eq!(bounds(&scene, true), (3, 3));
        assert_eq!(bounds(&scene, false), (3, 4));
        scene.ledger.rows.remove(5);
        assert_eq!(bounds(&scene, false), (3, 5));
    }

    #[test]
    fn accepted_attempts_without_a_row_may_be_orders_unless_they_were_told_of_a_loss() {
        let mut scene = Scene::new();
        scene.ledger.tells.attempts = false;
        let orders_max = |scene: &Scene| {
            Bounds::of_ledger(&Facts::gather(&scene.history, &scene.ledger, false)).orders_max
        };
        assert!(matches!(scene.entry(4).answered, Answered::Lost(_)));
        scene.ledger.rows.remove(4);
        assert_eq!(orders_max(&scene), 3);
        assert_eq!(scene.entry(3).answered, Answered::Accepted);
        scene.ledger.rows.remove(3);
        assert_eq!(orders_max(&scene), 4);
    }

    #[test]
    fn told_results_close_the_bounds_without_a_ledger() {
        let mut scene = Scene::new();
        let bounds = |scene: &Scene| {
            let Bounds { orders_min, orders_max } = Bounds::of_answers(&scene.history, 2);
            (orders_min, orders_max)
        };
        // Three attempts were only accepted, and one got no answer.
        assert_eq!(bounds(&scene), (2, 6));
        scene.read(0, Some(Status::Queued), (100, 105));
        assert_eq!(bounds(&scene), (2, 6));
        scene.read(3, Some(Status::Lost(Loss::SoldOut)), (100, 105));
        assert_eq!(bounds(&scene), (2, 5));
        scene.row(4).status = Status::Queued;
        scene.make_earlier();
        scene.history.results.clear();
        assert_eq!(bounds(&scene), (2, 3), "an attempt was queued before the run");
    }
}
