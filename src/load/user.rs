//! A virtual user's attempt: the click, or a double one; the retries; the wait for the decision.

use std::rc::Rc;
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::api::Refusal;
use crate::audit::{AttemptNo, Entry, Status, Told};
use crate::ids::RequestId;
use crate::random::{self, Draw};
use crate::settings::RetryOn;
use crate::stats::{Click, Counts, ErrorKind, Outcome};
use crate::units::Share;

use super::answer;
use super::line::{Exchange, Line};
use super::request::Template;
use super::timers::Alarm;
use super::worker::Worker;

/// Longest pause before a retry that comes from the doubling.
const BACKOFF_MAX: Duration = Duration::from_secs(10);

/// Longest `Retry-After` that anybody waits for: after it the buyer has gone.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(60);

/// Pause before a result is asked for again, where the server did not hold the answer or gave none.
const ASK_AGAIN: Duration = Duration::from_millis(50);

/// One virtual user.
#[derive(Debug)]
pub(super) struct User {
    worker: Rc<Worker>,
    /// Which one, from 0.
    thread: u32,
    /// Its attempt belongs to the warm-up: whatever comes of it is in no figure.
    warms_up: bool,
    line: Line,
    /// For the second click of a double one.
    twin_line: Option<Line>,
    clock: Alarm,
    purchase: Template<2>,
    /// Of the attempt that was built last.
    request_id: RequestId,
    result: Option<Template<1>>,
}

/// What one request was.
struct Sent {
    thread: u32,
    click: Click,
    intended: Option<Duration>,
    warms_up: bool,
    /// Its id.
    ours: RequestId,
}

/// What one request brought.
struct Heard {
    result: Result<Outcome, ErrorKind>,
    told: Option<Told>,
    retry_after: Option<Duration>,
}

impl User {
    pub(super) fn new(worker: Rc<Worker>, thread: u32) -> Self {
        let plan = worker.plan();
        let twins = plan.double_click != Share::default();
        Self {
            thread,
            warms_up: false,
            line: Line::new(worker.alarm()),
            twin_line: twins.then(|| Line::new(worker.alarm())),
            clock: worker.alarm(),
            purchase: worker.setup.purchase.clone(),
            request_id: RequestId(Uuid::nil()),
            result: plan.follow.then(|| worker.setup.result.clone()),
            worker,
        }
    }

    /// Opens the connections that an attempt needs, and says how many are open.
    pub(super) async fn prepare(&mut self) -> u64 {
        let (dialer, plan) = (&self.worker.setup.dialer, self.worker.plan());
        let mut open = 0;
        for line in [Some(&mut self.line), self.twin_line.as_mut()].into_iter().flatten() {
            open += u64::from(line.open(dialer, plan).await.is_ok());
        }
        open
    }

    /// Builds the request of an attempt, before its moment.
    pub(super) fn build(&mut self, attempt: AttemptNo) {
        let (buyer, request_id) = self.worker.ids(attempt);
        self.purchase.fill([buyer, request_id.0]);
        self.request_id = request_id;
    }

    /// Waits until so long after the beginning of the run, or until it is stopped.
    pub(super) async fn wait_until(&self, moment: Duration) {
        self.clock.at(self.worker.begun() + moment).await;
    }

    /// Makes the attempt that was built last, to its end. It begins `now`.
    pub(super) async fn attempt(
        &mut self,
        attempt: AttemptNo,
        intended: Option<Duration>,
        now: Duration,
    ) {
        self.worker.make(attempt);
        let clicked = intended.unwrap_or(now);
        self.warms_up = self.worker.warms_up(clicked);
        let request_id = self.request_id;
        let mut told = TellTale { attempt, told: None };
        let mut heard = if self.clicks_twice(attempt) {
            self.click_twice(request_id, intended, &mut told).await
        } else {
            self.click(Click::First, request_id, intended, &mut told).await
        };
        let mut retries = 0;
        while let Some(cause) = self.wants_retry(&heard, retries) {
            let pause = self.pause(attempt, retries, heard.retry_after);
            let intended = self.worker.elapsed() + pause;
            self.wait_until(intended).await;
            if self.worker.is_stopped() {
                break;
            }
            heard = self.click(Click::Again(cause), request_id, Some(intended), &mut told).await;
            retries += 1;
            if self.is_final(&heard) {
                self.count(|counts| counts.recovered += 1);
            }
        }
        if self.result.is_some() && told.is_accepted() {
            self.follow(request_id, clicked).await;
        }
        told.tell(&self.worker);
    }

