//! One attempt of one virtual user, request by request, for people to look at.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::LocalSet;

use crate::history::{Answered, AttemptNo, Beginning, Entry, History, Ids, Status};
use crate::ids::ItemId;
use crate::profile::Plan;
use crate::stats::ErrorKind;
use crate::sut::{Client, Meaning, Phase, Sut, Target, Understood, Unusable, Visit};

use super::http1::{Connection, Connector, Exchange};
use super::timers::Timers;

/// How often the result of an accepted attempt is asked for, and the pause between two times.
const RESULT_TRIES: u32 = 40;
const RESULT_PAUSE: Duration = Duration::from_millis(250);

/// What the attempt is made with.
#[derive(Debug)]
pub struct Rehearsal<'a> {
    /// The plan, of which the seed and the time-outs count.
    pub plan: &'a Plan,
    /// The kind of the tested system.
    pub sut: &'a Sut,
    /// Its address.
    pub target: &'a Target,
    /// The item to buy.
    pub item: &'a ItemId,
    /// When the times of the history begin.
    pub beginning: Beginning,
    /// Whether the result of an accepted attempt is asked for.
    pub has_result: bool,
}

/// One request, and its answer.
#[derive(Debug)]
pub struct Rehearsed {
    /// The request as it was sent: head and body.
    pub request: Vec<u8>,
    /// The status and the body of the answer, or why there is none.
    pub answer: Result<(u16, Vec<u8>), ErrorKind>,
    /// Time from begin to last byte.
    pub took: Duration,
    /// What was made of it.
    pub part: Part,
}

/// What was made of an answer.
#[derive(Debug)]
pub enum Part {
    /// A step: its number, what was extracted, and why it failed, if it did.
    Step(usize, Vec<(String, String)>, Option<ErrorKind>),
    /// The purchase: what was extracted, which outcome the answer had, counted from 0, and what it
    /// means.
    Purchase(Vec<(String, String)>, Option<usize>, Result<Understood, Unusable>),
    /// The result.
    Result(Result<Option<Status>, Unusable>),
}

/// Makes one attempt. Returns its requests, and the history of it. It blocks.
///
/// # Errors
/// When the system has no resources for it, or the description is wrong.
pub fn rehearse(rehearsal: &Rehearsal<'_>) -> io::Result<(Vec<Rehearsed>, History)> {
    let Rehearsal { plan, sut, target, item, beginning, .. } = *rehearsal;
    let client = sut.client(target, plan, item, Duration::ZERO).map_err(io::Error::other)?;
    let ids = Ids::new(plan.seed, plan.buyers);
    let history = History::new(ids, item.clone(), 1, beginning.unix_us());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let timers = Timers::new()?;
        let connection = Connection::new(timers.timer(), sut.body_len_max());
        let connector = Connector::new(target)?;
        let seen = Vec::new();
        let mut user = Rehearsing { rehearsal, client, connection, connector, history, seen };
        let attempt = Rc::clone(&timers);
        tokio::select! {
            () = user.attempt(&attempt) => {}
            driven = timers.drive() => driven?,
        }
        Ok((user.seen, user.history))
    })
}

struct Rehearsing<'a> {
    rehearsal: &'a Rehearsal<'a>,
    client: Client,
    connection: Connection,
    connector: Connector,
    history: History,
    seen: Vec<Rehearsed>,
}

impl Rehearsing<'_> {
    async fn attempt(&mut self, timers: &Rc<Timers>) {
        let attempt = AttemptNo { thread: 0, index: 0 };
        self.client.begin(Visit::new(self.history.ids, attempt, 0));
        for step in self.client.steps(Phase::Setup).chain(self.client.steps(Phase::Before)) {
            if !self.step(step).await {
                return;
            }
        }
        self.client.ready();
        if self.purchase(attempt).await && self.rehearsal.has_result {
            for _ in 0..RESULT_TRIES {
                if self.result().await {
                    break;
                }
                timers.timer().at(std::time::Instant::now() + RESULT_PAUSE).await;
            }
        }
        for step in self.client.steps(Phase::After) {
            if !self.step(step).await {
                return;
            }
        }
    }

    async fn send(&mut self, request: Vec<u8>) -> (Vec<u8>, Exchange) {
        let plan = self.rehearsal.plan;
        let exchange = self.connection.exchange(&self.connector, plan, &request).await;
        (request, exchange)
    }

    fn keep(&mut self, (request, exchange): (Vec<u8>, Exchange), part: Part) {
        let answer = exchange
            .answer
            .map(|response| (response.status, self.connection.received(response).body.to_vec()));
        let took = exchange.ended.saturating_duration_since(exchange.began);
        self.seen.push(Rehearsed { request, answer, took, part });
    }

    /// Makes a step, and returns whether it was a success.
    async fn step(&mut self, step: usize) -> bool {
        let request = self.client.step(step).to_vec();
        let sent = self.send(request).await;
        let taken = sent
            .1
            .answer
            .and_then(|response| self.client.take_step(step, self.connection.received(response)));
        let extracted = self.client.extracted(step);
        self.keep(sent, Part::Step(step, extracted, taken.err()));
        taken.is_ok()
    }

    /// Makes the purchase, and returns whether its decision is to be waited for.
    async fn purchase(&mut self, attempt: AttemptNo) -> bool {
        self.history.sent[0] = 1;
        let request = self.client.purchase().to_vec();
        let sent = self.send(request).await;
        let understood = match sent.1.answer {
            Ok(response) => self.client.understand(self.connection.received(response)),
            Err(kind) => Err(kind.into()),
        };
        let answered = match &understood {
            Ok(Understood { meaning: Meaning::Answered(answered), .. }) => Some(answered.clone()),
            Ok(Understood { meaning: Meaning::Refused(_), .. }) => None,
            Err(_) => Some(Answered::Unknown),
        };
        let is_accepted = answered == Some(Answered::Accepted);
        let beginning = self.rehearsal.beginning;
        let (sent_us, answered_us) = (beginning.us(sent.1.began), beginning.us(sent.1.ended));
        let entry = answered.map(|answered| Entry {
            attempt,
            answered,
            sent_us,
            answered_us,
            refusal: None,
        });
        self.history.entries.extend(entry);
        let extracted = self.client.extracted(self.client.purchase_step());
        let outcome = self.client.last_outcome();
        self.keep(sent, Part::Purchase(extracted, outcome, understood));
        is_accepted
    }

    /// Asks for the result, and returns whether it is one.
    async fn result(&mut self) -> bool {
        let request = self.client.result().to_vec();
        let sent = self.send(request).await;
        let status = match sent.1.answer {
            Ok(response) => self.client.understand_result(self.connection.received(response)),
            Err(kind) => Err(kind.into()),
        };
        let is_decided = matches!(&status, Ok(Some(status)) if status.is_decision());
        if let Some(Rehearsed { part: Part::Result(_), .. }) = self.seen.last() {
            // Only the last of them is shown.
            self.seen.pop();
        }
        self.keep(sent, Part::Result(status));
        is_decided
    }
}
