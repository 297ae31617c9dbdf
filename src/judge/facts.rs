//! [`Facts`]: history and ledger, joined by request id.

use std::collections::HashMap;

use crate::history::{Answered, Entry, History, Ledger, Row, Status};
use crate::ids::RequestId;

/// History and ledger, joined by request id. Building it takes time linear in the size of both.
pub(super) struct Facts<'a> {
    pub(super) history: &'a History,
    pub(super) ledger: &'a Ledger,
    /// Whether nothing was queued when the ledger was read.
    pub(super) is_settled: bool,
    /// Rows that won, in the ledger's order.
    pub(super) orders: Vec<&'a Row>,
    pub(super) by_id: HashMap<RequestId, &'a Row>,
    pub(super) orders_of: HashMap<&'a str, u64>,
    /// Attempts of this run that were accepted.
    pub(super) accepted: Vec<(RequestId, &'a Entry)>,
    /// Attempts of this run of which it is unknown whether they had an effect.
    pub(super) unknown: HashMap<RequestId, &'a Entry>,
}

impl<'a> Facts<'a> {
    pub(super) fn gather(history: &'a History, ledger: &'a Ledger, is_settled: bool) -> Self {
        let won = |row: &&Row| matches!(row.status, Status::Won(_));
        let orders: Vec<&Row> = ledger.rows.iter().filter(won).collect();
        let mut orders_of = HashMap::new();
        for order in &orders {
            *orders_of.entry(&*order.uid).or_default() += 1;
        }
        let (mut accepted, mut unknown) = (Vec::new(), HashMap::new());
        for entry in &history.entries {
            let request_id = history.ids.request_id(entry.attempt);
            match entry.answered {
                Answered::Unknown => drop(unknown.insert(request_id, entry)),
                _ => accepted.push((request_id, entry)),
            }
        }
        let by_id = ledger.rows.iter().map(|row| (row.request_id, row)).collect();
        Self { history, ledger, is_settled, orders, by_id, orders_of, accepted, unknown }
    }

    /// Orders above the stock.
    pub(super) fn oversold(&self) -> usize {
        let stock = usize::try_from(self.ledger.sale.stock).unwrap_or(usize::MAX);
        self.orders.len().saturating_sub(stock)
    }

    /// Whether the row belongs to an attempt that this run made.
    pub(super) fn was_sent(&self, row: &Row) -> bool {
        let attempt = self.history.ids.attempt(&row.request_id);
        attempt.is_some_and(|attempt| self.history.was_sent(attempt))
    }

    /// Accepted attempts of this run that are not decided.
    pub(super) fn unresolved(&self) -> impl Iterator<Item = &RequestId> {
        let ids = self.accepted.iter().map(|(request_id, _)| request_id);
        ids.filter(|id| self.by_id.get(id).is_none_or(|row| row.status == Status::Queued))
    }
}