    /// Counts, unless the attempt belongs to the warm-up.
    fn count(&self, count: impl FnOnce(&mut Counts)) {
        if !self.warms_up {
            self.worker.count(count);
        }
    }

    fn sent(&self, click: Click, ours: RequestId, intended: Option<Duration>) -> Sent {
        Sent { thread: self.thread, click, intended, warms_up: self.warms_up, ours }
    }

    fn clicks_twice(&self, attempt: AttemptNo) -> bool {
        let share = self.worker.plan().double_click.fraction();
        let seed = self.worker.plan().seed;
        share > 0.0 && random::uniform(seed, Draw::DoubleClick, attempt.number()) < share
    }

    async fn click(
        &mut self,
        click: Click,
        ours: RequestId,
        intended: Option<Duration>,
        told: &mut TellTale,
    ) -> Heard {
        self.count(|counts| counts.began += 1);
        let sent = self.sent(click, ours, intended);
        let worker = &*self.worker;
        let (dialer, plan) = (&worker.setup.dialer, worker.plan());
        let exchange = self.line.exchange(dialer, plan, self.purchase.bytes()).await;
        let heard = hear(worker, &sent, &exchange, self.line.body());
        told.add(worker, heard.told.clone());
        heard
    }

    /// The same request twice at once; the second on a connection of its own.
    async fn click_twice(
        &mut self,
        ours: RequestId,
        intended: Option<Duration>,
        told: &mut TellTale,
    ) -> Heard {
        let sent = |click| self.sent(click, ours, intended);
        let (sent_first, sent_twin) = (sent(Click::First), sent(Click::Twin));
        let Some(twin_line) = &mut self.twin_line else {
            return self.click(Click::First, ours, intended, told).await;
        };
        let worker = &*self.worker;
        let (dialer, plan) = (&worker.setup.dialer, worker.plan());
        let bytes = self.purchase.bytes();
        if !self.warms_up {
            worker.count(|counts| counts.began += 2);
        }
        let (first, twin) = tokio::join!(
            self.line.exchange(dialer, plan, bytes),
            twin_line.exchange(dialer, plan, bytes),
        );
        let first = hear(worker, &sent_first, &first, self.line.body());
        let twin = hear(worker, &sent_twin, &twin, twin_line.body());
        told.add(worker, first.told.clone());
        told.add(worker, twin.told.clone());
        // Who was told by one of them what came of both does not click again.
        let wants_no_retry = |heard| self.cause(heard).is_none();
        if self.is_final(&first) || !self.is_final(&twin) && wants_no_retry(&twin) {
            first
        } else {
            twin
        }
    }

    /// After what the attempt is to be sent again, if it may be.
    fn wants_retry(&self, heard: &Heard, retries: u64) -> Option<RetryOn> {
        let cause = self.cause(heard)?;
        let retry = &self.worker.plan().retry;
        let too_late = heard.retry_after.is_some_and(|time| time > RETRY_AFTER_MAX);
        if retries >= retry.max || too_late {
            self.count(|counts| counts.gave_up += 1);
            return None;
        }
        if self.worker.is_stopped() {
            return None;
        }
        if !self.worker.spend_retry() {
            self.count(|counts| counts.over_budget += 1);
            return None;
        }
        Some(cause)
    }

    /// What calls for a retry, by the plan.
    fn cause(&self, heard: &Heard) -> Option<RetryOn> {
        let retry = &self.worker.plan().retry;
        let cause = match &heard.result {
            Ok(Outcome::Refused(Refusal::RateLimited)) => RetryOn::RateLimited,
            Ok(Outcome::Refused(
                Refusal::QueueFull
                | Refusal::BrokerUnavailable
                | Refusal::StoreUnavailable
                | Refusal::Draining,
            )) => RetryOn::Unavailable,
            Ok(_) => return None,
            Err(_) if heard.told.is_none() => RetryOn::Connect,
            Err(_) => RetryOn::Unknown,
        };
        (retry.max > 0 && retry.on.contains(&cause)).then_some(cause)
    }

