//! A simulated sale.

use std::collections::HashMap;

use seckill::history::{
    Answered, AttemptNo, Hours, Ledger, Loss, Refused, Row, SaleTerms, SaleView, Status, Tells,
};
use seckill::ids::OrderId;

use super::super::ITEM;
use super::super::times::BEGAN_US;
use super::random::Random;
use super::run::Answer;
use super::terms::{Bug, Terms};

pub(super) struct Sale {
    pub(super) terms: Terms,
    pub(super) known: Vec<Known>,
    by_attempt: HashMap<AttemptNo, usize>,
    queue: Vec<usize>,
    orders: u64,
    has_lost: bool,
}

/// An attempt that was accepted in this turn.
#[derive(Debug, Clone)]
pub(super) struct Known {
    row: Row,
    turn: u64,
    decided_turn: Option<u64>,
}

impl Sale {
    pub(super) fn new(terms: Terms) -> Self {
        let (known, by_attempt) = (Vec::new(), HashMap::new());
        Self { terms, known, by_attempt, queue: Vec::new(), orders: 0, has_lost: false }
    }

    /// Answers a `POST` that arrives in this turn.
    pub(super) fn post(&mut self, attempt: AttemptNo, turn: u64, random: &mut Random) -> Answer {
        let Terms { bug, stock, limit, ids, hours, .. } = self.terms.clone();
        let known = self.by_attempt.get(&attempt).copied();
        if random.chance(4) {
            return Answer::Refused(random.pick(&[Refused::RateLimited, Refused::Unavailable]));
        }
        if let Some(at) = known
            && !(bug == Bug::RefusesKnown && random.chance(60))
        {
            return self.told(at);
        }
        let uid = ids.buyer(attempt).to_string();
        let left = stock.saturating_sub(self.orders);
        let early = if let Bug::SoldOutEarly(units) = bug { units } else { 0 };
        let is_sticky = bug == Bug::StickySoldOut && self.has_lost;
        let queued = self.queue.iter().filter(|at| *self.known[**at].row.uid == *uid).count();
        let counted = if bug == Bug::CountsUndecided { queued as u32 } else { 0 };
        let is_closed = turn >= hours.1 && !(bug == Bug::OpensAgain && random.chance(30));
        let refused = if turn < hours.0 {
            Some(Refused::NotOpen)
        } else if is_closed {
            Some(Refused::Closed)
        } else if (left <= early || is_sticky) && random.chance(75) {
            Some(Refused::SoldOut)
        } else if self.orders_of(&uid) + counted >= limit && random.chance(75)
            || bug == Bug::BoughtByAll && random.chance(20)
        {
            Some(Refused::AlreadyBought)
        } else {
            None
        };
        if let Some(refused) = refused {
            return Answer::Refused(refused);
        }
        if known.is_some() {
            return Answer::Refused(Refused::SoldOut);
        }
        let at = self.accept(attempt, &uid, turn);
        if self.terms.is_at_once {
            self.decide(turn, random);
        }
        self.told(at)
    }

    /// Accepts an attempt; whether it may be accepted has been checked.
    pub(super) fn accept(&mut self, attempt: AttemptNo, uid: &str, turn: u64) -> usize {
        let at = self.known.len();
        let row = Row {
            request_id: self.terms.ids.request_id(attempt),
            uid: uid.into(),
            item: ITEM.into(),
            seq: at as u64 * 3,
            accepted_us: self.clock_us(turn),
            decided_us: None,
            status: Status::Queued,
            order: None,
        };
        self.known.push(Known { row, turn, decided_turn: None });
        self.by_attempt.insert(attempt, at);
        self.queue.push(at);
        at
    }

    /// Decides one of the waiting attempts.
    pub(super) fn decide(&mut self, turn: u64, random: &mut Random) {
        if self.queue.is_empty() {
            return;
        }
        let next = match (self.terms.is_at_once, self.terms.is_in_order) {
            (true, _) => self.queue.len() - 1,
            (_, true) => 0,
            _ => random.index(self.queue.len()),
        };
        let at = self.queue.remove(next);
        let status = self.decision(at, random);
        self.orders += u64::from(matches!(status, Status::Won(_)));
        self.has_lost |= matches!(status, Status::Lost(_));
        let decided_us = self.clock_us(turn);
        let known = &mut self.known[at];
        known.decided_turn = Some(turn);
        known.row.decided_us = Some(decided_us);
        known.row.status = status;
    }

