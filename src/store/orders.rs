//! The orders of a sale that holds its orders, as the store shows and ends them.

use std::collections::HashMap;

use crate::api::OrderStatus;
use crate::ids::{OrderId, RequestId};
use crate::sale::{Decision, Order};

use super::Decided;

/// An order as its buyer names it. The id of the attempt that won it proves that it is the buyer's:
/// ids of orders can be guessed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRef {
    /// The order.
    pub order_id: OrderId,
    /// The attempt that won it.
    pub request_id: RequestId,
}

impl OrderRef {
    /// Whether the attempt has won this order, and it needs a payment.
    pub(super) fn is_won_by(&self, decided: &Decided) -> bool {
        let won = matches!(&decided.decision, Decision::Won(won) if *won == self.order_id);
        won && decided.held_until_us.is_some()
    }
}

/// What has become of orders that are not held any more, and when.
#[derive(Debug, Default)]
pub(super) struct EndedOrders(pub(super) HashMap<RequestId, (OrderStatus, u64)>);

impl EndedOrders {
    /// The order that an attempt won, if it needs a payment.
    pub(super) fn order_of(&self, decided: &Decided) -> Option<Order> {
        let held_until_us = decided.held_until_us?;
        let ended = self.0.get(&decided.attempt.request_id);
        let (status, ended_us) = match ended {
            Some((status, us)) => (*status, Some(*us)),
            None => (OrderStatus::Held, None),
        };
        Some(Order { status, held_until_us, ended_us })
    }
}
