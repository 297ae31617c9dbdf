//! A run that is to be changed, and what the kinds of changes need to know of it.

use seckill::history::{
    Answered, AttemptNo, Entry, History, Ledger, Loss, Refused, RequestWindow, Row, SaleTerms,
    SaleView, Status, View, Views,
};
use seckill::ids::{OrderId, RequestId};
use seckill::judge::{Audit, Gaps, Invariant, audit};
use seckill::random::{Draw, bits};

/// The evidence of a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Run {
    pub(super) history: History,
    pub(super) ledger: Ledger,
    pub(super) gaps: Gaps,
}

/// The random choices of one mutant.
pub(super) struct Chance {
    seed: u64,
    drawn: u64,
}

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.drawn += 1;
        bits(self.seed, Draw::Think, self.drawn) % end
    }

    /// A number of microseconds between these numbers of seconds.
    pub(super) fn seconds(&mut self, from: u64, to: u64) -> u64 {
        from * 1_000_000 + self.below((to - from) * 1_000_000)
    }

    pub(super) fn pick<T>(&mut self, from: impl IntoIterator<Item = T>) -> Option<T> {
        let mut from: Vec<T> = from.into_iter().collect();
        (!from.is_empty()).then(|| from.swap_remove(self.below(from.len() as u64) as usize))
    }

    /// Two different ones.
    pub(super) fn pair<T>(&mut self, from: impl IntoIterator<Item = T>) -> Option<(T, T)> {
        let mut from: Vec<T> = from.into_iter().collect();
        let one = (from.len() > 1).then(|| from.remove(self.below(from.len() as u64) as usize))?;
        Some((one, self.pick(from)?))
    }
}

pub(super) fn is_won(row: &Row) -> bool {
    matches!(row.status, Status::Won(_))
}

pub(super) fn is_lost(row: &Row) -> bool {
    matches!(row.status, Status::Lost(_))
}

impl Run {
    pub(super) fn audit(&self) -> Audit {
        let ledger = self.gaps.ledger.is_none().then_some(&self.ledger);
        audit(&self.history, ledger, &self.gaps)
    }

    pub(super) fn id(&self, entry: &Entry) -> RequestId {
        self.history.ids.request_id(entry.attempt)
    }

    /// The entry of an attempt that the ledger before the run does not have.
    pub(super) fn entry_at(&self, id: &RequestId) -> Option<usize> {
        let at = self.history.entries.iter().position(|entry| self.id(entry) == *id);
        at.filter(|_| !self.history.before.contains_key(id))
    }

    pub(super) fn row_at(&self, id: &RequestId) -> Option<usize> {
        self.ledger.rows.iter().position(|row| row.request_id == *id)
    }

    pub(super) fn row_of(&self, entry: &Entry) -> Option<&Row> {
        self.row_at(&self.id(entry)).map(|at| &self.ledger.rows[at])
    }

    pub(super) fn is_earlier(&self, row: &Row) -> bool {
        self.history.before.contains_key(&row.request_id)
    }

    /// Whether the run made the attempt and was answered.
    pub(super) fn is_accepted(&self, row: &Row) -> bool {
        let at = self.entry_at(&row.request_id);
        at.is_some_and(|at| self.history.entries[at].answered != Answered::Unknown)
    }

    /// Whether the run made the attempt and was not answered.
    pub(super) fn is_unanswered(&self, row: &Row) -> bool {
        self.entry_at(&row.request_id).is_some() && !self.is_accepted(row)
    }

    pub(super) fn accepted(&self) -> usize {
        self.ledger.rows.iter().filter(|row| self.is_accepted(row)).count()
    }

    pub(super) fn unanswered(&self) -> u64 {
        let unknown = self.history.entries.iter().filter(|e| e.answered == Answered::Unknown);
        unknown.count() as u64
    }

    /// The position of a row.
    pub(super) fn row(
        &self,
        chance: &mut Chance,
        is_wanted: impl Fn(&Row) -> bool,
    ) -> Option<usize> {
        chance.pick((0..self.ledger.rows.len()).filter(|at| is_wanted(&self.ledger.rows[*at])))
    }

    /// The positions of two rows.
    pub(super) fn two_rows(
        &self,
        chance: &mut Chance,
        is_wanted: impl Fn(&Row) -> bool,
    ) -> Option<(usize, usize)> {
        chance.pair((0..self.ledger.rows.len()).filter(|at| is_wanted(&self.ledger.rows[*at])))
    }

