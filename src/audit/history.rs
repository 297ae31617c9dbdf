//! What was sent and what was told, as far as the audit needs it.

use std::collections::HashMap;

use crate::api::LedgerSale;
use crate::ids::{ItemId, OrderId, RequestId};

use super::{AttemptNo, Ids, Ledger, Status};

/// What the client knows of an attempt that may have had an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Accepted, to be decided.
    Accepted,
    /// Won this order.
    Won(Box<OrderId>),
    /// Lost.
    Lost,
    /// A time-out, a reset after sending, a 500: it may have had an effect or not.
    Unknown,
}

/// One attempt that has had an effect, or may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which.
    pub attempt: AttemptNo,
    /// What was told.
    pub told: Told,
}

/// A run from the clients' side. Refused attempts, which provably had no effect, are only
/// counted: every attempt below its thread's count that is no entry is one.
#[derive(Debug, Clone)]
pub struct History {
    /// Makes the run's ids.
    pub ids: Ids,
    /// What was bought.
    pub item: ItemId,
    /// Attempts that each virtual user made.
    pub sent: Vec<u64>,
    /// Attempts that were not refused, in no order.
    pub entries: Vec<Entry>,
    /// The sale before the run, if it was looked at.
    pub sale_before: Option<LedgerSale>,
    /// What the ledger held before the run.
    pub before: HashMap<RequestId, Status>,
    /// What was told, during the run or after it, of accepted attempts whose result was asked for;
    /// `None` for one that the server did not know.
    pub results: Vec<(RequestId, Option<Status>)>,
}

impl History {
    /// A run in which so many virtual users have sent nothing yet.
    pub fn new(ids: Ids, item: ItemId, threads: usize) -> Self {
        let (sent, entries, before) = (vec![0; threads], Vec::new(), HashMap::new());
        Self { ids, item, sent, entries, sale_before: None, before, results: Vec::new() }
    }

    /// Adds what another worker's virtual users did. Each user belongs to one worker.
    pub fn merge(&mut self, other: Self) {
        for (sum, part) in self.sent.iter_mut().zip(other.sent) {
            *sum += part;
        }
        self.entries.extend(other.entries);
        self.results.extend(other.results);
    }

    /// Takes what the ledger held before the run.
    pub fn begin_with(&mut self, ledger: Ledger) {
        self.sale_before = Some(ledger.sale);
        self.before = ledger.rows.into_iter().map(|row| (row.request_id, row.status)).collect();
    }

    /// Accepted attempts to ask the result of: all, or `max` that are spread evenly.
    pub fn to_ask(&self, max: usize) -> impl Iterator<Item = RequestId> {
        let accepted = || self.entries.iter().filter(|entry| entry.told != Told::Unknown);
        let step = accepted().count().div_ceil(max.max(1)).max(1);
        accepted().step_by(step).map(|entry| self.ids.request_id(entry.attempt))
    }

    /// Whether this attempt was made.
    pub fn was_sent(&self, attempt: AttemptNo) -> bool {
        let sent = self.sent.get(attempt.thread as usize);
        sent.is_some_and(|sent| attempt.index < *sent)
    }
}
