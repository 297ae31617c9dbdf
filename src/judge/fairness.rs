//! How a sale treated its buyers. Figures, and no accusation: the order of decisions is not
//! promised.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::history::{Answered, Loss, Status};

use super::facts::Facts;
use super::made::Made;

/// How a sale treated its buyers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Fairness {
    /// Attempts that lost because no unit was left, although they had been accepted before the
    /// request of some winner was sent, and their buyers were below the limit.
    pub fifo_violations: u64,
    /// The largest number of such winners that were preferred to one attempt. It is 0 if there were
    /// none.
    pub largest_displacement: u64,
    /// The Gini coefficient of the orders over the buyers of this run: 0 if all have the same
    /// number, and near 1 if one has them all. It is 0 without an order.
    ///
    /// With the orders sorted, `x_1 <= … <= x_n`, it is `2 Σ i x_i / (n Σ x_i) - (n + 1) / n`:
    /// Dixon, Weiner, Mitchell-Olds and Woodley, "Bootstrapping the Gini coefficient of
    /// inequality", Ecology 68 (1987), 1548-1551.
    pub gini: f64,
}

/// Measures how a sale treated the buyers of a run, in time O(n log n). Attempts of which the times
/// are missing are left out.
pub(super) fn fairness(facts: &Facts<'_>) -> Fairness {
    let (fifo_violations, largest_displacement) = preferred(facts);
    Fairness { fifo_violations, largest_displacement, gini: gini(facts) }
}

/// The number of attempts to which a later one was preferred, and the largest number of those that
/// were preferred to one.
fn preferred(facts: &Facts<'_>) -> (u64, u64) {
    let own = || facts.made().filter(|made| made.earlier.is_none() && made.window().is_some());
    let is_won =
        |made: &&Made<'_>| made.row.is_some_and(|row| matches!(row.status, Status::Won(_)));
    let mut won_sent_us: Vec<u64> = own().filter(is_won).map(|made| made.entry.sent_us).collect();
    won_sent_us.sort_unstable();
    let limit = u64::from(facts.ledger.sale.per_buyer);
    let (mut violations, mut largest) = (0, 0);
    for made in own().filter(|made| made.entry.answered != Answered::Unknown) {
        let Some(row) = made.row.filter(|row| row.status == Status::Lost(Loss::SoldOut)) else {
            continue;
        };
        if facts.orders_of.get(&*row.uid).is_some_and(|orders| *orders >= limit) {
            continue;
        }
        let answered_us = made.entry.answered_us;
        let not_later = won_sent_us.partition_point(|sent_us| *sent_us <= answered_us);
        let later = (won_sent_us.len() - not_later) as u64;
        violations += u64::from(later > 0);
        largest = largest.max(later);
    }
    (violations, largest)
}

/// The Gini coefficient of the orders over the buyers of this run that had an effect.
fn gini(facts: &Facts<'_>) -> f64 {
    let mut orders_of: HashMap<&str, u64> = HashMap::new();
    for row in facts.made().filter_map(|made| made.row) {
        let orders = orders_of.entry(&row.uid).or_default();
        *orders += u64::from(matches!(row.status, Status::Won(_)));
    }
    gini_of(orders_of.into_values().collect())
}

fn gini_of(mut values: Vec<u64>) -> f64 {
    values.sort_unstable();
    let (n, sum) = (values.len() as f64, values.iter().sum::<u64>() as f64);
    if sum == 0.0 {
        return 0.0;
    }
    let ranked = values.iter().zip(1u64..).map(|(value, rank)| rank as f64 * *value as f64);
    2.0 * ranked.sum::<f64>() / (n * sum) - (n + 1.0) / n
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::rules::tests::scene::{Scene, order};

    #[test]
    fn attempt_that_was_accepted_before_winners_were_sent_counts_as_displaced() {
        let mut scene = Scene::new();
        let of = |scene: &Scene| fairness(&Facts::gather(&scene.history, &scene.ledger, true));
        let fair = of(&scene);
        assert_eq!((fair.fifo_violations, fair.largest_displacement), (0, 0));
        // Three of six buyers have an order each.
        assert!((fair.gini - 0.5).abs() < 1e-12, "{fair:?}");
        scene.row(0).status = Status::Lost(Loss::SoldOut);
        scene.row(3).status = order(1);
        let unfair = of(&scene);
        // The second winner was sent before the answer to the loser arrived.
        assert_eq!((unfair.fifo_violations, unfair.largest_displacement), (1, 2));
        // The times of this run say nothing about an earlier one, and may be missing.
        let loser = scene.row(0).clone();
        scene.history.before.insert(loser.request_id, loser);
        assert_eq!(of(&scene).fifo_violations, 0);
        scene.history.before.clear();
        let answered_us = std::mem::take(&mut scene.entry(0).answered_us);
        assert_eq!(of(&scene).fifo_violations, 0);
        scene.entry(0).answered_us = answered_us;
        assert_eq!(of(&scene).fifo_violations, 1);
        // A buyer at the limit loses rightly.
        scene.row(0).uid = scene.row(3).uid.clone();
        assert_eq!(of(&scene).fifo_violations, 0);
    }

    #[test]
    fn gini_is_zero_for_equal_shares_and_near_one_for_a_single_owner() {
        assert_eq!(gini_of(vec![]), 0.0);
        assert_eq!(gini_of(vec![0, 0]), 0.0);
        assert!(gini_of(vec![2; 50]).abs() < 1e-12);
        let mut one = vec![0; 99];
        one.push(7);
        assert!((gini_of(one) - 0.99).abs() < 1e-12);
        // By hand: the mean absolute difference of 1, 2 and 3 is 8 / 9, and half of that is
        // 4 / 9 of the mean, which is 2.
        assert!((gini_of(vec![3, 1, 2]) - 2.0 / 9.0).abs() < 1e-12);
    }
}
