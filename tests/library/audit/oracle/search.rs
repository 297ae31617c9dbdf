//! The exhaustive search: tries every order of steps, and visits no state twice.

use std::collections::HashSet;

use seckill::history::Loss;

use super::question::{Attempt, Fate, Question, What};

/// Maximum number of steps of a question.
pub(super) const STEPS_MAX: usize = 256;

/// States that are visited before a question is given up.
const STATES_MAX: usize = 30_000;

/// Which of the sale's promises are not asked for. None of them by default: then only a right sale
/// explains the answers.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Relaxed {
    /// Refusals outside the hours of the sale may be told at any time.
    pub(super) hours: bool,
    /// A state of the sale may show more attempts queued than there are, or fewer.
    pub(super) more_queued: bool,
    pub(super) fewer_queued: bool,
    /// A request may be refused although another one of the attempt was accepted before.
    pub(super) twins: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Explained,
    Impossible,
    GivenUp,
}

pub(super) fn search(question: &Question, relaxed: Relaxed) -> Answer {
    let seen = HashSet::new();
    let mut by_deadline: Vec<usize> = (0..question.steps.len()).collect();
    assert!(by_deadline.len() <= STEPS_MAX, "{} steps", by_deadline.len());
    by_deadline.sort_by_key(|at| question.steps[*at].to_us);
    let settled = question.steps.iter().position(|step| step.what == What::Settled);
    Search { question, relaxed, by_deadline, settled, seen }.explain(Sale::of(question))
}

struct Search<'a> {
    question: &'a Question,
    relaxed: Relaxed,
    by_deadline: Vec<usize>,
    /// The step at which nothing is queued; the ledger is read after it.
    settled: Option<usize>,
    /// What was reached and leads to no explanation: the steps, and each buyer's orders, which do
    /// not follow from the steps if an attempt's decision was told nowhere.
    seen: HashSet<(Steps, Vec<u32>)>,
}

/// A set of steps, as bits.
type Steps = [u64; STEPS_MAX / 64];

/// The sale after some steps. Sets of attempts are bits.
#[derive(Debug, Clone)]
struct Sale {
    done: Steps,
    known: u128,
    decided: u128,
    orders: u64,
    orders_of: Vec<u32>,
    has_opened: bool,
    has_closed: bool,
}

impl Sale {
    /// The sale before the run.
    fn of(question: &Question) -> Self {
        let mut sale = Self {
            done: [0; STEPS_MAX / 64],
            known: 0,
            decided: 0,
            orders: 0,
            orders_of: vec![0; question.buyers],
            has_opened: false,
            has_closed: false,
        };
        for (at, attempt) in question.attempts.iter().enumerate() {
            sale.known |= u128::from(attempt.is_known_before) << at;
            if attempt.is_decided_before {
                sale.decide(at, attempt, attempt.fate == Some(Fate::Won));
            }
        }
        sale
    }

    fn is_done(&self, step: usize) -> bool {
        self.done[step / 64] & (1 << (step % 64)) != 0
    }

    fn set_done(&mut self, step: usize) {
        self.done[step / 64] |= 1 << (step % 64);
    }

    fn is_known(&self, attempt: usize) -> bool {
        self.known & (1 << attempt) != 0
    }

    fn is_decided(&self, attempt: usize) -> bool {
        self.decided & (1 << attempt) != 0
    }

    fn queued(&self) -> u128 {
        self.known & !self.decided
    }

    fn decide(&mut self, at: usize, attempt: &Attempt, is_won: bool) {
        self.decided |= 1 << at;
        self.orders += u64::from(is_won);
        self.orders_of[attempt.buyer] += u32::from(is_won);
    }
}

