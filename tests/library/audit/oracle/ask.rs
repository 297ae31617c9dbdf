//! Asks the question of a history.

use std::collections::{HashMap, HashSet};

use seckill::history::{Answered, AttemptNo, Entry, Loss, Refused, Row, Status, View};
use seckill::ids::{OrderId, RequestId};

use super::possible::{check, rows_are_possible, terms_are_the_same};
use super::question::{Attempt, Fate, NEVER, Question, Step, What};
use super::run::Evidence;

/// Asks the question of this evidence.
///
/// # Errors
/// What is impossible at any time, so that there is no need to search.
pub(super) fn question(evidence: &Evidence) -> Result<Question, String> {
    let Evidence { history, ledger, .. } = evidence;
    terms_are_the_same(history, ledger)?;
    rows_are_possible(history, ledger)?;
    let mut asked = Builder::new(evidence)?;
    asked.add_attempts()?;
    asked.add_refusals()?;
    asked.add_results()?;
    asked.add_views()?;
    asked.add_ledger()?;
    Ok(asked.question)
}

struct Builder<'a> {
    evidence: &'a Evidence,
    question: Question,
    at: HashMap<RequestId, usize>,
    buyers: HashMap<String, usize>,
    /// The order of each attempt that won.
    orders: HashMap<usize, OrderId>,
}

impl<'a> Builder<'a> {
    fn new(evidence: &'a Evidence) -> Result<Self, String> {
        let sale = &evidence.ledger.sale;
        let question = Question {
            stock: sale.stock,
            limit: sale.per_buyer,
            buyers: 0,
            has_hours: false,
            attempts: Vec::new(),
            steps: Vec::new(),
        };
        let (at, buyers, orders) = (HashMap::new(), HashMap::new(), HashMap::new());
        let mut builder = Self { evidence, question, at, buyers, orders };
        let mut before: Vec<_> = evidence.history.before.values().collect();
        before.sort_by_key(|row| row.seq);
        for row in before {
            let at = builder.attempt(row.request_id, &row.uid);
            builder.question.attempts[at].is_known_before = true;
            builder.question.attempts[at].is_decided_before = row.status != Status::Queued;
            builder.tell(at, &row.status)?;
        }
        Ok(builder)
    }

    fn buyer(&mut self, uid: &str) -> usize {
        let next = self.buyers.len();
        let buyer = *self.buyers.entry(uid.to_owned()).or_insert(next);
        self.question.buyers = self.buyers.len();
        buyer
    }

    fn attempt(&mut self, id: RequestId, uid: &str) -> usize {
        let buyer = self.buyer(uid);
        let attempts = &mut self.question.attempts;
        *self.at.entry(id).or_insert_with(|| {
            let (is_known_before, is_decided_before) = (false, false);
            attempts.push(Attempt { id, buyer, is_known_before, is_decided_before, fate: None });
            attempts.len() - 1
        })
    }

    fn add(&mut self, (from_us, to_us): (u64, u64), is_required: bool, what: What) {
        self.question.steps.push(Step { from_us, to_us, is_required, what });
    }

    /// Notes a decision that was told of an attempt. All of them have to be the same.
    fn tell(&mut self, at: usize, status: &Status) -> Result<(), String> {
        let fate = match status {
            Status::Queued => return Ok(()),
            Status::Won(order) => {
                let known = self.orders.entry(at).or_insert_with(|| order.clone());
                check(known == order, "an attempt has two orders")?;
                let mut others = self.orders.iter().filter(|(other, _)| **other != at);
                check(others.all(|(_, other)| other != order), "two attempts have one order")?;
                Fate::Won
            }
            Status::Lost(loss) => Fate::Lost(*loss),
        };
        let known = &mut self.question.attempts[at].fate;
        *known = match (*known, fate) {
            (None | Some(Fate::Lost(Loss::Unstated)), Fate::Lost(_)) | (None, _) => Some(fate),
            (Some(Fate::Lost(_)), Fate::Lost(Loss::Unstated)) => *known,
            _ => *known,
        };
        check(known.is_some_and(|known| agree(known, fate)), "an attempt has two decisions")
    }

