//! The rule by which stock goes down: [`Sale::reserve`].

use std::collections::HashMap;

use crate::api::LostReason;
use crate::ids::{BuyerId, ItemId, OrderId, RequestId};

use super::Decision;

/// What is on offer, when, and how much of it one buyer may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The item.
    pub item: ItemId,
    /// Units at the opening.
    pub stock: u32,
    /// Orders that one buyer may have; at least 1.
    pub per_buyer: u32,
    /// Opening, in microseconds since the Unix epoch; at once when `None`.
    pub opens_us: Option<u64>,
    /// Closing, in microseconds since the Unix epoch; never when `None`.
    pub closes_us: Option<u64>,
}

/// Where a sale is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Before `opens_us`.
    NotOpen,
    /// Attempts are accepted.
    Open,
    /// From `closes_us` on.
    Closed,
}

impl Terms {
    /// Whether such a sale can be held.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), String> {
        if self.per_buyer == 0 {
            return Err("per_buyer must be at least 1".into());
        }
        match (self.opens_us, self.closes_us) {
            (opens, Some(closes)) if opens.unwrap_or(0) >= closes => {
                Err("the sale closes before it opens".into())
            }
            _ => Ok(()),
        }
    }

    /// The phase at a moment in microseconds since the Unix epoch.
    pub fn phase(&self, now_us: u64) -> Phase {
        if self.closes_us.is_some_and(|closes_us| now_us >= closes_us) {
            Phase::Closed
        } else if self.opens_us.is_some_and(|opens_us| now_us < opens_us) {
            Phase::NotOpen
        } else {
            Phase::Open
        }
    }
}

/// One purchase request, as it was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its idempotency key.
    pub request_id: RequestId,
    /// Who buys.
    pub buyer: BuyerId,
    /// What.
    pub item: ItemId,
    /// Which sale of that item: an attempt never wins in a later one.
    pub epoch: u64,
    /// Position in the order of acceptance.
    pub seq: u64,
    /// When it was accepted, in microseconds since the Unix epoch.
    pub accepted_us: u64,
}

/// What a client asked for, before it has a place in the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAttempt {
    /// Its idempotency key.
    pub request_id: RequestId,
    /// Who buys.
    pub buyer: BuyerId,
    /// What.
    pub item: ItemId,
    /// Which sale of that item.
    pub epoch: u64,
    /// When it came, in microseconds since the Unix epoch.
    pub accepted_us: u64,
}

impl NewAttempt {
    /// The attempt in its place.
    pub fn at(self, seq: u64) -> Attempt {
        let Self { request_id, buyer, item, epoch, accepted_us } = self;
        Attempt { request_id, buyer, item, epoch, seq, accepted_us }
    }
}

/// A sale under way.
#[derive(Debug, Clone)]
pub struct Sale {
    terms: Terms,
    epoch: u64,
    orders: u32,
    bought: HashMap<BuyerId, u32>,
}

impl Sale {
    /// Opens the `epoch`th sale of a store.
    pub fn open(terms: Terms, epoch: u64) -> Self {
        Self { terms, epoch, orders: 0, bought: HashMap::new() }
    }

    /// What is on offer.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Which sale of its store this is.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Orders made.
    pub fn orders(&self) -> u32 {
        self.orders
    }

    /// Units not sold.
    pub fn left(&self) -> u32 {
        self.terms.stock - self.orders
    }

    /// Whether this buyer has as many orders as one buyer may have.
    pub fn at_limit(&self, buyer: &BuyerId) -> bool {
        self.bought.get(buyer).is_some_and(|orders| *orders >= self.terms.per_buyer)
    }

    /// Decides one attempt. The only place where stock goes down; the caller makes sure that an
    /// attempt comes here once.
    pub fn reserve(&mut self, attempt: &Attempt) -> Decision {
        if attempt.epoch != self.epoch {
            return Decision::Lost(LostReason::SaleReplaced);
        }
        if self.left() == 0 {
            return Decision::Lost(LostReason::SoldOut);
        }
        if self.at_limit(&attempt.buyer) {
            return Decision::Lost(LostReason::AlreadyBought);
        }
        self.orders += 1;
        *self.bought.entry(attempt.buyer.clone()).or_default() += 1;
        let number = u64::from(self.orders);
        Decision::Won(OrderId::new(&self.terms.item, self.epoch, number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sale(stock: u32, per_buyer: u32) -> Sale {
        let item: ItemId = "tea".parse().unwrap();
        Sale::open(Terms { item, stock, per_buyer, opens_us: None, closes_us: None }, 7)
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
    fn sells_exactly_the_stock() {
        let mut sale = sale(2, 1);
        let decisions: Vec<_> =
            ["a", "b", "c"].map(|buyer| sale.reserve(&attempt(buyer, 7))).into_iter().collect();
        assert_eq!(decisions[0], Decision::Won(OrderId::from_text("tea-7-1")));
        assert_eq!(decisions[1], Decision::Won(OrderId::from_text("tea-7-2")));
        assert_eq!(decisions[2], Decision::Lost(LostReason::SoldOut));
        assert_eq!((sale.orders(), sale.left()), (2, 0));
    }

    #[test]
    fn holds_the_limit_and_gives_the_unit_to_the_next() {
        let mut sale = sale(3, 2);
        for _ in 0..2 {
            assert!(matches!(sale.reserve(&attempt("a", 7)), Decision::Won(_)));
        }
        assert_eq!(sale.reserve(&attempt("a", 7)), Decision::Lost(LostReason::AlreadyBought));
        assert!(matches!(sale.reserve(&attempt("b", 7)), Decision::Won(_)));
    }

    #[test]
    fn an_attempt_at_an_earlier_sale_wins_nothing() {
        let mut sale = sale(1, 1);
        assert_eq!(sale.reserve(&attempt("a", 6)), Decision::Lost(LostReason::SaleReplaced));
        assert_eq!(sale.left(), 1);
    }

    #[test]
    fn opening_and_closing_are_sharp() {
        let mut terms = sale(1, 1).terms().clone();
        (terms.opens_us, terms.closes_us) = (Some(10), Some(20));
        let phases = [9, 10, 19, 20].map(|now_us| terms.phase(now_us));
        assert_eq!(phases, [Phase::NotOpen, Phase::Open, Phase::Open, Phase::Closed]);
    }
}
