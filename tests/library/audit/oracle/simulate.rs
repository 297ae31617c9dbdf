//! Simulated runs: users that buy, retry and read, beside each other, from a simulated sale.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use seckill::history::{Answered, AttemptNo, Ledger, RequestWindow, ResultRead, View};

use super::super::times::BEGAN_US;
use super::random::Random;
use super::run::{Answer, Request, Run};
use super::sale::Sale;
use super::terms::{Bug, FIRST_TURN, Size, Terms};

pub(super) fn simulate(size: Size, is_right: bool, random: &mut Random) -> Run {
    let terms = Terms::random(size, is_right, random);
    let mut load = Load::new(size, terms, random);
    load.earlier();
    load.read_state();
    let before = load.sale.ledger();
    load.run();
    let (is_settled, ledger) = load.settle();
    load.read_results();
    load.read_state();
    let pause = load.random.between(1, 20);
    load.pass(pause);
    let again = load.sale.ledger();
    load.read_state();
    let last = load.views.pop().filter(|_| load.random.chance(90));
    let Load { requests, results, views, sale, random, .. } = load;
    let (ids, turn_us) = (sale.terms.ids, sale.terms.turn_us);
    let began_us = if random.chance(30) { 0 } else { BEGAN_US };
    let again = (again, last);
    let run = Run { ids, began_us, before, requests, results, views, is_settled, ledger, again };
    run.in_turns_of(turn_us)
}

/// What happens at some turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A request arrives at the sale.
    Arrives(usize),
    /// A request for a result arrives, or one for the state of the sale.
    Asks(usize),
    Looks(usize),
    /// The sale decides one attempt.
    Decides,
    /// A user makes the next request.
    Wakes(u32),
}

struct Load<'a> {
    random: &'a mut Random,
    size: Size,
    sale: Sale,
    turn: u64,
    events: BinaryHeap<Reverse<(u64, Event)>>,
    /// Times are in turns.
    requests: Vec<Request>,
    /// Whether the client gets the answer of a request.
    is_heard: Vec<bool>,
    results: Vec<ResultRead>,
    views: Vec<View>,
    users: Vec<User>,
}

#[derive(Debug, Clone, Copy)]
struct User {
    /// The number of attempts that are still to be made, and the number of the next one.
    left: u64,
    next: u64,
    retries: u64,
}

impl<'a> Load<'a> {
    fn new(size: Size, terms: Terms, random: &'a mut Random) -> Self {
        let (users, attempts) = match size {
            Size::Tiny => (random.between(1, 4), 2),
            Size::Small => (random.between(1, 4), 4),
            Size::Long => (random.between(1, 3), 20),
        };
        let user = |_| User { left: random.between(1, attempts), next: 0, retries: 0 };
        let users = (0..users).map(user).collect();
        Self {
            size,
            sale: Sale::new(terms),
            turn: 0,
            events: BinaryHeap::new(),
            requests: Vec::new(),
            is_heard: Vec::new(),
            results: Vec::new(),
            views: Vec::new(),
            users,
            random,
        }
    }

    /// Attempts of an earlier run, in which the sale was right: of other buyers, of the same, or
    /// under the same ids.
    fn earlier(&mut self) {
        if self.size == Size::Tiny || !self.random.chance(25) {
            return;
        }
        let ids = self.sale.terms.ids;
        let bug = std::mem::replace(&mut self.sale.terms.bug, Bug::None);
        for index in 0..self.random.between(1, 3) {
            let mine = AttemptNo { thread: 0, index };
            let (attempt, uid) = match self.random.below(3) {
                0 => (mine, ids.buyer(mine).to_string()),
                1 => (AttemptNo { thread: 9, index }, ids.buyer(mine).to_string()),
                _ => (AttemptNo { thread: 9, index }, format!("earlier-{index}")),
            };
            self.sale.accept(attempt, &uid, 0);
            if self.random.chance(80) {
                self.sale.decide(0, self.random);
            } else {
                let turn = self.random.between(FIRST_TURN, 2 * FIRST_TURN);
                self.events.push(Reverse((turn, Event::Decides)));
            }
        }
        self.sale.terms.bug = bug;
    }

