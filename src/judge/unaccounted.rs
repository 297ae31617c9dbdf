//! Accepted attempts of which a source of orders alone does not say what became of them.

use std::collections::{HashMap, HashSet};

use crate::history::{Answered, ResultRead, Status};
use crate::ids::RequestId;

use super::facts::Facts;

/// Why a run proves nothing about accepted attempts: buyers have no order although units are left.
/// They may have lost for a reason that nobody tells, or their attempts may be lost. `None` if
/// there are none of them, or the source has every attempt.
pub(super) fn unaccounted(facts: &Facts<'_>) -> Option<String> {
    if let Some(because) = still_queued(facts) {
        return Some(because);
    }
    if facts.tells.attempts || !facts.has_units_left() {
        return None;
    }
    let is_loss = |status: &Option<Status>| matches!(status, Some(Status::Lost(_)));
    let results = facts.history.results.iter().filter(|read| is_loss(&read.status));
    let lost: HashSet<RequestId> = results.map(|read| read.request_id).collect();
    let ids = facts.history.ids;
    let undecided = facts.accepted.iter().filter(|made| {
        let is_accepted = made.entry.answered == Answered::Accepted;
        is_accepted && made.row.is_none() && !lost.contains(&made.request_id)
    });
    let buyers = undecided.map(|made| ids.buyer(made.entry.attempt));
    let buyers: HashSet<_> =
        buyers.filter(|buyer| !facts.orders_of.contains_key(&*buyer.to_string())).collect();
    // Orders without names may be those of any of them.
    let nameless = if facts.tells.names() { 0 } else { facts.orders.len() };
    let count = buyers.len().saturating_sub(nameless);
    let left = facts.ledger.sale.stock_left;
    (count > 0).then(|| {
        format!(
            "{count} accepted buyers have no order although {left} units are left: they lost for \
             a reason that is not told, or their attempts are lost"
        )
    })
}

/// Attempts of a described shop whose last result says that they are queued, without an order.
fn still_queued(facts: &Facts<'_>) -> Option<String> {
    if facts.tells.is_everything() {
        return None;
    }
    let mut last: HashMap<RequestId, &ResultRead> = HashMap::new();
    for read in &facts.history.results {
        let kept = last.entry(read.request_id).or_insert(read);
        if read.sent_us >= kept.sent_us {
            *kept = read;
        }
    }
    let is_queued = |read: &&&ResultRead| {
        read.status == Some(Status::Queued) && facts.row_of(&read.request_id).is_none()
    };
    let count = last.values().filter(is_queued).count();
    (count > 0).then(|| format!("the results of {count} attempts still say that they are queued"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Loss, Tells};
    use crate::judge::rules::tests::scene::Scene;

    const LOST: Status = Status::Lost(Loss::Unstated);

    /// A run at a shop that lists its orders with their buyers, and has one unit left: one buyer
    /// was accepted and has no order.
    fn listed() -> Scene {
        let mut scene = Scene::new();
        scene.set_stock(4);
        scene.ledger.tells = Tells { buyers: true, stock: true, ..Tells::COUNT };
        scene.ledger.rows.truncate(3);
        scene
    }

    fn read(scene: &mut Scene, number: usize, status: Status, window: (u64, u64)) {
        let request_id = scene.history.ids.request_id(scene.history.entries[number].attempt);
        scene.read(0, Some(status), window);
        scene.history.results.last_mut().unwrap().request_id = request_id;
    }

    fn words(scene: &Scene) -> String {
        unaccounted(&Facts::gather(&scene.history, &scene.ledger, true)).unwrap_or_default()
    }

    #[test]
    fn accepted_buyers_without_an_order_count_while_their_loss_is_not_told() {
        let mut scene = listed();
        assert!(words(&scene).starts_with("1 accepted buyers have no order"), "{}", words(&scene));
        read(&mut scene, 3, LOST, (300, 310));
        assert_eq!(words(&scene), "");
        scene.history.results.clear();
        scene.entry(3).answered = Answered::Lost(Loss::Unstated);
        assert_eq!(words(&scene), "");
    }

    #[test]
    fn attempt_is_queued_if_its_last_result_says_so() {
        for (first, last, is_queued) in
            [(Status::Queued, LOST, false), (LOST, Status::Queued, true)]
        {
            for is_reversed in [false, true] {
                let mut scene = listed();
                read(&mut scene, 3, first.clone(), (300, 310));
                read(&mut scene, 3, last.clone(), (320, 330));
                if is_reversed {
                    scene.history.results.reverse();
                }
                let is_told = words(&scene).starts_with("the results of 1 attempts still say");
                assert_eq!(is_told, is_queued, "{first:?}, {last:?}: {}", words(&scene));
            }
        }
    }

    #[test]
    fn attempt_with_an_order_is_not_queued_whatever_its_result_says() {
        let mut scene = listed();
        scene.entry(3).answered = Answered::Lost(Loss::Unstated);
        read(&mut scene, 0, Status::Queued, (300, 310));
        assert_eq!(words(&scene), "");
    }
}
