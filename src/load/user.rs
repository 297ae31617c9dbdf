//! A virtual user: it makes one attempt after the other, each as a click or a double click with its
//! retries, and waits for the decision.

use std::rc::Rc;
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::history::{AttemptNo, RequestWindow, ResultRead, Status};
use crate::ids::RequestId;
use crate::random::{self, Draw};
use crate::settings::RetryOn;
use crate::stats::{Click, Counts, ErrorKind};
use crate::sut::{Client, Phase, ShownOrder};
use crate::units::Share;

use super::attempt::AttemptOutcome;
use super::http1::{Connection, Outgoing};
use super::payment::{self, Won};
use super::reply::{Reply, Request};
use super::retry::{Next, Policy};
use super::timers::Timer;
use super::worker::Worker;

/// Pause between two requests for a result, if the server did not hold the request or gave no
/// answer.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// One virtual user.
#[derive(Debug)]
pub(super) struct User {
    pub(super) worker: Rc<Worker>,
    /// The user's number, from 0.
    pub(super) thread: u32,
    /// Whether the current attempt belongs to the warm-up, which is excluded from the figures.
    pub(super) is_warmup: bool,
    pub(super) connection: Connection,
    /// The connection for the second request of a double click.
    twin_connection: Option<Connection>,
    pub(super) timer: Timer,
    pub(super) client: Client,
    /// The attempt that was built last, and its id.
    attempt: AttemptNo,
    request_id: RequestId,
}

impl User {
    pub(super) fn new(worker: Rc<Worker>, thread: u32) -> Self {
        let plan = worker.plan();
        let twins = plan.double_click != Share::default();
        Self {
            thread,
            is_warmup: false,
            connection: worker.connection(),
            twin_connection: twins.then(|| worker.connection()),
            timer: worker.timer(),
            client: worker.setup.client.clone(),
            attempt: AttemptNo { thread, index: 0 },
            request_id: RequestId(Uuid::nil()),
            worker,
        }
    }

    /// Opens the connections that an attempt needs, and returns how many are open.
    pub(super) async fn prepare(&mut self) -> u64 {
        let (connector, plan) = (&self.worker.setup.connector, self.worker.plan());
        let mut open = 0;
        let connections = [Some(&mut self.connection), self.twin_connection.as_mut()];
        for connection in connections.into_iter().flatten() {
            open += u64::from(connection.open(connector, plan).await.is_ok());
        }
        open
    }

    /// Builds the request of an attempt, before its moment.
    pub(super) fn build(&mut self, attempt: AttemptNo) {
        let visit = self.worker.visit(attempt, self.thread);
        self.client.begin(visit);
        self.attempt = attempt;
        self.request_id = visit.request_id;
    }

    /// Waits until this time after the beginning of the run, or until the run is stopped.
    pub(super) async fn wait_until(&self, moment: Duration) {
        self.timer.at(self.worker.begun() + moment).await;
    }

    /// Completes the attempt that was built last, which begins now: at the last reading of the
    /// clock.
    pub(super) async fn attempt(
        &mut self,
        attempt: AttemptNo,
        intended: Option<Duration>,
        now: Instant,
    ) {
        self.worker.count_attempt(attempt);
        let clicked = intended.unwrap_or_else(|| self.worker.since_begun(now));
        self.is_warmup = self.worker.is_warmup(clicked);
        let Ok((intended, began)) = self.before_purchase(intended, now).await else { return };
        let mut outcome = AttemptOutcome::new(attempt);
        let mut reply = if self.is_double_click(attempt) {
            self.click_twice(intended, &mut outcome).await
        } else {
            self.click(Click::First, intended, began, &mut outcome).await
        };
        let mut retries = 0;
        while let Some(cause) = self.next_retry(&reply, retries) {
            let pause = self.policy().pause(attempt, retries, reply.retry_after);
            let intended = self.worker.elapsed() + pause;
            self.wait_until(intended).await;
            if self.worker.is_stopped() {
                break;
            }
            let began = Instant::now();
            reply = self.click(Click::Again(cause), Some(intended), began, &mut outcome).await;
            retries += 1;
            if self.is_final(&reply) {
                self.count(|counts| counts.recovered += 1);
            }
        }
        let wants_result =
            outcome.is_queued() || outcome.is_accepted() && self.worker.setup.sut.polls_decided();
        if self.worker.plan().follow && wants_result {
            self.follow(clicked).await;
        }
        outcome.finish(&self.worker);
        // A failure of theirs changes nothing of the purchase; their own figures show it.
        let _ = self.steps(Phase::After).await;
    }