    /// The position of an entry whose attempt the ledger before the run does not have.
    pub(super) fn entry(
        &self,
        chance: &mut Chance,
        is_wanted: impl Fn(&Entry) -> bool,
    ) -> Option<usize> {
        let is_new = |entry: &Entry| !self.history.before.contains_key(&self.id(entry));
        let entries = &self.history.entries;
        chance
            .pick((0..entries.len()).filter(|at| is_new(&entries[*at]) && is_wanted(&entries[*at])))
    }

    /// An attempt of which every request was refused.
    pub(super) fn refused_attempt(&self, chance: &mut Chance) -> Option<AttemptNo> {
        let sent = self.history.sent.iter().enumerate();
        let attempts = sent.flat_map(|(thread, sent)| {
            (0..*sent).map(move |index| AttemptNo { thread: thread as u32, index })
        });
        let is_refused = |attempt: &AttemptNo| {
            let id = self.history.ids.request_id(*attempt);
            self.row_at(&id).is_none()
                && self.history.entries.iter().all(|entry| entry.attempt != *attempt)
        };
        chance.pick(attempts.filter(is_refused))
    }

    /// One more attempt of some virtual user.
    pub(super) fn send(&mut self, chance: &mut Chance) -> AttemptNo {
        let thread = chance.below(self.history.sent.len() as u64) as usize;
        self.history.sent[thread] += 1;
        AttemptNo { thread: thread as u32, index: self.history.sent[thread] - 1 }
    }

    /// Adds a row for an attempt behind all others; `None` if there is no other that shows what a
    /// row looks like.
    pub(super) fn add_row(&mut self, attempt: AttemptNo, status: Status) -> Option<()> {
        let row = self.ledger.rows.last()?.clone();
        self.ledger.rows.push(Row {
            request_id: self.history.ids.request_id(attempt),
            uid: self.history.ids.buyer_id(attempt).as_str().into(),
            item: self.history.item.as_str().into(),
            seq: row.seq + 1,
            status: Status::Queued,
            decided_us: None,
            ..row
        });
        self.decide(self.ledger.rows.len() - 1, status);
        Some(())
    }

    /// Takes out a row, and gives its unit back.
    pub(super) fn remove_row(&mut self, at: usize) {
        self.ledger.sale.stock_left += i64::from(is_won(&self.ledger.rows[at]));
        self.ledger.rows.remove(at);
        self.show_end();
    }

    /// Changes a decision, and takes a unit or gives one back as it needs.
    pub(super) fn decide(&mut self, at: usize, status: Status) {
        let row = &mut self.ledger.rows[at];
        let had = i64::from(is_won(row));
        row.decided_us = match status {
            Status::Queued => None,
            Status::Won(_) | Status::Lost(_) => row.decided_us.or(Some(row.accepted_us + 1_000)),
        };
        row.status = status;
        self.ledger.sale.stock_left += had - i64::from(is_won(row));
        self.show_end();
    }

    /// Makes the states of the sale that were read after the load agree with the ledger.
    fn show_end(&mut self) {
        let rows = &self.ledger.rows;
        let orders = rows.iter().filter(|row| is_won(row)).count() as u64;
        let queued = rows.iter().filter(|row| row.status == Status::Queued).count() as u64;
        let (left, end_us) = (self.ledger.sale.stock_left, self.end_us());
        self.change_views(|view| {
            if view.sent_us > end_us {
                let sale = &mut view.sale;
                (sale.orders, sale.stock_left, sale.queued) = (orders, left, queued);
            }
        });
    }

    /// When the last attempt had been answered.
    pub(super) fn end_us(&self) -> u64 {
        self.history.entries.iter().map(|entry| entry.answered_us).max().unwrap_or(0)
    }

    pub(super) fn views(&self) -> Vec<View> {
        self.history.views.iter().cloned().collect()
    }

    pub(super) fn set_views(&mut self, views: impl IntoIterator<Item = View>) {
        self.history.views = Views::default();
        views.into_iter().for_each(|view| self.history.views.add(view));
    }

    pub(super) fn change_views(&mut self, change: impl FnMut(&mut View)) {
        let mut views = self.views();
        views.iter_mut().for_each(change);
        self.set_views(views);
    }

    /// Changes the terms of the sale wherever they are shown.
    pub(super) fn change_sale(
        &mut self,
        of_ledger: impl Fn(&mut SaleTerms),
        of_view: impl Fn(&mut SaleView),
    ) {
        of_ledger(&mut self.ledger.sale);
        self.history.sale_before.as_mut().into_iter().for_each(&of_ledger);
        self.change_views(|view| of_view(&mut view.sale));
    }

