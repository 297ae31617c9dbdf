//! Every order in which payments, cancellations, expiries and further attempts can meet.

use std::collections::HashMap;

use super::*;
use crate::sale::{Decision, Terms};

const STOCK: u32 = 1;

/// How long an order is held; steps are one apart.
const HOLD_US: u64 = 3;

fn sale() -> Sale {
    let terms = Terms {
        item: "tea".parse().unwrap(),
        stock: STOCK,
        per_buyer: 1,
        opens_us: None,
        closes_us: None,
        hold_us: Some(HOLD_US),
    };
    terms.check().unwrap();
    Sale::open(terms, 1)
}

fn attempt(number: u8) -> Attempt {
    Attempt {
        request_id: id(number),
        // Two attempts of each buyer, so that a place that comes back is taken again.
        buyer: format!("buyer-{}", number / 2).parse().unwrap(),
        item: "tea".parse().unwrap(),
        epoch: 1,
        seq: number.into(),
        accepted_us: 0,
    }
}

fn id(number: u8) -> RequestId {
    RequestId(uuid::Uuid::from_u128(number.into()))
}

/// One step of a sequence.
#[derive(Debug, Clone, Copy)]
enum Step {
    Buy,
    End(Ending),
    Wait,
}

const STEPS: [Step; 5] = [
    Step::Buy,
    Step::End(Ending::Pay),
    Step::End(Ending::Cancel),
    Step::End(Ending::Expire),
    Step::Wait,
];

/// A sale with the last status that was told of each order.
struct Case {
    sale: Sale,
    told: HashMap<RequestId, OrderStatus>,
    now_us: u64,
    next: u8,
}

impl Case {
    fn step(&mut self, step: Step) {
        self.now_us += 1;
        match step {
            Step::Wait => self.now_us += HOLD_US,
            Step::Buy => {
                let attempt = attempt(self.next);
                if let Decision::Won(_) = self.sale.reserve(&attempt) {
                    let until_us = self.sale.hold(&attempt, self.now_us);
                    assert_eq!(until_us, Some(self.now_us + HOLD_US));
                    self.told.insert(attempt.request_id, OrderStatus::Held);
                }
                self.next += 1;
            }
            Step::End(ending) => (0..self.next).for_each(|number| self.end(&id(number), ending)),
        }
        self.check();
    }

    fn end(&mut self, request_id: &RequestId, ending: Ending) {
        let before = self.sale.held_order(request_id);
        let (left, orders) = (self.sale.left(), self.sale.orders());
        let ended = self.sale.end_order(request_id, ending, self.now_us);
        let Some(before) = before else {
            assert_eq!(ended, None, "the attempt has no order");
            return;
        };
        let is_due = self.now_us >= before.held_until_us;
        let expected = match (before.status, ending) {
            (OrderStatus::Held, Ending::Expire) if !is_due => OrderStatus::Held,
            (OrderStatus::Held, _) if is_due => OrderStatus::Expired,
            (OrderStatus::Held, ending) => ending.status(),
            (status, _) => status,
        };
        let is_new = expected != before.status;
        assert_eq!(ended, Some(Ended { status: expected, is_new }));
        let back = i64::from(is_new && !expected.takes_unit());
        assert_eq!(self.sale.left(), left + back);
        assert_eq!(i64::from(self.sale.orders()), i64::from(orders) - back);
        let told = self.told.insert(*request_id, expected).unwrap();
        assert!(told == OrderStatus::Held || told == expected, "{told:?} became {expected:?}");
    }

    /// The stock is what is left, held and paid; and the places of the buyers are those of the
    /// orders that take a unit.
    fn check(&self) {
        let count = |status| self.told.values().filter(|told| **told == status).count();
        let (held, paid) = (count(OrderStatus::Held), count(OrderStatus::Paid));
        assert_eq!(self.sale.left() + (held + paid) as i64, i64::from(STOCK));
        assert_eq!(self.sale.orders() as usize, held + paid);
        assert_eq!(self.sale.paid() as usize, paid);
        for number in 0..self.next {
            let of_buyer = [number & !1, number | 1]
                .map(|number| self.told.get(&id(number)).is_some_and(|status| status.takes_unit()));
            let at_limit = self.sale.at_limit(&attempt(number).buyer);
            assert_eq!(at_limit, of_buyer.contains(&true), "attempt {number}");
        }
        let due = self.sale.due(self.now_us, usize::MAX);
        let is_due = |id: &RequestId| {
            let order = self.sale.held_order(id).unwrap();
            order.status == OrderStatus::Held && order.held_until_us <= self.now_us
        };
        assert_eq!(due.len(), self.told.keys().filter(|id| is_due(id)).count());
        assert!(due.iter().all(is_due));
    }
}

#[test]
fn each_order_ends_once_in_every_order_of_events() {
    let length = 6;
    for mut number in 0..STEPS.len().pow(length) {
        let (told, now_us, next) = (HashMap::new(), 0, 0);
        let mut case = Case { sale: sale(), told, now_us, next };
        for _ in 0..length {
            case.step(STEPS[number % STEPS.len()]);
            number /= STEPS.len();
        }
    }
}

#[test]
fn unit_that_came_back_is_sold_to_the_next_buyer() {
    let mut sale = sale();
    assert!(matches!(sale.reserve(&attempt(0)), Decision::Won(_)));
    assert_eq!(sale.hold(&attempt(0), 10), Some(13));
    assert!(matches!(sale.reserve(&attempt(2)), Decision::Lost(_)));
    assert_eq!(sale.due(12, 9), []);
    assert_eq!(sale.due(13, 9), [id(0)]);
    let expired = Ended { status: OrderStatus::Expired, is_new: true };
    // A late payment is refused, and ends the order: no later payment can be honoured.
    assert_eq!(sale.end_order(&id(0), Ending::Pay, 13), Some(expired));
    let won = sale.reserve(&attempt(2));
    assert!(matches!(&won, Decision::Won(id) if id.as_str() == "tea-1-2"), "{won:?}");
    sale.hold(&attempt(2), 14);
    let paid = sale.end_order(&id(2), Ending::Pay, 15);
    assert_eq!(paid, Some(Ended { status: OrderStatus::Paid, is_new: true }));
    assert_eq!((sale.left(), sale.orders(), sale.paid()), (0, 1, 1));
}

#[test]
fn sale_without_a_hold_keeps_every_order() {
    let terms = Terms { hold_us: None, ..sale().terms().clone() };
    let mut sale = Sale::open(terms, 1);
    assert!(matches!(sale.reserve(&attempt(0)), Decision::Won(_)));
    assert_eq!(sale.hold(&attempt(0), 10), None);
    for ending in Ending::ALL {
        assert_eq!(sale.end_order(&id(0), ending, u64::MAX), None);
    }
    assert_eq!(sale.due(u64::MAX, 9), []);
    assert_eq!((sale.left(), sale.orders()), (0, 1));
}
