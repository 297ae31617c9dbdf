//! Held orders: each is paid for, cancelled or expires. [`Sale::end_order`] is the one place where
//! a unit comes back.

use crate::api::OrderStatus;
use crate::ids::{BuyerId, RequestId};

use super::{Attempt, Ended, Ending, Order, Sale};

impl Sale {
    /// Begins the hold of an order that the attempt has just won. Returns its deadline; `None` at a
    /// sale whose orders need no payment.
    pub fn hold(&mut self, attempt: &Attempt, decided_us: u64) -> Option<u64> {
        let held_until_us = decided_us.saturating_add(self.terms().hold_us?);
        let order = Order { status: OrderStatus::Held, held_until_us, ended_us: None };
        let request_id = attempt.request_id;
        let before = self.holds.orders.insert(request_id, (attempt.buyer.clone(), order));
        if let Some((_, before)) = before {
            self.holds.deadlines.remove(&(before.held_until_us, request_id));
        }
        self.holds.deadlines.insert((held_until_us, request_id));
        Some(held_until_us)
    }

    /// Ends the hold of the order that this attempt won, if it is held. From its deadline on it
    /// expires, whatever is to end it: a late payment and a late cancellation come too late. An
    /// order that was ended stays as it is. `None` when the attempt has no order.
    ///
    /// This is the only place where a unit comes back, and with it the buyer's place.
    pub fn end_order(
        &mut self,
        request_id: &RequestId,
        ending: Ending,
        now_us: u64,
    ) -> Option<Ended> {
        let Order { status, held_until_us, .. } = self.held_order(request_id)?;
        let due = now_us >= held_until_us;
        Some(match (status, ending) {
            (OrderStatus::Held, _) if due => {
                self.give_order_back(request_id, OrderStatus::Expired, now_us)
            }
            (OrderStatus::Held, Ending::Pay) => self.keep_order(request_id, now_us),
            (OrderStatus::Held, Ending::Cancel) => {
                self.give_order_back(request_id, OrderStatus::Cancelled, now_us)
            }
            (status, _) => Ended { status, is_new: false },
        })
    }

    /// The order that this attempt won, at a sale that holds its orders.
    pub fn held_order(&self, request_id: &RequestId) -> Option<Order> {
        self.holds.orders.get(request_id).map(|(_, order)| *order)
    }

    /// Whether any order is held.
    pub fn holds_orders(&self) -> bool {
        !self.holds.deadlines.is_empty()
    }

    /// The held orders whose deadline has passed, the oldest first, at most `max`, by the attempts
    /// that won them.
    pub fn due(&self, now_us: u64, max: usize) -> Vec<RequestId> {
        let due = self.holds.deadlines.iter().take_while(|(until_us, _)| *until_us <= now_us);
        due.take(max).map(|(_, request_id)| *request_id).collect()
    }

    /// Ends an order with a payment.
    pub(super) fn keep_order(&mut self, request_id: &RequestId, now_us: u64) -> Ended {
        self.paid += 1;
        self.set_ended(request_id, OrderStatus::Paid, now_us);
        Ended { status: OrderStatus::Paid, is_new: true }
    }

    /// Ends an order, and gives its unit and its buyer's place back.
    pub(super) fn give_order_back(
        &mut self,
        request_id: &RequestId,
        status: OrderStatus,
        now_us: u64,
    ) -> Ended {
        self.give_back();
        self.returned += 1;
        if let Some(buyer) = self.set_ended(request_id, status, now_us) {
            self.bought.remove(&buyer);
        }
        Ended { status, is_new: true }
    }

    fn set_ended(
        &mut self,
        request_id: &RequestId,
        status: OrderStatus,
        now_us: u64,
    ) -> Option<BuyerId> {
        let (buyer, order) = self.holds.orders.get_mut(request_id)?;
        (order.status, order.ended_us) = (status, Some(now_us));
        self.holds.deadlines.remove(&(order.held_until_us, *request_id));
        Some(buyer.clone())
    }
}

#[cfg(test)]
mod tests;