    /// The refused requests. Small runs keep all of them.
    pub(super) fn refused(&self) -> Vec<(Refused, RequestWindow)> {
        let tallies = self.history.refusals.iter();
        let all = tallies.flat_map(|(of, tally)| tally.sample.iter().map(move |one| (of, *one)));
        let all: Vec<_> = all.collect();
        assert_eq!(all.len() as u64, self.history.refusals.count());
        all
    }

    pub(super) fn set_refused(&mut self, all: Vec<(Refused, RequestWindow)>) {
        self.history.refusals = Default::default();
        all.into_iter().for_each(|(of, request)| self.history.refusals.add(of, request));
    }

    pub(super) fn was_told(&self, refused: Refused) -> bool {
        self.history.refusals.of(refused).is_some()
    }

    pub(super) fn orders_of(&self, uid: &str) -> u64 {
        self.ledger.rows.iter().filter(|row| is_won(row) && *row.uid == *uid).count() as u64
    }

    pub(super) fn new_order(&self, chance: &mut Chance) -> Status {
        Status::Won(OrderId::from_text(format!("unheard-of-{}", chance.below(1_000_000))))
    }

    /// The invariant that the decisions in the ledger break, if what clients were told proves it.
    pub(super) fn broken_by_decisions(&self) -> Option<Invariant> {
        let rows = &self.ledger.rows;
        let limit = u64::from(self.ledger.sale.per_buyer);
        let orders = rows.iter().filter(|row| is_won(row)).count() as u64;
        let is_entitled = |row: &Row| self.orders_of(&row.uid) < limit;
        let is_left = self.ledger.sale.stock_left > 0;
        if orders > self.ledger.sale.stock {
            Some(Invariant::NeverOversold)
        } else if rows.iter().any(|row| self.orders_of(&row.uid) > limit) {
            Some(Invariant::BuyerLimit)
        } else if let Some(broken) = rows.iter().find_map(|row| self.contradicted(row)) {
            Some(broken)
        } else if is_left && self.was_told(Refused::SoldOut) || self.sold_after_sold_out() {
            Some(Invariant::SoldOutTrue)
        } else if is_left && rows.iter().any(|row| is_lost(row) && is_entitled(row)) {
            Some(Invariant::NoUnsoldStock)
        } else {
            let is_false = |row: &Row| match row.status {
                Status::Lost(Loss::AlreadyBought) => is_entitled(row),
                Status::Lost(Loss::SoldOut) => is_left,
                _ => false,
            };
            rows.iter().any(is_false).then_some(Invariant::RowsSane)
        }
    }

    /// Whether a client was told another decision of an attempt than the ledger has.
    fn contradicted(&self, row: &Row) -> Option<Invariant> {
        let id = &row.request_id;
        let is_other = |told: &Status| *told != Status::Queued && !told.agrees_with(&row.status);
        if self.history.before.get(id).is_some_and(|before| is_other(&before.status)) {
            return Some(Invariant::EarlierKept);
        }
        let entry = self.entry_at(id).map(|at| &self.history.entries[at]);
        let told = entry.and_then(|entry| match &entry.answered {
            Answered::Won(order) => Some(Status::Won((**order).clone())),
            Answered::Lost(loss) => Some(Status::Lost(*loss)),
            Answered::Accepted | Answered::Unknown => None,
        });
        if told.is_some_and(|told| is_other(&told)) {
            return Some(Invariant::AnswersTrue);
        }
        let mut results = self.history.results.iter().filter(|read| read.request_id == *id);
        let is_other = results.any(|read| read.status.as_ref().is_some_and(is_other));
        is_other.then_some(Invariant::ResultsTrue)
    }

    /// Whether an attempt won that was sent after somebody had been told that no unit is left.
    fn sold_after_sold_out(&self) -> bool {
        let refusals = self.history.refusals.of(Refused::SoldOut).and_then(|tally| tally.first);
        let entries = &self.history.entries;
        let told = entries.iter().filter(|e| e.answered == Answered::Lost(Loss::SoldOut));
        let told = told.map(|entry| entry.answered_us);
        let Some(told_us) = told.chain(refusals.map(|first| first.answered_us)).min() else {
            return false;
        };
        let won = entries.iter().filter(|entry| self.row_of(entry).is_some_and(is_won));
        won.filter(|entry| !self.history.before.contains_key(&self.id(entry)))
            .any(|entry| entry.sent_us > told_us)
    }
}
