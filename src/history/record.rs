//! What the clients of a run sent and the answers they received, as far as the audit needs them.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::ids::{ItemId, OrderId, RequestId};

use super::{
    Asked, AttemptNo, Ids, Ledger, Loss, Payment, Refusals, Refused, RequestWindow, ResultRead,
    Row, SaleTerms, Standstill, Tally, Tells, Views,
};

/// Maximum number of rows of a first reading of the ledger that are kept beside another one.
const CHANGES_MAX: usize = 10_000;

/// When a history begins. Its times are measured from there with the monotonic clock, so that a
/// step of the wall clock does not change their order.
#[derive(Debug, Clone, Copy)]
pub struct Beginning {
    instant: Instant,
    unix_us: u64,
}

impl Beginning {
    /// The present moment.
    pub fn now() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { instant: Instant::now(), unix_us: micros(since_epoch) }
    }

    /// The beginning, in microseconds since the Unix epoch.
    pub fn unix_us(self) -> u64 {
        self.unix_us
    }

    /// Microseconds from the beginning to this moment.
    pub fn us(self, moment: Instant) -> u64 {
        micros(moment.saturating_duration_since(self.instant))
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// What the client knows about an attempt that may have had an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// Accepted, to be decided.
    Accepted,
    /// Won this order.
    Won(Box<OrderId>),
    /// Lost, for this reason.
    Lost(Loss),
    /// A time-out, a reset after sending, a 500: the attempt may have had an effect or not.
    Unknown,
}

impl Answered {
    /// Whether the answer is a decision, which is final.
    pub fn is_decision(&self) -> bool {
        matches!(self, Self::Won(_) | Self::Lost(_))
    }
}

/// One attempt that had an effect, or may have had one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The attempt.
    pub attempt: AttemptNo,
    /// The strongest answer to any of its requests.
    pub answered: Answered,
    /// Not later than the first of its requests that was not refused was sent, in microseconds
    /// since the beginning of the history.
    pub sent_us: u64,
    /// Not earlier than the answer had been received, or the request had failed.
    pub answered_us: u64,
    /// A final refusal of another of its requests.
    pub refusal: Option<Box<FinalRefusal>>,
}

/// A final refusal of an attempt that had an effect, or may have had one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FinalRefusal {
    /// What was told.
    pub refused: Refused,
    /// The request that was refused.
    pub request: RequestWindow,
    /// Whether an answer had shown that the attempt was accepted, before this request was sent.
    pub was_accepted: bool,
}

/// A run from the clients' side. Refused attempts, which by the API's promise have no effect, are
/// only counted and sampled: every attempt below its thread's count that has no entry was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The generator of the run's ids.
    pub ids: Ids,
    /// Whether no other run can have made the same ids: their seed was chosen at random.
    pub has_fresh_ids: bool,
    /// The item that was bought.
    pub item: ItemId,
    /// The stock that the sale must have been opened with, if that was said.
    pub expected_stock: Option<u64>,
    /// When all times begin, in microseconds since the Unix epoch by the clock of the generator.
    pub began_us: u64,
    /// When the load ended, in microseconds since the beginning: no request of it was in flight any
    /// more; 0 if that is not known.
    pub ended_us: u64,
    /// When the ledger after the run had been read, in microseconds since the beginning; 0 if that
    /// is not known.
    pub ledger_us: u64,
    /// Attempts that each virtual user made.
    pub sent: Vec<u64>,
    /// Attempts that were not refused, in no order.
    pub entries: Vec<Entry>,
    /// Requests that were refused.
    pub refusals: Refusals,
    /// Requests with an answer that contradicts itself: its status and its words do not belong
    /// together, or it is about another attempt.
    pub contradictory: Tally,
    /// Refusals that ask for another try and do not say when.
    pub without_retry_after: Tally,
    /// The sale before the run, if its ledger could be read.
    pub sale_before: Option<SaleTerms>,
    /// The rows of the ledger before the run.
    pub before: HashMap<RequestId, Row>,
    /// What the source of that ledger can tell.
    pub tells_before: Tells,
    /// States of the sale, before, during and after the load.
    pub views: Views,
    /// Set if attempts were still queued when the time to wait for them was up.
    pub standstill: Option<Standstill>,
    /// Results that were requested, during the run or after it.
    pub results: Vec<ResultRead>,
    /// Payments for orders.
    pub payments: Vec<Payment>,
    /// How complete the results are that were requested after the run.
    pub asked: Asked,
    /// How many known attempts were sent again after the run.
    pub sent_again: Asked,
}

impl History {
    /// A run in which `threads` virtual users have sent nothing yet.
    pub fn new(ids: Ids, item: ItemId, threads: usize, began_us: u64) -> Self {
        Self {
            ids,
            has_fresh_ids: false,
            item,
            expected_stock: None,
            began_us,
            ended_us: 0,
            ledger_us: 0,
            sent: vec![0; threads],
            entries: Vec::new(),
            refusals: Refusals::default(),
            contradictory: Tally::default(),
            without_retry_after: Tally::default(),
            sale_before: None,
            before: HashMap::new(),
            tells_before: Tells::EVERYTHING,
            views: Views::default(),
            standstill: None,
            results: Vec::new(),
            payments: Vec::new(),
            asked: Asked::default(),
            sent_again: Asked::default(),
        }
    }

