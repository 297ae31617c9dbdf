//! The rule by which stock goes down: [`Sale::reserve`].

use crate::api::LostReason;
use crate::ids::{BuyerId, OrderId};

use super::buyers::Buyers;
use super::order::Holds;
use super::{Attempt, Decision, Terms};

/// A sale with its orders.
#[derive(Debug, Clone)]
pub struct Sale {
    terms: Terms,
    epoch: u64,
    left: i64,
    /// Orders made, those that were given back included.
    made: u32,
    /// Orders that were given back.
    pub(super) returned: u32,
    /// Orders that were paid for.
    pub(super) paid: u32,
    /// Orders of each buyer.
    pub(super) bought: Buyers,
    pub(super) holds: Holds,
}

impl Sale {
    /// Opens the `epoch`th sale of a store.
    pub fn open(terms: Terms, epoch: u64) -> Self {
        Self {
            left: terms.stock.into(),
            terms,
            epoch,
            made: 0,
            returned: 0,
            paid: 0,
            bought: Buyers::default(),
            holds: Holds::default(),
        }
    }

    /// The terms of the sale.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Which sale of its store this is.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Orders made and not given back.
    pub fn orders(&self) -> u32 {
        self.made.saturating_sub(self.returned)
    }

    /// Of the orders, those that were paid for; 0 at a sale that does not hold its orders.
    pub fn paid(&self) -> u32 {
        self.paid
    }

    /// Units not sold.
    pub fn left(&self) -> i64 {
        self.left
    }

    /// Whether this buyer has reached the limit of orders.
    pub fn at_limit(&self, buyer: &BuyerId) -> bool {
        self.bought.orders(buyer) >= self.terms.per_buyer
    }

    /// Decides one attempt. This is the only place where stock goes down; the caller ensures that
    /// each attempt is passed only once.
    pub fn reserve(&mut self, attempt: &Attempt) -> Decision {
        if attempt.epoch != self.epoch {
            return Decision::Lost(LostReason::SaleReplaced);
        }
        if self.left <= 0 {
            return Decision::Lost(LostReason::SoldOut);
        }
        if self.at_limit(&attempt.buyer) {
            return Decision::Lost(LostReason::AlreadyBought);
        }
        self.take();
        self.order(&attempt.buyer)
    }

    /// Takes one of the units left.
    pub(super) fn take(&mut self) {
        self.left -= 1;
    }

    /// Gives a unit back that was taken and not ordered.
    pub(super) fn give_back(&mut self) {
        self.left += 1;
    }

    /// Makes an order of a unit that was taken.
    pub(super) fn order(&mut self, buyer: &BuyerId) -> Decision {
        self.made += 1;
        self.bought.add(buyer);
        let number = u64::from(self.made);
        Decision::Won(OrderId::new(&self.terms.item, self.epoch, number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ItemId, RequestId};

    fn sale(stock: u32, per_buyer: u32) -> Sale {
        let item: ItemId = "tea".parse().unwrap();
        let (opens_us, closes_us) = (None, None);
        Sale::open(Terms { item, stock, per_buyer, opens_us, closes_us, hold_us: None }, 7)
    }

    fn attempt(buyer: &str, epoch: u64) -> Attempt {
        Attempt {
            request_id: RequestId::random(),
            buyer: buyer.parse().unwrap(),
            item: "tea".parse().unwrap(),
            epoch,
            seq: 0,
            accepted_us: 0,
        }
    }

    #[test]
    fn exactly_the_stock_is_sold() {
        let mut sale = sale(2, 1);
        let decisions: Vec<_> =
            ["a", "b", "c"].map(|buyer| sale.reserve(&attempt(buyer, 7))).into_iter().collect();
        assert_eq!(decisions[0], Decision::Won(OrderId::from_text("tea-7-1")));
        assert_eq!(decisions[1], Decision::Won(OrderId::from_text("tea-7-2")));
        assert_eq!(decisions[2], Decision::Lost(LostReason::SoldOut));
        assert_eq!((sale.orders(), sale.left()), (2, 0));
    }

    #[test]
    fn buyer_at_limit_loses_and_next_buyer_wins() {
        let mut sale = sale(3, 2);
        for _ in 0..2 {
            assert!(matches!(sale.reserve(&attempt("a", 7)), Decision::Won(_)));
        }
        assert_eq!(sale.reserve(&attempt("a", 7)), Decision::Lost(LostReason::AlreadyBought));
        assert!(matches!(sale.reserve(&attempt("b", 7)), Decision::Won(_)));
    }

    #[test]
    fn attempt_at_replaced_sale_loses() {
        let mut sale = sale(1, 1);
        assert_eq!(sale.reserve(&attempt("a", 6)), Decision::Lost(LostReason::SaleReplaced));
        assert_eq!(sale.left(), 1);
    }
}