impl Search<'_> {
    fn explain(&mut self, mut sale: Sale) -> Answer {
        self.read_what_is_true(&mut sale);
        let Some(deadline_us) = self.deadline_us(&sale) else { return Answer::Explained };
        if !self.seen.insert((sale.done, sale.orders_of.clone())) {
            return Answer::Impossible;
        }
        if self.seen.len() > STATES_MAX {
            return Answer::GivenUp;
        }
        for at in 0..self.by_deadline.len() {
            let at = self.by_deadline[at];
            if self.may_be_next(at, &sale, deadline_us) && !self.question.steps[at].what.is_read() {
                let mut next = sale.clone();
                next.set_done(at);
                self.apply(self.question.steps[at].what, &mut next);
                match self.explain(next) {
                    Answer::Impossible => {}
                    answer => return answer,
                }
            }
        }
        Answer::Impossible
    }

    /// Does every reading that is true now. It changes nothing, so that doing it later could not
    /// explain more.
    fn read_what_is_true(&self, sale: &mut Sale) {
        while let Some(deadline_us) = self.deadline_us(sale) {
            let is_next = |at: &usize| {
                self.question.steps[*at].what.is_read() && self.may_be_next(*at, sale, deadline_us)
            };
            let next: Vec<usize> = self.by_deadline.iter().copied().filter(is_next).collect();
            if next.is_empty() {
                return;
            }
            next.into_iter().for_each(|at| sale.set_done(at));
        }
    }

    /// When the next step has to be done at the latest; `None` if no step has to be.
    fn deadline_us(&self, sale: &Sale) -> Option<u64> {
        let steps = &self.question.steps;
        let mut due = self.by_deadline.iter().filter(|at| !sale.is_done(**at));
        due.find(|at| steps[**at].is_required).map(|at| steps[*at].to_us)
    }

    fn may_be_next(&self, at: usize, sale: &Sale, deadline_us: u64) -> bool {
        let step = &self.question.steps[at];
        !sale.is_done(at) && step.from_us <= deadline_us && self.is_right(step.what, sale)
    }

    /// Whether a right sale can do this now.
    fn is_right(&self, what: What, sale: &Sale) -> bool {
        let Question { stock, limit, attempts, has_hours, .. } = self.question;
        let is_sold_out = sale.orders >= *stock;
        let is_at_limit = |buyer: usize| sale.orders_of[buyer] >= *limit;
        match what {
            What::Open => true,
            What::Close => sale.has_opened,
            What::Accept(at) => {
                let is_open = !has_hours || sale.has_opened && !sale.has_closed;
                !sale.is_known(at) && (is_open || self.relaxed.hours)
            }
            What::Decide(at) => {
                let buyer = attempts[at].buyer;
                let is_right = match attempts[at].fate {
                    None => true,
                    Some(Fate::Won) => !is_sold_out && !is_at_limit(buyer),
                    Some(Fate::Lost(Loss::SoldOut)) => is_sold_out,
                    Some(Fate::Lost(Loss::AlreadyBought)) => is_at_limit(buyer),
                    Some(Fate::Lost(_)) => is_sold_out || is_at_limit(buyer),
                };
                sale.is_known(at) && !sale.is_decided(at) && is_right
            }
            What::SoldOut => is_sold_out,
            What::AlreadyBought(buyer) => is_at_limit(buyer),
            What::NotOpen => !sale.has_opened || self.relaxed.hours,
            What::Closed => sale.has_closed || self.relaxed.hours,
            What::Refused(at) => !sale.is_known(at) || self.relaxed.twins,
            What::NotKnown(at) => !sale.is_known(at),
            What::Queued(at) => sale.is_known(at) && !sale.is_decided(at),
            What::Decided(at) => sale.is_decided(at),
            What::State { orders, queued, is_last } => {
                let truly = u64::from(sale.queued().count_ones());
                let may_differ = !(is_last && self.settled.is_some());
                orders.is_none_or(|orders| orders == sale.orders)
                    && queued.is_none_or(|queued| {
                        truly == queued
                            || may_differ && self.relaxed.more_queued && queued > truly
                            || may_differ && self.relaxed.fewer_queued && queued < truly
                    })
            }
            What::Settled => sale.queued() == 0,
            What::Ledger { known, decided } => {
                let is_settled = self.settled.is_none_or(|settled| sale.is_done(settled));
                is_settled && (sale.known, sale.decided) == (known, decided)
            }
        }
    }

    fn apply(&self, what: What, sale: &mut Sale) {
        match what {
            What::Open => sale.has_opened = true,
            What::Close => sale.has_closed = true,
            What::Accept(at) => sale.known |= 1 << at,
            What::Decide(at) => {
                let attempt = &self.question.attempts[at];
                let is_won = match attempt.fate {
                    Some(fate) => fate == Fate::Won,
                    None => {
                        sale.orders < self.question.stock
                            && sale.orders_of[attempt.buyer] < self.question.limit
                    }
                };
                sale.decide(at, attempt, is_won);
            }
            _ => unreachable!("{what:?} is a reading"),
        }
    }
}
