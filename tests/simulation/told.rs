//! What buyers were told, and whether it agrees with itself and with the ledger.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::shape::Shape;
use crate::support::id;

/// What the buyer of an attempt knows of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    pub(crate) buyer: usize,
    /// It was accepted, or shown as queued or decided.
    pub(crate) accepted: bool,
    /// Its decision, if it was told.
    pub(crate) decision: Option<Value>,
    /// It was refused, and no request of it got another answer or none.
    pub(crate) refused_only: bool,
}

impl Told {
    /// A buyer is told an answer, which must agree with what was told before.
    pub(crate) fn tell(&mut self, attempt: usize, code: u16, answer: &Value) -> Result<(), String> {
        let told = self;
        let wrong = |why: &str| Err(format!("{why}: attempt {attempt}, {code} {answer}, {told:?}"));
        match answer["status"].as_str().unwrap_or_default() {
            "queued" => told.accepted = true,
            "won" | "lost" => {
                let decision = json!([answer["status"], answer["reason"], answer["order_id"]]);
                if told.decision.as_ref().is_some_and(|earlier| *earlier != decision) {
                    return wrong("another decision was told before");
                }
                (told.accepted, told.decision) = (true, Some(decision));
            }
            "rejected" if answer["reason"] == "unknown_request" => {
                if told.accepted {
                    return wrong("it was accepted before");
                }
            }
            "rejected" => {
                if told.accepted {
                    return wrong("it was accepted before, and is refused");
                }
            }
            _ => told.refused_only = false,
        }
        Ok(())
    }
}

/// Checks the ledger against what buyers were told.
pub(crate) fn check(
    all: &[Told],
    shape: Shape,
    ledger: &BTreeMap<String, Value>,
) -> Result<(), String> {
    let mut orders_of = BTreeMap::<&str, u32>::new();
    let mut order_ids = BTreeSet::new();
    for row in ledger.values().filter(|row| row["status"] == "won") {
        *orders_of.entry(row["uid"].as_str().unwrap_or_default()).or_default() += 1;
        if !order_ids.insert(row["order_id"].to_string()) {
            return Err(format!("two orders have the same id: {row}"));
        }
    }
    if order_ids.len() > shape.stock as usize {
        return Err(format!("{} orders for {} units", order_ids.len(), shape.stock));
    }
    if let Some(buyer) = orders_of.iter().find(|(_, orders)| **orders > shape.per_buyer) {
        return Err(format!("more orders than allowed: {buyer:?}"));
    }
    for (attempt, told) in all.iter().enumerate() {
        let row = ledger.get(&id(attempt));
        let wrong = |why: &str| Err(format!("{why}: attempt {attempt}, {told:?}, {row:?}"));
        match row {
            None if told.accepted => return wrong("accepted and lost"),
            None => {}
            Some(_) if told.refused_only && !told.accepted => {
                return wrong("refused and in the ledger");
            }
            Some(row) if row["status"] == "queued" => return wrong("not decided"),
            Some(row) => {
                let decision = json!([row["status"], row["reason"], row["order_id"]]);
                if told.decision.as_ref().is_some_and(|told| *told != decision) {
                    return wrong("told another decision");
                }
                let left = order_ids.len() < shape.stock as usize;
                if left && row["reason"] == "sold_out" {
                    return wrong("lost as sold out while units are left");
                }
            }
        }
    }
    Ok(())
}
