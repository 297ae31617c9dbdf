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
    /// How its order ended, and the step in which that was told.
    pub(crate) ended: Option<(String, usize)>,
}

impl Told {
    /// Its order, if it was told to have won one.
    pub(crate) fn order_id(&self) -> Option<&str> {
        self.decision.as_ref()?[2].as_str()
    }

    /// The buyer is told an answer, which must agree with what was told before.
    pub(crate) fn tell(&mut self, sent: usize, now: usize, answer: &Value) -> Result<(), &str> {
        let is_accepted = self.accepted;
        let word = |key: &str| answer[key].as_str().unwrap_or_default();
        match (word("status"), word("reason")) {
            ("queued", _) => self.accepted = true,
            ("won" | "lost", _) => {
                let decision = json!([answer["status"], answer["reason"], answer["order_id"]]);
                if self.decision.as_ref().is_some_and(|earlier| *earlier != decision) {
                    return Err("another decision was told before");
                }
                (self.accepted, self.decision) = (true, Some(decision));
                if let Some(order) = answer["order"].as_str() {
                    return self.tell_order(order, sent, now);
                }
            }
            (end @ ("paid" | "cancelled"), _)
            | ("rejected", end @ ("paid" | "cancelled" | "expired")) => {
                return self.tell_order(end, sent, now);
            }
            ("rejected", _) if is_accepted => {
                return Err("it was accepted before, and is refused or unknown");
            }
            ("rejected", _) => {}
            _ => self.refused_only = false,
        }
        Ok(())
    }

    /// The buyer is told what has become of the order.
    fn tell_order(&mut self, status: &str, sent: usize, now: usize) -> Result<(), &str> {
        match &self.ended {
            // An answer that was made before may arrive after the one that told the end.
            Some((_, at)) if status == "held" && sent <= *at => {}
            Some((end, _)) if end != status => return Err("its order was told to have ended"),
            None if status != "held" => self.ended = Some((status.to_owned(), now)),
            _ => {}
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
    let sold = check_orders(shape, ledger)?;
    // With holds, units may have come back after an attempt was lost.
    let is_left = shape.hold_us.is_none() && sold < shape.stock as usize;
    for (attempt, told) in all.iter().enumerate() {
        let row = ledger.get(&id(attempt));
        let wrong = |why: &str| Err(format!("{why}: attempt {attempt}, {told:?}, {row:?}"));
        let Some(row) = row else {
            if told.accepted {
                return wrong("accepted and lost");
            }
            continue;
        };
        let decision = json!([row["status"], row["reason"], row["order_id"]]);
        let told_end = told.ended.as_ref().map(|(end, _)| end.as_str());
        if told.refused_only && !told.accepted {
            return wrong("refused and in the ledger");
        } else if row["status"] == "queued" {
            return wrong("not decided");
        } else if told.decision.as_ref().is_some_and(|told| *told != decision) {
            return wrong("told another decision");
        } else if told_end.is_some_and(|end| row["order"] != *end) {
            return wrong("told another end of its order");
        } else if is_left && row["reason"] == "sold_out" {
            return wrong("lost as sold out while units are left");
        }
    }
    Ok(())
}

/// Checks the orders alone. Returns how many there are that have kept their units.
fn check_orders(shape: Shape, ledger: &BTreeMap<String, Value>) -> Result<usize, String> {
    let mut orders_of = BTreeMap::<&str, u32>::new();
    let mut order_ids = BTreeSet::new();
    let mut sold = 0;
    for row in ledger.values().filter(|row| row["status"] == "won") {
        if !order_ids.insert(row["order_id"].to_string()) {
            return Err(format!("two orders have the same id: {row}"));
        }
        if row["order"].is_string() != shape.hold_us.is_some() {
            return Err(format!("an order is held at a sale without a hold, or is not: {row}"));
        }
        if row["order"] != "cancelled" && row["order"] != "expired" {
            *orders_of.entry(row["uid"].as_str().unwrap_or_default()).or_default() += 1;
            sold += 1;
        }
    }
    if sold > shape.stock as usize {
        return Err(format!("{sold} orders for {} units", shape.stock));
    }
    if let Some(buyer) = orders_of.iter().find(|(_, orders)| **orders > shape.per_buyer) {
        return Err(format!("more orders than allowed: {buyer:?}"));
    }
    Ok(sold)
}

/// Checks that each held order has expired, and that nothing else has changed; and that the sale
/// has the units that were not paid for.
pub(crate) fn check_expired(
    shape: Shape,
    before: &BTreeMap<String, Value>,
    after: &BTreeMap<String, Value>,
    left: &Value,
) -> Result<(), String> {
    for (id, row) in before {
        let expected = if row["order"] == "held" { &json!("expired") } else { &row["order"] };
        if after.get(id).is_none_or(|after| after["order"] != *expected) {
            return Err(format!("it should have been {expected}: {row}, {:?}", after.get(id)));
        }
    }
    let sold = check_orders(shape, after)?;
    if *left != json!(shape.stock as usize - sold) {
        return Err(format!("{left} of {} units are left, and {sold} are sold", shape.stock));
    }
    Ok(())
}