    /// Whether it is an answer that calls for no retry.
    fn is_final(&self, heard: &Heard) -> bool {
        heard.result.is_ok() && self.cause(heard).is_none()
    }

    /// What `Retry-After` says, and after it the doubled pause, of which up to a half is spared so
    /// that those who were refused together do not come back together.
    fn pause(&self, attempt: AttemptNo, retries: u64, retry_after: Option<Duration>) -> Duration {
        let plan = self.worker.plan();
        let doubled = plan.retry.backoff.saturating_mul(1 << retries.min(20)).min(BACKOFF_MAX);
        let seed = random::bits(plan.seed, Draw::Jitter, retries);
        let jitter = 1.0 - random::uniform(seed, Draw::Jitter, attempt.number()) / 2.0;
        retry_after.unwrap_or_default() + doubled.mul_f64(jitter)
    }

    /// Asks for the decision until it is there.
    async fn follow(&mut self, request_id: RequestId, clicked: Duration) {
        let worker = Rc::clone(&self.worker);
        let Some(result) = &mut self.result else { return };
        result.fill([request_id.0]);
        let counts = !self.warms_up;
        worker.count(|c| c.followed += u64::from(counts));
        let deadline = Instant::now() + worker.plan().settle_timeout;
        while !worker.is_stopped() && Instant::now() < deadline {
            let (dialer, plan) = (&worker.setup.dialer, worker.plan());
            let exchange = self.line.exchange(dialer, plan, result.bytes()).await;
            let told =
                exchange.answer.and_then(|a| answer::read_result(a.status, self.line.body()));
            match told {
                Ok(Some(Status::Queued)) => {}
                Ok(status) => {
                    let is_decided = status.is_some();
                    worker.keep_result(request_id, status);
                    if is_decided && counts {
                        worker.count(|counts| counts.decided += 1);
                        let known = exchange.ended.saturating_duration_since(worker.begun());
                        worker.settled(known.saturating_sub(clicked));
                    }
                    return;
                }
                Err(_) => worker.count(|c| c.follow_errors += u64::from(counts)),
            }
            let again = exchange.began + ASK_AGAIN;
            self.clock.at(again).await;
        }
    }
}

/// Records a request, and says what it brought.
fn hear(worker: &Worker, sent: &Sent, exchange: &Exchange, body: &[u8]) -> Heard {
    let read = exchange.answer.map(|response| answer::read(response.status, body, sent.ours));
    let (result, told) = match read {
        Ok(Ok((outcome, told))) => (Ok(outcome), told),
        Ok(Err(kind)) => (Err(kind), Some(Told::Unknown)),
        // What never left this machine had no effect.
        Err(kind) => (Err(kind), (exchange.bytes_sent > 0).then_some(Told::Unknown)),
    };
    let who = (sent.thread, sent.click);
    worker.record(&exchange.sample(worker.begun(), who, sent.intended, result), sent.warms_up);
    let retry_after = exchange.answer.ok().and_then(|response| response.retry_after);
    Heard { result, told, retry_after }
}

/// What an attempt was told, over all its requests.
struct TellTale {
    attempt: AttemptNo,
    told: Option<Told>,
}

impl TellTale {
    /// Adds an answer. A refusal (`None`) says only that its own request had no effect; what says
    /// more stands; what says something else is kept beside it, for the audit to find.
    fn add(&mut self, worker: &Worker, told: Option<Told>) {
        let Some(new) = told else { return };
        let is_decision = |told: &Told| matches!(told, Told::Won(_) | Told::Lost);
        match self.told.take() {
            Some(old) if is_decision(&old) && is_decision(&new) && old != new => {
                worker.keep(Entry { attempt: self.attempt, told: old });
                self.told = Some(new);
            }
            Some(old) if is_decision(&old) || new == Told::Unknown => self.told = Some(old),
            _ => self.told = Some(new),
        }
    }

    /// Whether it was accepted, and may be decided or not.
    fn is_accepted(&self) -> bool {
        self.told.as_ref().is_some_and(|told| *told != Told::Unknown)
    }

    fn tell(self, worker: &Worker) {
        if let Some(told) = self.told {
            worker.keep(Entry { attempt: self.attempt, told });
        }
    }
}
