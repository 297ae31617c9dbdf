//! What the clients of a run sent and the answers they received, as far as the audit needs them.

use std::collections::HashMap;

use crate::ids::{ItemId, OrderId, RequestId};

use super::{AttemptNo, Ids, Ledger, SaleTerms, Status};

/// What the client knows about an attempt that may have had an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// Accepted, to be decided.
    Accepted,
    /// Won this order.
    Won(Box<OrderId>),
    /// Lost.
    Lost,
    /// A time-out, a reset after sending, a 500: the attempt may have had an effect or not.
    Unknown,
}

impl Answered {
    /// Whether the answer is a decision, which is final.
    pub fn is_decision(&self) -> bool {
        matches!(self, Self::Won(_) | Self::Lost)
    }
}

/// One attempt that had an effect, or may have had one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The attempt.
    pub attempt: AttemptNo,
    /// The strongest answer to any of its requests.
    pub answered: Answered,
}

/// A run from the clients' side. Refused attempts, which by the API's promise have no effect, are
/// only counted: every attempt below its thread's count that has no entry was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The generator of the run's ids.
    pub ids: Ids,
    /// The item that was bought.
    pub item: ItemId,
    /// Attempts that each virtual user made.
    pub sent: Vec<u64>,
    /// Attempts that were not refused, in no order.
    pub entries: Vec<Entry>,
    /// The sale before the run, if its ledger could be read.
    pub sale_before: Option<SaleTerms>,
    /// The rows of the ledger before the run.
    pub before: HashMap<RequestId, Status>,
    /// Results that were requested, during the run or after it; `None` for an attempt that the
    /// tested system did not know.
    pub results: Vec<(RequestId, Option<Status>)>,
}

impl History {
    /// A run in which `threads` virtual users have sent nothing yet.
    pub fn new(ids: Ids, item: ItemId, threads: usize) -> Self {
        let (sent, entries, before) = (vec![0; threads], Vec::new(), HashMap::new());
        Self { ids, item, sent, entries, sale_before: None, before, results: Vec::new() }
    }

    /// Adds the attempts of another worker's virtual users. Each user belongs to one worker.
    pub fn merge(&mut self, other: Self) {
        // Every field by its name, so that a new one that is not added does not compile. The ids,
        // the item and the state before the run are the same for all workers.
        let Self { ids: _, item: _, sent, entries, sale_before: _, before: _, results } = other;
        for (sum, part) in self.sent.iter_mut().zip(sent) {
            *sum += part;
        }
        self.entries.extend(entries);
        self.results.extend(results);
    }

    /// Stores the ledger before the run.
    pub fn begin_with(&mut self, ledger: Ledger) {
        self.sale_before = Some(ledger.sale);
        self.before = ledger.rows.into_iter().map(|row| (row.request_id, row.status)).collect();
    }

    /// Whether no attempt was made.
    pub fn is_empty(&self) -> bool {
        self.sent.iter().all(|sent| *sent == 0)
    }

    /// The accepted attempts whose results are to be polled: all, or `max` evenly spread ones.
    pub fn to_poll(&self, max: usize) -> impl Iterator<Item = RequestId> {
        let accepted = || self.entries.iter().filter(|entry| entry.answered != Answered::Unknown);
        let step = accepted().count().div_ceil(max.max(1)).max(1);
        accepted().step_by(step).map(|entry| self.ids.request_id(entry.attempt))
    }

    /// Whether this attempt was made.
    pub fn was_sent(&self, attempt: AttemptNo) -> bool {
        let sent = self.sent.get(attempt.thread as usize);
        sent.is_some_and(|sent| attempt.index < *sent)
    }
}
