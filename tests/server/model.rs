//! Whatever happens between acceptance and ack, the outcome equals that of deciding the attempts
//! one after another in the order of their acceptance.

use std::collections::HashMap;

use proptest::prelude::*;
use seckill::sale::Terms;

use crate::support::{Setup, Shop, attempt, id, terms, within};

const PER_BUYER: u32 = 2;

/// A step of a random run.
#[derive(Debug, Clone, Copy)]
enum Step {
    Accept {
        buyer: usize,
    },
    /// Publish the same attempt again, whatever its state.
    Retry {
        nth: usize,
    },
    /// A consumer works up to this stage and stops.
    Take {
        max: usize,
        stop: Stop,
    },
    Restart,
    Crash,
}

#[derive(Debug, Clone, Copy)]
enum Stop {
    AtOnce,
    BeforeCommit,
    BeforeAck,
    Never,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let stop = prop_oneof![
        1 => Just(Stop::AtOnce),
        1 => Just(Stop::BeforeCommit),
        1 => Just(Stop::BeforeAck),
        3 => Just(Stop::Never)
    ];
    let step = prop_oneof![
        8 => (0..5_usize).prop_map(|buyer| Step::Accept { buyer }),
        2 => (0..40_usize).prop_map(|nth| Step::Retry { nth }),
        5 => (1..4_usize, stop).prop_map(|(max, stop)| Step::Take { max, stop }),
        1 => Just(Step::Restart),
        1 => Just(Step::Crash),
    ];
    prop::collection::vec(step, 0..40)
}

/// The outcome of each buyer's attempt: the order's number, if it has one.
fn expected(buyers: &[usize], stock: u32) -> Vec<Option<u32>> {
    let (mut orders, mut bought) = (0, HashMap::<_, u32>::new());
    let decide = |buyer: &usize| {
        let bought = bought.entry(*buyer).or_default();
        let wins = orders < stock && *bought < PER_BUYER;
        wins.then(|| {
            *bought += 1;
            orders += 1;
            orders
        })
    };
    buyers.iter().map(decide).collect()
}

async fn accept(shop: &Shop, number: usize, buyer: usize, is_retry: bool) {
    let attempt = attempt(&format!("buyer-{buyer}"), "tea", &id(number));
    match shop.publish(attempt).await {
        Ok(()) => {}
        Err(error) => panic!("{error}, is_retry {is_retry}"),
    }
}

async fn take(shop: &Shop, max: usize, stop: Stop) {
    if shop.depth().await == 0 {
        return;
    }
    let mut batch = shop.next(max).await;
    if matches!(stop, Stop::AtOnce) {
        return;
    }
    let reserved = within(shop.app.store.reserve(batch.attempts(), 1)).await.unwrap();
    batch.release_item();
    if matches!(stop, Stop::BeforeCommit) {
        return;
    }
    within(shop.app.store.commit(reserved)).await.unwrap();
    if matches!(stop, Stop::Never) {
        within(batch.ack()).await;
    }
}

/// Runs the steps, decides the remaining attempts, and returns each attempt's order number.
async fn outcomes(stock: u32, steps: &[Step]) -> (Vec<usize>, Vec<Option<u32>>) {
    let sale = Terms { per_buyer: PER_BUYER, ..terms("tea", stock) };
    let mut shop = Shop::open(Setup { sale: Some(sale), ..Setup::stock(0) }).await;
    let mut buyers = Vec::new();
    for step in steps {
        match *step {
            Step::Accept { buyer } => {
                accept(&shop, buyers.len(), buyer, false).await;
                buyers.push(buyer);
            }
            Step::Retry { nth } => {
                if let Some(buyer) = buyers.get(nth) {
                    accept(&shop, nth, *buyer, true).await;
                }
            }
            Step::Take { max, stop } => take(&shop, max, stop).await,
            Step::Restart => shop = shop.restart(),
            Step::Crash => shop = shop.after_crash(),
        }
    }
    shop.decide_all().await;
    let mut orders = Vec::new();
    for number in 0..buyers.len() {
        let decided = shop.decided(&id(number)).await.unwrap();
        let decision = decided.decision.to_string();
        let order = decision.strip_prefix("won tea-1-").map(|number| number.parse().unwrap());
        assert!(order.is_some() || decision.starts_with("lost "), "{decision}");
        orders.push(order);
    }
    let sale = shop.sale().await;
    assert_eq!(sale.orders as usize, orders.iter().flatten().count());
    assert_eq!(shop.depth().await, 0);
    (buyers, orders)
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 100, failure_persistence: None, ..Default::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn outcome_equals_that_of_a_single_reliable_consumer(
        stock in 0..12_u32,
        steps in steps(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (buyers, orders) = runtime.block_on(outcomes(stock, &steps));
        prop_assert_eq!(orders, expected(&buyers, stock));
    }
}
