//! The numbers of orders as a store with one bucket gives them. Several buckets leave gaps, so that
//! a test could not name an order.

use std::collections::BTreeMap;
use std::sync::Arc;

use seckill::ids::OrderId;
use seckill::sale::Decision;
use seckill::store::Decided;

/// The orders that were seen, as they are named in the store, each with the name that it has in one
/// bucket: numbered in the order of the decisions.
#[derive(Debug, Clone, Default)]
pub(crate) struct OrderNumbers(BTreeMap<String, String>);

impl OrderNumbers {
    /// The decisions with the numbers of one bucket.
    pub(crate) fn of_decided(&mut self, decided: Vec<Arc<Decided>>) -> Vec<Arc<Decided>> {
        let renamed = decided.into_iter().map(|one| match &one.decision {
            Decision::Won(order) => {
                let decision = Decision::Won(OrderId::from_text(self.number(order.to_string())));
                Arc::new(Decided { decision, ..(*one).clone() })
            }
            Decision::Lost(_) => one,
        });
        renamed.collect()
    }

    fn number(&mut self, order: String) -> String {
        let sale = order.rsplit_once('-').unwrap().0.to_owned();
        let of_sale = |name: &&String| name.rsplit_once('-').unwrap().0 == sale;
        let next = 1 + self.0.values().filter(of_sale).count();
        self.0.entry(order).or_insert_with(|| format!("{sale}-{next}")).clone()
    }

    /// The body of an answer, with the numbers of one bucket.
    pub(crate) fn in_body(&self, body: &str) -> String {
        let name = |text| self.0.get(text).map_or(text, String::as_str);
        body.split('"').map(name).collect::<Vec<_>>().join("\"")
    }
}
