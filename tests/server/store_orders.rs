//! Held orders in the store: random payments, cancellations, sweeps and restarts against a model.

use std::collections::BTreeMap;
use std::sync::Arc;

use seckill::api::OrderStatus;
use seckill::sale::{Attempt, Decision, Ending, Order, Terms};
use seckill::store::{Decided, OrderRef, Store};

use crate::store::{Place, every_store};
use crate::support::order_numbers::OrderNumbers;
use crate::support::seeded::Random;
use crate::support::{id, terms, within};

const HOLD_US: u64 = 20;
const STOCK: u32 = 8;
const BUYERS: u64 = 12;
const STEPS: usize = 400;

/// What the store must know.
struct Model {
    now_us: u64,
    attempts: usize,
    /// Every order, by the number of the attempt that won it.
    orders: BTreeMap<usize, (Arc<Decided>, Order)>,
    /// If the stock is in several buckets.
    numbers: Option<OrderNumbers>,
}

impl Model {
    fn taken(&self) -> usize {
        self.orders.values().filter(|(_, order)| order.status.takes_unit()).count()
    }

    fn paid(&self) -> usize {
        let paid = |order: &Order| order.status == OrderStatus::Paid;
        self.orders.values().filter(|(_, order)| paid(order)).count()
    }

    fn has_unit(&self, buyer: &str) -> bool {
        let mut orders = self.orders.values();
        orders.any(|(decided, order)| {
            decided.attempt.buyer.as_str() == buyer && order.status.takes_unit()
        })
    }

    async fn buy(&mut self, store: &Store, buyer: String) {
        self.attempts += 1;
        let number = self.attempts;
        let attempt = Arc::new(Attempt {
            request_id: id(number).parse().unwrap(),
            buyer: buyer.parse().unwrap(),
            item: "tea".parse().unwrap(),
            epoch: 1,
            seq: number as u64,
            accepted_us: 1,
        });
        let reserved = within(store.reserve(&[attempt], self.now_us)).await.unwrap();
        let decided = within(store.commit(reserved)).await.unwrap().remove(0);
        // Where both are true, a bucket without units says that the buyer is at the limit.
        let says_limit = self.numbers.is_some() && self.has_unit(&buyer);
        let expected = if self.taken() == STOCK as usize && !says_limit {
            "lost sold_out".to_owned()
        } else if self.has_unit(&buyer) {
            "lost already_bought".to_owned()
        } else {
            format!("won tea-1-{}", self.orders.len() + 1)
        };
        let numbered = match &mut self.numbers {
            Some(numbers) => numbers.of_decided(vec![Arc::clone(&decided)]).remove(0),
            None => Arc::clone(&decided),
        };
        assert_eq!(numbered.decision.to_string(), expected);
        if let Some(held_until_us) = decided.held_until_us {
            assert_eq!(held_until_us, self.now_us + HOLD_US);
            let order = Order { status: OrderStatus::Held, held_until_us, ended_us: None };
            self.orders.insert(number, (decided, order));
        }
    }

    async fn end(&mut self, store: &Store, at: usize, ending: Ending) {
        let now_us = self.now_us;
        let Some((_, (decided, order))) = self.orders.iter_mut().nth(at) else { return };
        let Decision::Won(order_id) = &decided.decision else { panic!("{decided:?}") };
        let request_id = decided.attempt.request_id;
        let named = OrderRef { order_id: order_id.clone(), request_id };
        expire(order, now_us);
        if order.status == OrderStatus::Held && ending != Ending::Expire {
            (order.status, order.ended_us) = (ending.status(), Some(now_us));
        }
        let status = within(store.end_order(&named, ending, now_us)).await.unwrap();
        assert_eq!(status, Some(order.status), "{ending:?} of {order_id} at {now_us}");
    }

    async fn sweep(&mut self, store: &Store) {
        // Two sweeps at a time, as by two consumers.
        let sweeps = [0; 2].map(|_| store.expire_due(self.now_us, 100));
        let [one, other] = sweeps.map(|sweep| Box::pin(within(sweep)));
        let (one, other) = tokio::join!(one, other);
        let due = self.orders.values_mut().filter_map(|(_, order)| {
            let before = order.status;
            expire(order, self.now_us);
            (order.status != before).then_some(())
        });
        let due = due.count();
        assert_eq!(one.unwrap() + other.unwrap(), due);
    }

    async fn check(&self, store: &Store) {
        let sale = within(store.sale(None)).await.unwrap();
        let taken = self.taken();
        assert_eq!(sale.left, i64::from(STOCK) - taken as i64);
        assert_eq!((sale.orders, sale.paid), (taken as u64, self.paid() as u64));
        for (decided, order) in self.orders.values() {
            assert_eq!(within(store.order(decided)).await, Ok(Some(*order)));
        }
        let mut ledger = within(store.ledger(1)).await.unwrap();
        assert_eq!(ledger.sale, sale);
        let mut rows = 0;
        loop {
            let decided = within(ledger.next()).await.unwrap();
            if decided.is_empty() {
                break;
            }
            for decided in decided {
                rows += 1;
                let expected = self.orders.get(&rows).map(|(_, order)| *order);
                assert_eq!(ledger.order_of(&decided), expected, "attempt {rows}");
            }
        }
        assert_eq!(rows, self.attempts);
    }
}

/// An order from its deadline on.
fn expire(order: &mut Order, now_us: u64) {
    if order.status == OrderStatus::Held && now_us >= order.held_until_us {
        (order.status, order.ended_us) = (OrderStatus::Expired, Some(now_us));
    }
}

async fn run(place: &Place, seed: u64) {
    let mut store = place.open().await;
    let sale = Terms { hold_us: Some(HOLD_US), ..terms("tea", STOCK) };
    within(store.open_sale(sale)).await.unwrap();
    let is_spread = place.redis.as_ref().is_some_and(|redis| redis.buckets > 1);
    let numbers = is_spread.then(OrderNumbers::default);
    let mut model = Model { now_us: 100, attempts: 0, orders: BTreeMap::new(), numbers };
    let random = |step: usize, what: u64, below: u64| {
        Random(seed.wrapping_add(1_000 * step as u64 + what)).below(below)
    };
    for step in 0..STEPS {
        model.now_us += random(step, 1, 4);
        let last = model.orders.len().saturating_sub(5);
        let at = last + random(step, 2, 5) as usize;
        match random(step, 3, 10) {
            0..=4 => {
                let buyer = format!("buyer-{}", random(step, 4, BUYERS));
                model.buy(&store, buyer).await;
            }
            5 => model.end(&store, at, Ending::Pay).await,
            6 => model.end(&store, at, Ending::Cancel).await,
            7 => model.end(&store, at, Ending::Expire).await,
            8 => model.sweep(&store).await,
            _ => {
                // Without closing it, as in a crash.
                drop(store);
                store = place.open().await;
                model.check(&store).await;
            }
        }
        if model.paid() == STOCK as usize {
            break;
        }
    }
    model.check(&store).await;
}

#[tokio::test]
async fn orders_end_as_in_the_model_in_every_store() {
    let seed = u64::from(std::process::id());
    println!("seed {seed}");
    every_store(async |place| run(&place, seed).await).await;
}