    /// The orders that the ledger before the run, results and answers tell of, with their attempts
    /// and when that was told, in microseconds since the beginning of the history; 0 for the
    /// ledger.
    pub fn told_orders(&self) -> impl Iterator<Item = (&OrderId, RequestId, u64)> {
        let before = self.before.values();
        let before = before.filter_map(|row| Some((row.status.order_id()?, row.request_id, 0)));
        let results = self.results.iter().filter_map(|read| {
            Some((read.status.as_ref()?.order_id()?, read.request_id, read.answered_us))
        });
        let answers = self.entries.iter().filter_map(|entry| match &entry.answered {
            Answered::Won(order_id) => {
                Some((&**order_id, self.ids.request_id(entry.attempt), entry.answered_us))
            }
            Answered::Accepted | Answered::Lost(_) | Answered::Unknown => None,
        });
        before.chain(results).chain(answers)
    }

    /// Adds the attempts of another worker's virtual users. Each user belongs to one worker.
    pub fn merge(&mut self, other: Self) {
        // The fields are destructured by name, so that a forgotten new field does not compile. The
        // ids, the item and the beginning are the same for all workers, and what is read beside the
        // load is no worker's.
        let Self {
            ids: _,
            has_fresh_ids: _,
            item: _,
            expected_stock: _,
            began_us: _,
            ended_us: _,
            ledger_us: _,
            sent,
            entries,
            refusals,
            contradictory,
            without_retry_after,
            sale_before: _,
            before: _,
            tells_before: _,
            views: _,
            standstill: _,
            results,
            payments,
            asked: _,
            sent_again: _,
        } = other;
        for (sum, part) in self.sent.iter_mut().zip(sent) {
            *sum += part;
        }
        self.entries.extend(entries);
        self.refusals.merge(refusals);
        self.contradictory.merge(contradictory);
        self.without_retry_after.merge(without_retry_after);
        self.results.extend(results);
        self.payments.extend(payments);
    }

    /// Stores the ledger before the run.
    pub fn begin_with(&mut self, ledger: Ledger) {
        self.sale_before = Some(ledger.sale);
        self.tells_before = ledger.tells;
        self.before = ledger.rows.into_iter().map(|row| (row.request_id, row)).collect();
    }

    /// Keeps what a first reading of the ledger, requested and answered at these times, shows
    /// differently from another one, read afterwards, or from results, as results that were read
    /// then: decisions that have changed, and attempts that were still queued.
    pub fn add_changes(
        &mut self,
        first: &Ledger,
        (sent_us, answered_us): (u64, u64),
        again: &Ledger,
    ) {
        if !(first.tells.request_ids && again.tells.request_ids) {
            // A row may have been attributed to another attempt the first time.
            return;
        }
        let again: HashMap<_, _> = again.rows.iter().map(|row| (row.request_id, row)).collect();
        let held_until = |row: &Row| row.order.as_ref().map(|order| order.held_until_us);
        let is_changed = |row: &&Row| {
            again
                .get(&row.request_id)
                .is_none_or(|now| now.status != row.status || held_until(now) != held_until(row))
        };
        let differing = self.differing(first);
        let is_kept = |row: &&Row| is_changed(row) || differing.contains(&row.request_id);
        let kept = first.rows.iter().filter(is_kept).take(CHANGES_MAX);
        self.results.extend(kept.map(|row| ResultRead {
            request_id: row.request_id,
            status: Some(row.status.clone()),
            order: row.order_status(),
            held_until_us: held_until(row),
            sent_us,
            answered_us,
        }));
    }

    /// The attempts of which a result says otherwise than this ledger, as far as a later reading of
    /// it does not show that: attempts without an answer, which may have been late, and orders that
    /// may have ended in between.
    fn differing(&self, ledger: &Ledger) -> HashSet<RequestId> {
        let rows: HashMap<_, _> = ledger.rows.iter().map(|row| (row.request_id, row)).collect();
        let unanswered = self.entries.iter().filter(|entry| entry.answered == Answered::Unknown);
        let unanswered: HashSet<RequestId> =
            unanswered.map(|entry| self.ids.request_id(entry.attempt)).collect();
        let differs = |read: &&ResultRead| {
            let is_unanswered = unanswered.contains(&read.request_id);
            rows.get(&read.request_id).is_some_and(|row| {
                is_unanswered && read.status.as_ref() != Some(&row.status)
                    || read.order.is_some() && read.order != row.order_status()
            })
        };
        self.results.iter().filter(differs).map(|read| read.request_id).collect()
    }

    /// Stores that an attempt was refused for good after the ledger had shown it.
    pub fn add_refusal_of_known(&mut self, refused: Refused, request: RequestWindow) {
        let entry = self.entries.iter_mut().find(|entry| entry.attempt == request.attempt);
        if let Some(entry) = entry {
            entry.refusal = Some(Box::new(FinalRefusal { refused, request, was_accepted: true }));
        }
    }

    /// Whether the ledger before the run shows that no unit was left.
    pub fn was_sold_out(&self) -> bool {
        let orders = || self.before.values().filter(|row| row.status.order_id().is_some()).count();
        match &self.sale_before {
            Some(sale) if self.tells_before.stock => sale.stock_left <= 0,
            Some(_) => self.expected_stock.is_some_and(|stock| orders() as u64 >= stock),
            None => false,
        }
    }

    /// Whether no attempt was made.
    pub fn is_empty(&self) -> bool {
        self.sent.iter().all(|sent| *sent == 0)
    }

    /// Whether this attempt was made.
    pub fn was_sent(&self, attempt: AttemptNo) -> bool {
        let sent = self.sent.get(attempt.thread as usize);
        sent.is_some_and(|sent| attempt.index < *sent)
    }
}