    fn decision(&self, at: usize, random: &mut Random) -> Status {
        let Terms { bug, stock, limit, .. } = self.terms;
        let left = (stock + if let Bug::Oversells(units) = bug { units } else { 0 })
            .saturating_sub(self.orders);
        let early = if let Bug::LosesEarly(units) = bug { units } else { 0 };
        let is_at_limit = self.orders_of(&self.known[at].row.uid) >= limit
            && !(bug == Bug::NoLimit && random.chance(50));
        let is_sold_out = left == 0 || left <= early && random.chance(50);
        let loss = match (is_sold_out, is_at_limit) {
            (true, true) => random.pick(&[Loss::SoldOut, Loss::AlreadyBought]),
            (true, false) => Loss::SoldOut,
            (false, true) => Loss::AlreadyBought,
            (false, false) => return Status::Won(order(self.orders + 1)),
        };
        let other = if loss == Loss::SoldOut { Loss::AlreadyBought } else { Loss::SoldOut };
        Status::Lost(if bug == Bug::OtherReason { other } else { loss })
    }

    fn orders_of(&self, uid: &str) -> u32 {
        let is_order = |one: &&Known| *one.row.uid == *uid && is_won(&one.row.status);
        self.known.iter().filter(is_order).count() as u32
    }

    fn told(&self, at: usize) -> Answer {
        Answer::Answered(match &self.known[at].row.status {
            Status::Queued => Answered::Accepted,
            Status::Won(order) => Answered::Won(Box::new(order.clone())),
            Status::Lost(loss) => Answered::Lost(*loss),
        })
    }

    /// The result of an attempt, as it is answered in this turn.
    pub(super) fn result(&self, attempt: AttemptNo, turn: u64) -> Option<Status> {
        let lag = if let Bug::StaleResults(lag) = self.terms.bug { lag } else { 0 };
        let Known { row, turn: accepted, decided_turn } =
            self.by_attempt.get(&attempt).map(|at| &self.known[*at])?;
        let then = turn.saturating_sub(lag);
        let is_decided = decided_turn.is_some_and(|decided| decided <= then);
        let status = if is_decided { row.status.clone() } else { Status::Queued };
        (*accepted <= then).then_some(status)
    }

    /// The state of the sale, as it is answered in this turn.
    pub(super) fn state(&self, turn: u64) -> SaleView {
        let lag = if let Bug::StaleStates(lag) = self.terms.bug { lag } else { 0 };
        let then = turn.saturating_sub(lag);
        let was_decided = |one: &&Known| one.decided_turn.is_some_and(|decided| decided <= then);
        let known = self.known.iter().filter(|one| one.turn <= then);
        let is_order = |one: &&Known| was_decided(one) && is_won(&one.row.status);
        let orders = known.clone().filter(is_order).count() as u64;
        SaleView {
            item: ITEM.into(),
            epoch: 1,
            stock: self.terms.stock,
            stock_left: self.terms.stock as i64 - orders as i64,
            orders,
            queued: (known.clone().count() - known.filter(was_decided).count()) as u64,
            per_buyer: Some(self.terms.limit),
            ..SaleView::default()
        }
    }

    pub(super) fn ledger(&self) -> Ledger {
        let Terms { stock, limit, .. } = self.terms;
        Ledger {
            sale: SaleTerms {
                item: ITEM.into(),
                epoch: 1,
                stock,
                stock_left: stock as i64 - self.orders as i64,
                per_buyer: limit,
                hours: Hours::default(),
                hold_us: None,
            },
            rows: self.known.iter().map(|one| one.row.clone()).collect(),
            is_miscounted: false,
            tells: Tells::EVERYTHING,
        }
    }

    pub(super) fn queued(&self) -> usize {
        self.queue.len()
    }

    fn clock_us(&self, turn: u64) -> u64 {
        BEGAN_US + turn * self.terms.turn_us + self.terms.ahead_us
    }
}

pub(super) fn order(number: u64) -> OrderId {
    OrderId::new(&ITEM.parse().unwrap(), 1, number)
}

fn is_won(status: &Status) -> bool {
    matches!(status, Status::Won(_))
}