    /// Makes the steps before the purchase. Returns when the purchase is intended, which they move
    /// by as long as they take, and when it begins.
    async fn before_purchase(
        &mut self,
        intended: Option<Duration>,
        now: Instant,
    ) -> Result<(Option<Duration>, Instant), ErrorKind> {
        if self.client.steps(Phase::Before).is_empty() {
            return Ok((intended, now));
        }
        let began = self.worker.elapsed();
        if let Err(kind) = self.steps(Phase::Before).await {
            self.count(|counts| counts.began += 1);
            self.record_without_purchase(intended, began);
            return Err(kind);
        }
        self.client.ready();
        let ready = Instant::now();
        let took = self.worker.since_begun(ready).saturating_sub(began);
        let intended = intended.unwrap_or_else(|| self.worker.since_begun(now));
        Ok((Some(intended + took), ready))
    }

    fn policy(&self) -> Policy<'_> {
        let plan = self.worker.plan();
        Policy { retry: &plan.retry, seed: plan.seed }
    }

    /// Counts, unless the attempt belongs to the warm-up.
    fn count(&self, count: impl FnOnce(&mut Counts)) {
        if !self.is_warmup {
            self.worker.count(count);
        }
    }

    fn request(&self, click: Click, intended: Option<Duration>) -> Request {
        let Self { thread, attempt, is_warmup, .. } = *self;
        Request { thread, attempt, click, intended, is_warmup }
    }

    fn is_double_click(&self, attempt: AttemptNo) -> bool {
        let share = self.worker.plan().double_click.fraction();
        let seed = self.worker.plan().seed;
        share > 0.0 && random::uniform(seed, Draw::DoubleClick, attempt.number()) < share
    }

    async fn click(
        &mut self,
        click: Click,
        intended: Option<Duration>,
        began: Instant,
        outcome: &mut AttemptOutcome,
    ) -> Reply {
        self.count(|counts| counts.began += 1);
        let request = self.request(click, intended);
        let worker = &*self.worker;
        let (connector, plan) = (&worker.setup.connector, worker.plan());
        let (bytes, is_scheduled) = (self.client.purchase(), intended.is_some());
        let outgoing = Outgoing { bytes, began, is_scheduled };
        let exchange = self.connection.exchange_from(connector, plan, outgoing).await;
        let answer = (&exchange, &self.connection);
        let reply = Reply::receive(worker, &request, &mut self.client, answer);
        outcome.add(worker, &reply);
        reply
    }

    /// Sends the same request twice simultaneously; the second one has its own connection.
    async fn click_twice(
        &mut self,
        intended: Option<Duration>,
        outcome: &mut AttemptOutcome,
    ) -> Reply {
        let (first, twin) =
            (self.request(Click::First, intended), self.request(Click::Twin, intended));
        let Some(twin_connection) = &mut self.twin_connection else {
            return self.click(Click::First, intended, Instant::now(), outcome).await;
        };
        let worker = &*self.worker;
        let (connector, plan) = (&worker.setup.connector, worker.plan());
        let bytes = self.client.purchase();
        if !self.is_warmup {
            worker.count(|counts| counts.began += 2);
        }
        let (first_exchange, twin_exchange) = tokio::join!(
            self.connection.exchange(connector, plan, bytes),
            twin_connection.exchange(connector, plan, bytes),
        );
        let client = &mut self.client;
        let first = Reply::receive(worker, &first, client, (&first_exchange, &self.connection));
        let twin = Reply::receive(worker, &twin, client, (&twin_exchange, &*twin_connection));
        outcome.add(worker, &first);
        outcome.add(worker, &twin);
        // A final answer to either request ends the attempt; without one, a reply that calls for no
        // retry counts less than one that does.
        let wants_no_retry = |reply: &Reply| self.policy().applies(reply.cause).is_none();
        if self.is_final(&first) || !self.is_final(&twin) && wants_no_retry(&twin) {
            first
        } else {
            twin
        }
    }

    /// The cause of the next retry; `None` if there is none.
    fn next_retry(&self, reply: &Reply, retries: u64) -> Option<RetryOn> {
        match self.policy().next(reply.cause, reply.retry_after, retries) {
            Next::Done => None,
            Next::GiveUp => {
                self.count(|counts| counts.gave_up += 1);
                None
            }
            Next::Retry(_) if self.worker.is_stopped() => None,
            Next::Retry(_) if !self.worker.spend_retry() => {
                self.count(|counts| counts.over_budget += 1);
                None
            }
            Next::Retry(cause) => Some(cause),
        }
    }

    /// Whether the reply is a usable answer that calls for no retry.
    fn is_final(&self, reply: &Reply) -> bool {
        reply.result.is_ok() && self.policy().applies(reply.cause).is_none()
    }

    /// Begins the payment for the order, if the attempt has won one that its buyer pays for.
    fn pay(&self, status: Option<&Status>) {
        let Some(order_id) = status.and_then(Status::order_id).cloned() else { return };
        let Self { attempt, request_id, is_warmup, .. } = *self;
        let won = Won { attempt, request_id, order_id, is_warmup };
        payment::begin(&self.worker, &self.client, won);
    }

    /// Polls for the decision, until it is known or the settle time-out expires.
    async fn follow(&mut self, clicked: Duration) {
        let worker = Rc::clone(&self.worker);
        let request_id = self.request_id;
        let counts = !self.is_warmup;
        worker.count(|c| c.followed += u64::from(counts));
        let deadline = Instant::now() + worker.plan().settle_timeout;
        let mut queued_us = None;
        while !worker.is_stopped() && Instant::now() < deadline {
            let (connector, plan) = (&worker.setup.connector, worker.plan());
            let exchange = self.connection.exchange(connector, plan, self.client.result()).await;
            let status = match exchange.answer {
                Ok(answer) => self.client.understand_result(self.connection.received(answer)),
                Err(kind) => Err(kind.into()),
            };
            let (sent_us, answered_us) = (worker.us(exchange.began), worker.us(exchange.ended));
            match status {
                Ok(Some(Status::Queued)) => queued_us = Some((sent_us, answered_us)),
                Ok(status) => {
                    let is_decided = status.is_some();
                    // The order was not made before the last result that showed none.
                    if let Some((sent_us, answered_us)) = queued_us {
                        worker.keep_result(ResultRead {
                            request_id,
                            status: Some(Status::Queued),
                            order: None,
                            held_until_us: None,
                            sent_us,
                            answered_us,
                        });
                    }
                    self.pay(status.as_ref());
                    let ShownOrder { status: order, held_until_us } = self.client.shown_order();
                    worker.keep_result(ResultRead {
                        request_id,
                        status,
                        order,
                        held_until_us,
                        sent_us,
                        answered_us,
                    });
                    if is_decided && counts {
                        worker.count(|counts| counts.decided += 1);
                        let known = exchange.ended.saturating_duration_since(worker.begun());
                        worker.settled(known.saturating_sub(clicked));
                    }
                    return;
                }
                Err(unusable) => {
                    worker.count(|c| c.follow_errors += u64::from(counts));
                    if unusable.is_contradictory {
                        let attempt = self.attempt;
                        worker.keep_contradictory(RequestWindow { attempt, sent_us, answered_us });
                    }
                }
            }
            self.timer.at(exchange.began + POLL_INTERVAL).await;
        }
    }
}
