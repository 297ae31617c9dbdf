//! Orders that are held: paid for in time, or given back.

use serde_json::{Value, json};

use crate::answer::{Answer, refused};
use crate::shop::{Row, Shop, Status};

/// What has become of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) word: &'static str,
    pub(crate) until_us: u64,
    pub(crate) ended_us: Option<u64>,
}

impl Held {
    pub(crate) fn until(until_us: u64) -> Self {
        Self { word: "held", until_us, ended_us: None }
    }

    /// Adds what the answer about a result or a line of the ledger has of it.
    pub(crate) fn show(&self, to: &mut Value, ended: bool) {
        to["order"] = self.word.into();
        to["held_until_us"] = self.until_us.into();
        if let Some(us) = self.ended_us.filter(|_| ended) {
            to["order_us"] = us.into();
        }
    }
}

impl Shop {
    /// Ends an order that is held.
    pub(crate) fn end(&mut self, at: usize, word: &'static str) {
        let now = self.now_us();
        let is_back = word != "paid";
        let Some(order) = self.rows[at].order.as_mut().filter(|order| order.word == "held") else {
            return;
        };
        (order.word, order.ended_us) = (word, Some(now));
        self.stock_left += i64::from(is_back);
    }

    /// Whether an order is held, and its time is up.
    pub(crate) fn is_overdue(&self, at: usize) -> bool {
        let now = self.now_us();
        let overdue = |order: &Held| order.word == "held" && order.until_us <= now;
        self.rows[at].order.as_ref().is_some_and(overdue)
    }

    /// Pays for an order.
    pub(crate) fn pay(&mut self, at: usize) -> Answer {
        let word = if self.is_overdue(at) { "expired" } else { "paid" };
        self.end(at, word);
        match self.rows[at].order.map(|order| order.word) {
            Some("paid") => paid(&self.rows[at]),
            Some(word) => refused(409, word),
            None => refused(404, "unknown_order"),
        }
    }
}

/// The answer to a payment that is honoured.
pub(crate) fn paid(row: &Row) -> Answer {
    let Status::Won(order) = &row.status else { panic!("{row:?} has no order") };
    let id = row.id.to_string();
    Answer::new(200, json!({"status": "paid", "request_id": id, "order_id": order}))
}
