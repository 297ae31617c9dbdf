//! The reference implementation: loops over lists, each written directly from an invariant's
//! definition.

use seckill::history::{
    Answered, AttemptNo, Entry, History, Ledger, Loss, ResultRead, Row, Status,
};
use seckill::ids::RequestId;
use seckill::judge::{Audit, Invariant, Verdict, Violation};

/// The results that both implementations must agree on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Findings {
    pub(super) counts: Vec<(Invariant, usize)>,
    pub(super) verdict: Verdict,
    orders: Option<usize>,
    oversold: usize,
    accepted: usize,
    unresolved: usize,
    unknown_outcomes: usize,
}

/// The invariants that need no times and no states of the sale. The others have tests beside them.
pub(super) const COVERED: [Invariant; 15] = [
    Invariant::NeverOversold,
    Invariant::StockNeverNegative,
    Invariant::StockConserved,
    Invariant::OrderIdsUnique,
    Invariant::RequestIdsUnique,
    Invariant::BuyerLimit,
    Invariant::OrdersWereSent,
    Invariant::RefusalsHold,
    Invariant::AcceptedKept,
    Invariant::AcceptedDecided,
    Invariant::AnswersTrue,
    Invariant::ResultsTrue,
    Invariant::EarlierKept,
    Invariant::TermsKept,
    Invariant::NoUnsoldStock,
];

pub(super) fn audit(history: &History, ledger: &Ledger, settled: bool) -> Findings {
    let run = Run { history, ledger, settled };
    if run.is_other_sale() {
        return run.no_conclusion();
    }
    let count = |invariant: &Invariant| (*invariant, run.count(*invariant));
    let counts: Vec<_> = COVERED.iter().map(count).collect();
    let verdict = match counts.iter().all(|(_, count)| *count == 0) {
        false => Verdict::Fail,
        true if settled => Verdict::Pass,
        true => Verdict::Unknown,
    };
    let undecided = |entry: &&&Entry| !run.rows_of(entry).last().is_some_and(is_decided);
    Findings {
        counts,
        verdict,
        orders: Some(run.orders().len() + run.only_told().len()),
        oversold: run.oversold(),
        accepted: run.accepted().len(),
        unresolved: run.accepted().iter().filter(undecided).count(),
        unknown_outcomes: history.entries.len() - run.accepted().len(),
    }
}

impl Findings {
    /// What the audit found, as far as the reference covers it.
    pub(super) fn of(audit: &Audit, settled: bool) -> Self {
        let count = |invariant: &Invariant| {
            let of = |violation: &&Violation| violation.invariant == *invariant;
            let counts = audit.violations.iter().filter(of).map(|v| v.count as usize);
            (*invariant, counts.sum())
        };
        let counts: Vec<_> = COVERED.iter().map(count).collect();
        let verdict = match counts.iter().all(|(_, count)| *count == 0) {
            true if audit.verdict == Verdict::Fail && settled => Verdict::Pass,
            true if audit.verdict == Verdict::Fail => Verdict::Unknown,
            _ => audit.verdict,
        };
        Self {
            counts,
            verdict,
            orders: audit.orders.map(|orders| orders as usize),
            oversold: audit.oversold as usize,
            accepted: audit.accepted as usize,
            unresolved: audit.unresolved as usize,
            unknown_outcomes: audit.unknown_outcomes as usize,
        }
    }
}

struct Run<'a> {
    history: &'a History,
    ledger: &'a Ledger,
    settled: bool,
}

fn is_decided(row: &&Row) -> bool {
    row.status != Status::Queued
}

/// Whether this is a loss for this reason; a reason that was not stated may be any.
fn is_loss(status: &Status, reason: Loss) -> bool {
    [Status::Lost(reason), Status::Lost(Loss::Unstated)].contains(status)
        || (reason == Loss::Unstated && matches!(status, Status::Lost(_)))
}

/// The number of members of a list that equal an earlier member.
fn repeated<T: PartialEq>(list: &[T]) -> usize {
    (0..list.len()).filter(|at| list[..*at].contains(&list[*at])).count()
}