    /// Everything until the last request of the load was answered.
    fn run(&mut self) {
        self.pass(FIRST_TURN);
        for thread in 0..self.users.len() as u32 {
            let turn = self.turn + self.random.below(6);
            self.events.push(Reverse((turn, Event::Wakes(thread))));
        }
        let wakes = |event: &Reverse<(u64, Event)>| matches!(event.0.1, Event::Wakes(_));
        while self.events.iter().any(wakes) {
            self.pass(1);
        }
        let ended = self.requests.iter().map(|request| request.window.answered_us).max();
        let reads = self.results.iter().map(|read| read.answered_us).max();
        let views = self.views.iter().map(|view| view.answered_us).max();
        let end = ended.max(reads).max(views).unwrap_or(0);
        self.pass((end + 1).saturating_sub(self.turn));
    }

    /// Lets this many turns pass.
    fn pass(&mut self, turns: u64) {
        let until = self.turn + turns;
        while let Some(Reverse((turn, event))) = self.events.peek().copied()
            && turn < until
        {
            self.events.pop();
            self.turn = self.turn.max(turn);
            self.happens(event);
        }
        self.turn = until;
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Arrives(at) => {
                let queued = self.sale.queued();
                let attempt = self.requests[at].window.attempt;
                let answer = self.sale.post(attempt, self.turn, self.random);
                if self.sale.queued() > queued {
                    let turn = self.turn + self.decision_turns();
                    self.events.push(Reverse((turn, Event::Decides)));
                }
                if self.is_heard[at] {
                    self.requests[at].answer = answer;
                }
            }
            Event::Asks(at) => {
                let id = self.results[at].request_id;
                let attempt = self.sale.terms.ids.attempt(&id).unwrap();
                self.results[at].status = self.sale.result(attempt, self.turn);
            }
            Event::Looks(at) => self.views[at].sale = self.sale.state(self.turn),
            Event::Decides => self.sale.decide(self.turn, self.random),
            Event::Wakes(thread) => self.wake(thread),
        }
    }

    fn decision_turns(&mut self) -> u64 {
        let is_slow = self.size == Size::Small && self.random.chance(15);
        if is_slow { self.random.between(5, 40) } else { self.random.below(6) }
    }

    /// The user's requests are answered: it tries again, or makes the next attempt.
    fn wake(&mut self, thread: u32) {
        let user = self.users[thread as usize];
        let attempt = AttemptNo { thread, index: user.next.saturating_sub(1) };
        let of = |request: &&Request| request.window.attempt == attempt;
        let last = self.requests.iter().rfind(of).map(|last| last.answer.clone());
        let wants_more = match last {
            Some(Answer::Answered(Answered::Unknown)) => self.random.chance(50),
            Some(Answer::Refused(refused)) => refused.is_temporary() && self.random.chance(50),
            Some(Answer::Answered(_)) => self.random.chance(5),
            None => false,
        };
        let is_retry = wants_more && user.retries > 0 && self.size != Size::Tiny;
        let user = &mut self.users[thread as usize];
        let attempt = if is_retry {
            user.retries -= 1;
            attempt
        } else if user.left > 0 {
            *user = User { left: user.left - 1, next: user.next + 1, retries: 2 };
            AttemptNo { thread, index: user.next - 1 }
        } else {
            return;
        };
        let twice = self.size != Size::Tiny && !is_retry && self.random.chance(8);
        let first = self.send(attempt, self.turn);
        let answered = if twice {
            let sent = self.turn + self.random.below(2);
            first.max(self.send(attempt, sent))
        } else {
            first
        };
        self.read_now_and_then();
        let pause = match self.size {
            Size::Long => self.random.between(2, 8),
            _ => self.random.below(6),
        };
        self.events.push(Reverse((answered + pause, Event::Wakes(thread))));
    }

    /// Sends a request, and returns the turn in which it is answered or given up.
    fn send(&mut self, attempt: AttemptNo, sent: u64) -> u64 {
        let is_heard = self.random.chance(if self.size == Size::Long { 96 } else { 88 });
        let (arrives, answered) = if is_heard {
            let arrives = sent + self.random.below(5);
            (arrives, arrives + self.random.below(5))
        } else {
            let late = if self.random.chance(70) { 8 } else { 60 };
            (sent + self.random.below(late), sent + self.random.between(2, 8))
        };
        if is_heard || self.random.chance(70) {
            let event = Event::Arrives(self.requests.len());
            self.events.push(Reverse((arrives, event)));
        }
        let window = RequestWindow { attempt, sent_us: sent, answered_us: answered };
        let answer = Answer::Answered(Answered::Unknown);
        self.requests.push(Request { window, answer });
        self.is_heard.push(is_heard);
        answered
    }

    fn read_now_and_then(&mut self) {
        let (results, states) = if self.size == Size::Tiny { (20, 20) } else { (35, 25) };
        if self.random.chance(results) {
            let attempt = self.random.index(self.requests.len());
            let attempt = self.requests[attempt].window.attempt;
            let sent = self.turn + self.random.below(8);
            self.ask(attempt, sent);
        }
        if self.random.chance(states) {
            let sent = self.turn + self.random.below(8);
            let (arrives, answered) = self.window(sent);
            self.events.push(Reverse((arrives, Event::Looks(self.views.len()))));
            let sale = self.sale.state(0);
            self.views.push(View { sent_us: sent, answered_us: answered, sale });
        }
    }

    fn ask(&mut self, attempt: AttemptNo, sent: u64) -> u64 {
        let (arrives, answered) = self.window(sent);
        self.events.push(Reverse((arrives, Event::Asks(self.results.len()))));
        let request_id = self.sale.terms.ids.request_id(attempt);
        let (sent_us, answered_us) = (sent, answered);
        self.results.push(ResultRead {
            request_id,
            status: None,
            order: None,
            held_until_us: None,
            sent_us,
            answered_us,
        });
        answered
    }

    /// When a request that is sent in this turn arrives and is answered.
    fn window(&mut self, sent: u64) -> (u64, u64) {
        let arrives = sent + self.random.below(3);
        (arrives, arrives + self.random.below(3))
    }

    /// Waits until nothing is queued, as `bench` does, and reads the ledger.
    fn settle(&mut self) -> (bool, Ledger) {
        let mut is_settled = false;
        for _ in 0..self.random.between(1, 6) {
            let pause = self.random.between(1, 9);
            self.pass(pause);
            self.read_state();
            if self.views.last().is_some_and(|view| view.sale.queued == 0) {
                is_settled = true;
                break;
            }
        }
        self.pass(1);
        (is_settled, self.sale.ledger())
    }

    /// Reads the state of the sale now.
    fn read_state(&mut self) {
        let sent_us = self.turn;
        self.pass(1);
        let sale = self.sale.state(self.turn);
        let pause = self.random.below(2);
        self.pass(pause);
        self.views.push(View { sent_us, answered_us: self.turn, sale });
        self.pass(1);
    }

    /// Reads the results of some attempts after the load.
    fn read_results(&mut self) {
        let mut attempts: Vec<AttemptNo> =
            self.requests.iter().map(|request| request.window.attempt).collect();
        attempts.sort_unstable();
        attempts.dedup();
        for attempt in attempts {
            if self.random.chance(if self.size == Size::Long { 20 } else { 50 }) {
                let answered = self.ask(attempt, self.turn);
                self.pass(answered + 1 - self.turn);
            }
        }
    }
}