    fn add_attempts(&mut self) -> Result<(), String> {
        let Evidence { history, ledger, .. } = self.evidence;
        let rows: HashSet<RequestId> = ledger.rows.iter().map(|row| row.request_id).collect();
        let mut entries: HashMap<AttemptNo, Vec<&Entry>> = HashMap::new();
        for entry in &history.entries {
            entries.entry(entry.attempt).or_default().push(entry);
        }
        let mut entries: Vec<_> = entries.into_iter().collect();
        entries.sort_by_key(|(attempt, _)| *attempt);
        for (attempt, entries) in entries {
            let id = history.ids.request_id(attempt);
            let at = self.attempt(id, &history.ids.buyer(attempt).to_string());
            let first = |of: &dyn Fn(&Answered) -> bool| {
                let told = entries.iter().filter(|entry| of(&entry.answered));
                told.map(|entry| entry.answered_us).min()
            };
            let sent_us = entries.iter().map(|entry| entry.sent_us).min().unwrap();
            let accepted_us = first(&|answered| *answered != Answered::Unknown);
            let decided_us = first(&Answered::is_decision);
            for entry in &entries {
                let was_accepted = entry.refusal.as_ref().is_some_and(|one| one.was_accepted);
                check(!was_accepted, "an attempt was refused after it was accepted")?;
                match &entry.answered {
                    Answered::Won(order) => self.tell(at, &Status::Won((**order).clone()))?,
                    Answered::Lost(loss) => self.tell(at, &Status::Lost(*loss))?,
                    // An attempt that is sent again may be answered 202, whatever became of it.
                    Answered::Accepted | Answered::Unknown => {}
                }
            }
            let is_known = accepted_us.is_some() || rows.contains(&id);
            let Attempt { is_known_before, is_decided_before, .. } = self.question.attempts[at];
            if !is_known_before {
                let window = (sent_us, accepted_us.unwrap_or(NEVER));
                self.add(window, is_known, What::Accept(at));
            }
            if !is_decided_before {
                let from_us = if is_known_before { 0 } else { sent_us };
                let window = (from_us, decided_us.unwrap_or(NEVER));
                self.add(window, decided_us.is_some(), What::Decide(at));
            }
        }
        for at in 0..self.question.attempts.len() {
            let attempt = &self.question.attempts[at];
            let has_step = |step: &Step| step.what == What::Decide(at);
            if !attempt.is_decided_before && !self.question.steps.iter().any(has_step) {
                self.add((0, NEVER), false, What::Decide(at));
            }
        }
        Ok(())
    }

    fn add_refusals(&mut self) -> Result<(), String> {
        let history = &self.evidence.history;
        for (refused, tally) in history.refusals.iter().filter(|(refused, _)| refused.is_final()) {
            assert_eq!(tally.count, tally.sample.len() as u64, "a small history has them all");
            for request in &tally.sample {
                let attempt = self.at.get(&history.ids.request_id(request.attempt)).copied();
                let buyer = self.buyer(&history.ids.buyer(request.attempt).to_string());
                let what = match refused {
                    Refused::SoldOut => What::SoldOut,
                    Refused::AlreadyBought => What::AlreadyBought(buyer),
                    Refused::NotOpen => What::NotOpen,
                    Refused::Closed => What::Closed,
                    _ => return check(false, "a valid request was called invalid"),
                };
                let window = (request.sent_us, request.answered_us);
                self.add(window, true, what);
                if let Some(attempt) = attempt {
                    self.add(window, true, What::Refused(attempt));
                }
                if matches!(refused, Refused::NotOpen | Refused::Closed) {
                    self.question.has_hours = true;
                }
            }
        }
        if self.question.has_hours {
            self.add((0, NEVER), false, What::Open);
            self.add((0, NEVER), false, What::Close);
        }
        Ok(())
    }

    fn add_results(&mut self) -> Result<(), String> {
        for read in &self.evidence.history.results {
            let Some(at) = self.at.get(&read.request_id).copied() else {
                check(read.status.is_none(), "a refused attempt has a result")?;
                continue;
            };
            let what = match &read.status {
                None => What::NotKnown(at),
                Some(Status::Queued) => What::Queued(at),
                Some(decided) => {
                    self.tell(at, decided)?;
                    What::Decided(at)
                }
            };
            self.add((read.sent_us, read.answered_us), true, what);
        }
        Ok(())
    }

    /// The first state is read before or after the ledger before the run, so its number of orders
    /// may be smaller than that ledger's.
    fn add_views(&mut self) -> Result<(), String> {
        let Evidence { history, ledger, settled, .. } = self.evidence;
        let is_won = |row: &&Row| matches!(row.status, Status::Won(_));
        let orders_before = history.before.values().filter(is_won).count() as u64;
        let last = history.views.iter().len() - 1;
        for (number, View { sent_us, answered_us, sale }) in history.views.iter().enumerate() {
            let window = (*sent_us, *answered_us);
            let sold = i128::from(ledger.sale.stock) - i128::from(sale.stock_left);
            check(sold == sale.orders.into(), "a state is not of one moment")?;
            let is_compared = number > 0 || sale.orders > orders_before;
            let orders = is_compared.then_some(sale.orders);
            let queued = (number > 0).then_some(sale.queued);
            self.add(window, true, What::State { orders, queued, is_last: number == last });
        }
        settled.iter().for_each(|window| self.add(*window, true, What::Settled));
        Ok(())
    }

    fn add_ledger(&mut self) -> Result<(), String> {
        let (mut known, mut decided) = (0, 0);
        for row in &self.evidence.ledger.rows {
            let at = self.at[&row.request_id];
            self.tell(at, &row.status)?;
            known |= 1 << at;
            decided |= u128::from(row.status != Status::Queued) << at;
        }
        let window = (self.evidence.ledger_from_us, NEVER);
        self.add(window, true, What::Ledger { known, decided });
        Ok(())
    }
}

fn agree(one: Fate, other: Fate) -> bool {
    match (one, other) {
        (Fate::Lost(one), Fate::Lost(other)) => one.agrees_with(other),
        (one, other) => one == other,
    }
}
