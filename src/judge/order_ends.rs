//! What became of the orders of a sale that holds them, by its ledger. Figures, and no accusation.

use serde::{Deserialize, Serialize};

use crate::history::{Ledger, OrderStatus};

/// All orders that were ever made at the sale, by what has become of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderEnds {
    /// Not paid for yet; they take a unit each.
    pub held: u64,
    /// Paid for; they take a unit each.
    pub paid: u64,
    /// Given back by their buyers; their units came back.
    pub cancelled: u64,
    /// Not paid for in time; their units came back.
    pub expired: u64,
}

impl OrderEnds {
    /// Counts the orders of a ledger; `None` if its sale holds none.
    pub(super) fn of(ledger: &Ledger) -> Option<Self> {
        ledger.sale.hold_us?;
        let mut counts = Self::default();
        for order in ledger.rows.iter().filter_map(|row| row.order.as_ref()) {
            *match order.status {
                OrderStatus::Held => &mut counts.held,
                OrderStatus::Paid => &mut counts.paid,
                OrderStatus::Cancelled => &mut counts.cancelled,
                OrderStatus::Expired => &mut counts.expired,
            } += 1;
        }
        Some(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::OrderState;
    use crate::judge::rules::tests::scene::Scene;

    #[test]
    fn orders_of_a_sale_that_holds_them_are_counted_by_what_has_become_of_them() {
        let mut scene = Scene::new();
        let mut number = 0;
        for (status, count) in [
            (OrderStatus::Held, 0),
            (OrderStatus::Paid, 1),
            (OrderStatus::Cancelled, 2),
            (OrderStatus::Expired, 3),
        ] {
            for _ in 0..count {
                let state = OrderState { status, held_until_us: 1, ended_us: Some(1) };
                scene.row(number).order = Some(Box::new(state));
                number += 1;
            }
        }
        assert_eq!(OrderEnds::of(&scene.ledger), None);
        scene.ledger.sale.hold_us = Some(1);
        let counts = OrderEnds { held: 0, paid: 1, cancelled: 2, expired: 3 };
        assert_eq!(OrderEnds::of(&scene.ledger), Some(counts));
        scene.row(0).order.as_mut().unwrap().status = OrderStatus::Held;
        let counts = OrderEnds { held: 1, paid: 0, ..counts };
        assert_eq!(OrderEnds::of(&scene.ledger), Some(counts));
    }
}