impl<'a> Run<'a> {
    fn orders(&self) -> Vec<&'a Row> {
        let won = |row: &&Row| !matches!(row.status, Status::Queued | Status::Lost(_));
        self.ledger.rows.iter().filter(won).collect()
    }

    fn oversold(&self) -> usize {
        let orders = self.orders().len() + self.only_told().len();
        (orders as u64).saturating_sub(self.ledger.sale.stock) as usize
    }

    /// Orders of which somebody was told, and of which the ledger has neither the attempt as won
    /// nor the order.
    fn only_told(&self) -> Vec<Status> {
        let ids = &self.history.ids;
        let answers = self.history.entries.iter().filter_map(|entry| match &entry.answered {
            Answered::Won(order_id) => {
                Some((ids.request_id(entry.attempt), Status::Won((**order_id).clone())))
            }
            _ => None,
        });
        let results = self.history.results.iter();
        let results = results.filter_map(|read| Some((read.request_id, read.status.clone()?)));
        let before = self.history.before.values().map(|row| (row.request_id, row.status.clone()));
        let mut told: Vec<Status> = Vec::new();
        for (id, status) in answers.chain(results).chain(before) {
            let row = self.ledger.rows.iter().rfind(|row| row.request_id == id);
            let is_known = row.is_some_and(|row| matches!(row.status, Status::Won(_)))
                || self.orders().iter().any(|order| order.status == status);
            if matches!(status, Status::Won(_)) && !is_known && !told.contains(&status) {
                told.push(status);
            }
        }
        told
    }

    fn accepted(&self) -> Vec<&'a Entry> {
        self.history.entries.iter().filter(|entry| entry.answered != Answered::Unknown).collect()
    }

    /// Every row of an attempt. Several rows are a violation in themselves; the other invariants
    /// use the last one.
    fn rows_of(&self, entry: &Entry) -> Vec<&'a Row> {
        let id = self.history.ids.request_id(entry.attempt);
        self.ledger.rows.iter().filter(|row| row.request_id == id).collect()
    }

    fn sent(&self) -> Vec<AttemptNo> {
        let mut sent = Vec::new();
        for (thread, attempts) in self.history.sent.iter().enumerate() {
            for index in 0..*attempts {
                sent.push(AttemptNo { thread: thread as u32, index });
            }
        }
        sent
    }

    fn is_sent(&self, row: &Row) -> bool {
        let id_of = |attempt| self.history.ids.request_id(attempt);
        self.sent().into_iter().any(|attempt| id_of(attempt) == row.request_id)
    }

    fn is_earlier(&self, row: &Row) -> bool {
        self.history.before.iter().any(|(id, _)| *id == row.request_id)
    }

    fn has_entry(&self, row: &Row) -> bool {
        let id_of = |entry: &Entry| self.history.ids.request_id(entry.attempt);
        self.history.entries.iter().any(|entry| id_of(entry) == row.request_id)
    }

    fn orders_of(&self, uid: &str) -> usize {
        self.orders().iter().filter(|order| &*order.uid == uid).count()
    }

    fn buyers_over_limit(&self) -> usize {
        let mut uids: Vec<_> = self.orders().iter().map(|order| order.uid.clone()).collect();
        uids.sort();
        uids.dedup();
        let limit = self.ledger.sale.per_buyer as usize;
        uids.iter().filter(|uid| self.orders_of(uid) > limit).count()
    }

    fn has_untrue_answer(&self, entry: &Entry) -> bool {
        let Some(row) = self.rows_of(entry).pop() else { return false };
        let as_answered = match &entry.answered {
            Answered::Won(order_id) => row.status == Status::Won((**order_id).clone()),
            Answered::Lost(told) => is_loss(&row.status, *told),
            Answered::Accepted | Answered::Unknown => true,
        };
        let buyer = self.history.ids.buyer(entry.attempt).to_string();
        !as_answered || *row.uid != *buyer || *row.item != *self.history.item.as_str()
    }

    fn is_accepted(&self, id: RequestId) -> bool {
        self.accepted().iter().any(|entry| self.history.ids.request_id(entry.attempt) == id)
    }

    fn last_row(&self, id: RequestId) -> Option<&Row> {
        self.ledger.rows.iter().rfind(|row| row.request_id == id)
    }

    fn is_untrue(&self, read: &ResultRead) -> bool {
        let in_ledger = self.last_row(read.request_id).map(|row| &row.status);
        if in_ledger.is_none() {
            // Something is known of an attempt that is in no ledger, and nobody was told that it
            // was accepted.
            return read.status.is_some() && !self.is_accepted(read.request_id);
        }
        let is_decided = |status: Option<&Status>| status.is_some_and(|s| *s != Status::Queued);
        let before = self.history.before.get(&read.request_id);
        if read.status == Some(Status::Queued) && is_decided(before.map(|row| &row.status)) {
            return true;
        }
        match (&read.status, in_ledger) {
            (Some(Status::Lost(loss)), Some(Status::Lost(_))) => {
                in_ledger.is_none_or(|status| !is_loss(status, *loss))
            }
            // An attempt without an answer may have had its effect after the results were read.
            (Some(result), now) if is_decided(Some(result)) != is_decided(now) => {
                self.settled && self.is_accepted(read.request_id)
            }
            (None, _) => {
                self.is_accepted(read.request_id)
                    || self.history.before.contains_key(&read.request_id)
            }
            (result, now) => result.as_ref() != now,
        }
    }

    /// Whether a result of an attempt that is queued in the ledger has the order of another one.
    fn tells_of_other(&self, read: &ResultRead) -> bool {
        let last = self.last_row(read.request_id);
        let is_queued = last.is_some_and(|row| row.status == Status::Queued);
        let is_same = |row: &&Row| read.status.as_ref() == Some(&row.status);
        let of = self.orders().into_iter().rfind(is_same);
        is_queued && !self.is_untrue(read) && of.is_some_and(|of| of.request_id != read.request_id)
    }

    /// Whether an attempt that had this status in the earlier ledger is missing now, or has another
    /// decision.
    fn is_changed(&self, id: RequestId, before: &Status) -> bool {
        self.last_row(id).is_none_or(|now| *before != Status::Queued && now.status != *before)
    }

    fn has_other_terms(&self) -> bool {
        let Some(before) = &self.history.sale_before else { return false };
        let now = &self.ledger.sale;
        before.stock != now.stock || before.per_buyer != now.per_buyer
    }

    /// Whether the ledger before the run does not add up.
    fn was_not_conserved(&self) -> bool {
        let Some(sale) = &self.history.sale_before else { return false };
        let is_order = |row: &&Row| matches!(row.status, Status::Won(_));
        let orders = self.history.before.values().filter(is_order).count();
        sale.stock as i64 != sale.stock_left + orders as i64
    }

    fn is_other_sale(&self) -> bool {
        let before = self.history.sale_before.as_ref();
        before.is_some_and(|before| before.epoch != self.ledger.sale.epoch)
    }

    fn no_conclusion(&self) -> Findings {
        Findings {
            counts: COVERED.iter().map(|invariant| (*invariant, 0)).collect(),
            verdict: Verdict::Unknown,
            orders: None,
            oversold: 0,
            accepted: self.accepted().len(),
            unresolved: self.accepted().len(),
            unknown_outcomes: self.history.entries.len() - self.accepted().len(),
        }
    }

    /// Whether this attempt lost although a unit is still left.
    fn lost_despite_stock(&self, row: &Row) -> bool {
        let sale = &self.ledger.sale;
        let may_have_more = self.orders_of(&row.uid) < sale.per_buyer as usize;
        let lost = matches!(row.status, Status::Lost(_));
        lost && may_have_more && sale.stock_left > 0
    }

    fn count(&self, invariant: Invariant) -> usize {
        let sale = &self.ledger.sale;
        let rows = &self.ledger.rows;
        let orders = self.orders();
        let units = sale.stock_left + orders.len() as i64;
        let count_rows = |broken: &dyn Fn(&Row) -> bool| rows.iter().filter(|r| broken(r)).count();
        match invariant {
            Invariant::NeverOversold => self.oversold(),
            Invariant::StockNeverNegative => usize::from(sale.stock_left < 0),
            Invariant::StockConserved => {
                usize::from(sale.stock as i64 != units) + usize::from(self.was_not_conserved())
            }
            Invariant::OrderIdsUnique => {
                let told = self.history.results.iter().filter(|read| self.tells_of_other(read));
                repeated(&orders.iter().map(|order| &order.status).collect::<Vec<_>>())
                    + told.count()
            }
            Invariant::RequestIdsUnique => {
                repeated(&rows.iter().map(|row| row.request_id).collect::<Vec<_>>())
            }
            Invariant::BuyerLimit => self.buyers_over_limit(),
            Invariant::OrdersWereSent => {
                let known = |order: &&&Row| self.is_sent(order) || self.is_earlier(order);
                orders.len() - orders.iter().filter(known).count()
            }
            Invariant::RefusalsHold => count_rows(&|row| {
                self.is_sent(row) && !self.has_entry(row) && !self.is_earlier(row)
            }),
            Invariant::AcceptedKept => {
                self.accepted().iter().filter(|e| self.rows_of(e).is_empty()).count()
            }
            Invariant::AcceptedDecided if self.settled => {
                let queued = |entry: &&&Entry| {
                    self.rows_of(entry).pop().is_some_and(|row| !is_decided(&row))
                };
                self.accepted().iter().filter(queued).count()
            }
            Invariant::AnswersTrue => {
                self.history.entries.iter().filter(|entry| self.has_untrue_answer(entry)).count()
            }
            Invariant::ResultsTrue => {
                self.history.results.iter().filter(|read| self.is_untrue(read)).count()
            }
            Invariant::EarlierKept => {
                let before = self.history.before.values();
                before.filter(|row| self.is_changed(row.request_id, &row.status)).count()
            }
            Invariant::TermsKept => usize::from(self.has_other_terms()),
            Invariant::NoUnsoldStock => count_rows(&|row| self.lost_despite_stock(row)),
            Invariant::AcceptedDecided => 0,
            other => unreachable!("{other:?} is not covered"),
        }
    }
}
