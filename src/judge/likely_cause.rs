//! What usually causes a violation, where the pattern of what is broken shows it.

use super::facts::Facts;
use super::invariant::Invariant;

/// The usual cause of a violation; `broken` is everything that is.
pub(super) fn likely_cause(
    facts: &Facts<'_>,
    invariant: Invariant,
    broken: &[Invariant],
) -> Option<&'static str> {
    let (stock, left) = (i128::from(facts.ledger.sale.stock), facts.ledger.sale.stock_left);
    let has_left = facts.tells.stock;
    let counted = i128::from(left) + facts.kept.len() as i128;
    let has = |other| broken.contains(&other);
    Some(match invariant {
        Invariant::RequestIdsUnique => {
            "duplicate delivery: an attempt that was delivered again was decided again"
        }
        Invariant::BuyerLimit if has(Invariant::RequestIdsUnique) => {
            "duplicate delivery: an attempt that was delivered again was decided again"
        }
        Invariant::NeverOversold | Invariant::StockConserved
            if has_left
                && counted > stock
                && (left >= 0 || invariant == Invariant::StockConserved) =>
        {
            "a lost update, or a unit that was given back twice: the counter went down less often \
             than orders were made"
        }
        Invariant::NeverOversold => {
            "the stock was not checked in the same step in which a unit was taken, or the check \
             lets one too many pass"
        }
        Invariant::StockConserved if counted < stock => {
            "a unit was taken for an attempt that got no order, and never given back"
        }
        Invariant::BuyerLimit => {
            "the buyer's orders were counted before the order of another request of the buyer was \
             stored"
        }
        Invariant::OrderIdsUnique => {
            "order ids were taken from a counter that was read and written in two steps"
        }
        Invariant::OrdersWereSent => {
            "an attempt was sent on under a new id, for example after a confirm that came late"
        }
        Invariant::RefusalsHold => {
            "the attempt was queued before it was refused: a publish that timed out was taken for \
             one that failed, or a check came after it"
        }
        Invariant::AcceptedKept | Invariant::AcceptedDecided => {
            "a message was lost after it was accepted (published without a confirm, kept in a \
             queue that is not durable, acknowledged before its decision, or deleted with the \
             data), or a consumer took it and forgot to acknowledge or to reject it"
        }
        Invariant::SoldOutTrue | Invariant::NoUnsoldStock => {
            "units were taken and never given back, or a flag that says that the sale is sold out \
             was set too early or is never reset"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Loss, Status};
    use crate::judge::rules::tests::scene::{Scene, order};

    fn cause(scene: &Scene, invariant: Invariant) -> &'static str {
        let facts = Facts::gather(&scene.history, &scene.ledger, scene.settled);
        let broken = scene.broken();
        assert!(broken.contains(&invariant), "{broken:?}");
        likely_cause(&facts, invariant, &broken).unwrap_or_default()
    }

    #[test]
    fn counter_tells_lost_updates_from_missing_checks() {
        let lost_update = "a lost update, or a unit that was given back twice";
        for (left, orders, oversold, conserved) in [
            (0, 4, Some(lost_update), Some(lost_update)),
            (-1, 4, Some("the stock was not checked"), None),
            (-1, 5, Some("the stock was not checked"), Some(lost_update)),
            (1, 3, None, Some(lost_update)),
            (0, 2, None, Some("a unit was taken")),
        ] {
            let mut scene = Scene::new();
            for number in 0..6 {
                let won = (number as u64) < orders;
                let lost = Status::Lost(Loss::SoldOut);
                scene.row(number).status = if won { order(number as u64 + 1) } else { lost };
            }
            scene.ledger.sale.stock_left = left;
            for (invariant, expected) in
                [(Invariant::NeverOversold, oversold), (Invariant::StockConserved, conserved)]
            {
                let Some(expected) = expected else { continue };
                let found = cause(&scene, invariant);
                assert!(found.starts_with(expected), "{left} left, {orders} orders: {found}");
            }
        }
    }

    #[test]
    fn patterns_of_lost_and_repeated_messages_are_known() {
        let mut scene = Scene::new();
        scene.ledger.sale.per_buyer = 0;
        scene.ledger.rows.push(scene.ledger.rows[0].clone());
        let duplicate = "duplicate delivery: ";
        assert!(cause(&scene, Invariant::BuyerLimit).starts_with(duplicate));
        assert!(cause(&scene, Invariant::RequestIdsUnique).starts_with(duplicate));
        let mut scene = Scene::new();
        (scene.row(3).status, scene.row(3).decided_us) = (Status::Queued, None);
        assert!(cause(&scene, Invariant::AcceptedDecided).starts_with("a message was lost"));
        scene.ledger.rows.remove(3);
        assert!(cause(&scene, Invariant::AcceptedKept).starts_with("a message was lost"));
        let facts = Facts::gather(&scene.history, &scene.ledger, scene.settled);
        for (invariant, cause) in [
            (Invariant::BuyerLimit, "the buyer's orders were counted"),
            (Invariant::OrderIdsUnique, "order ids were taken from a counter"),
            (Invariant::OrdersWereSent, "an attempt was sent on under a new id"),
            (Invariant::RefusalsHold, "the attempt was queued before it was refused"),
            (Invariant::SoldOutTrue, "units were taken and never given back, or a flag"),
        ] {
            let found = likely_cause(&facts, invariant, &[invariant]).unwrap_or_default();
            assert!(found.starts_with(cause), "{invariant:?}: {found}");
        }
        // The ledger is right, and some state of the sale was not.
        assert_eq!(likely_cause(&facts, Invariant::StockConserved, &[]), None);
    }
}
