//! The state that the users of one worker share. Nothing in it leaves the worker's thread, and no
//! borrow lives across an await.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::history::{
    AttemptNo, Beginning, Entry, History, Payment, Refused, RequestWindow, ResultRead,
};
use crate::profile::Plan;
use crate::stats::{Counts, ErrorKind, Live, Sample, SecondRecorder, Steps};
use crate::sut::{Client, Sut, Visit};

use super::http1::{Connection, Connector};
use super::payments::Payments;
use super::retry::Budget;
use super::ring::Ring;
use super::timers::{Timer, Timers};

/// Number of samples in a batch.
const BATCH: usize = 512;

/// What a worker sends to the aggregator: once a second, and for each batch of samples.
#[derive(Debug)]
pub(super) enum Part {
    /// The figures of a second of the run, from 0. A second in which no request ended may be
    /// missing.
    Second { worker: usize, second: u64, recorder: Box<SecondRecorder> },
    /// Samples, if the sink wants them.
    Samples(Vec<Sample>),
    /// The worker has ended.
    End { worker: usize },
}

/// What all users of a run share.
#[derive(Debug, Clone)]
pub(super) struct Setup {
    pub(super) plan: Plan,
    pub(super) sut: Sut,
    pub(super) connector: Connector,
    /// A virtual user that has sent nothing yet.
    pub(super) client: Client,
    pub(super) live: Arc<Live>,
    /// When the times of the history begin.
    pub(super) beginning: Beginning,
    pub(super) stop: CancellationToken,
    /// How many workers there are.
    pub(super) workers: usize,
    pub(super) wants_samples: bool,
}

#[derive(Debug)]
pub(super) struct Worker {
    /// The worker's number, from 0.
    pub(super) index: usize,
    pub(super) setup: Setup,
    timers: Rc<Timers>,
    /// Where connections go over io_uring.
    ring: Option<Rc<Ring>>,
    begun: Cell<Instant>,
    history: RefCell<History>,
    /// The retry budget.
    budget: Cell<Budget>,
    second: Cell<u64>,
    recorder: RefCell<SecondRecorder>,
    steps: RefCell<Steps>,
    pub(super) payments: Payments,
    /// Why a virtual user could not be set up, if one could not.
    failure: RefCell<Option<String>>,
    samples: RefCell<Vec<Sample>>,
    parts: SyncSender<Part>,
}

impl Worker {
    pub(super) fn new(
        index: usize,
        setup: Setup,
        (timers, ring): (Rc<Timers>, Option<Rc<Ring>>),
        history: History,
        parts: SyncSender<Part>,
    ) -> Self {
        let budget = Budget::new(&setup.plan.retry, setup.plan.threads);
        let steps = setup.sut.steps().len();
        let payments = Payments::new(setup.plan.settle_timeout);
        Self {
            index,
            setup,
            timers,
            ring,
            begun: Cell::new(Instant::now()),
            history: RefCell::new(history),
            budget: Cell::new(budget),
            second: Cell::new(0),
            recorder: RefCell::default(),
            steps: RefCell::new(Steps::new(steps)),
            payments,
            failure: RefCell::default(),
            samples: RefCell::default(),
            parts,
        }
    }

    /// The run begins at this moment.
    pub(super) fn begin(&self, begun: Instant) {
        self.begun.set(begun);
        self.setup.live.begin(begun);
    }

    pub(super) fn begun(&self) -> Instant {
        self.begun.get()
    }

    /// Time since the beginning of the run.
    pub(super) fn elapsed(&self) -> Duration {
        self.begun.get().elapsed()
    }

    /// Time from the beginning of the run to this moment.
    pub(super) fn since_begun(&self, moment: Instant) -> Duration {
        moment.saturating_duration_since(self.begun.get())
    }

    /// Microseconds from the beginning of the history to this moment.
    pub(super) fn us(&self, moment: Instant) -> u64 {
        self.setup.beginning.us(moment)
    }

    pub(super) fn timer(&self) -> Timer {
        self.timers.timer()
    }

    /// A connection that is not open yet.
    pub(super) fn connection(&self) -> Connection {
        let connection = Connection::new(self.timer(), self.setup.sut.body_len_max());
        connection.over(self.ring.clone())
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.setup.plan
    }

    /// Whether no further attempt may begin. The token is the worker's own child of the run's, so
    /// that its lock is never contended.
    pub(super) fn is_stopped(&self) -> bool {
        self.setup.stop.is_cancelled()
    }

    /// Whether an attempt that is due at this moment belongs to the warm-up.
    pub(super) fn is_warmup(&self, moment: Duration) -> bool {
        moment < self.plan().warmup
    }

    /// Who makes an attempt.
    pub(super) fn visit(&self, attempt: AttemptNo, thread: u32) -> Visit {
        Visit::new(self.history.borrow().ids, attempt, thread)
    }

    /// Counts an attempt as sent, before its first byte. The attempts of a thread come in order.
    pub(super) fn count_attempt(&self, attempt: AttemptNo) {
        self.history.borrow_mut().sent[attempt.thread as usize] = attempt.index + 1;
        self.budget.set(self.budget.get().earn());
    }

    /// Takes a retry from the budget; false if the budget is spent.
    pub(super) fn spend_retry(&self) -> bool {
        let left = self.budget.get().spend();
        self.budget.set(left.unwrap_or(self.budget.get()));
        left.is_some()
    }

    /// Keeps the answer to an attempt, for the audit.
    pub(super) fn keep(&self, entry: Entry) {
        self.history.borrow_mut().entries.push(entry);
    }

    /// Keeps a refusal, for the audit.
    pub(super) fn keep_refusal(
        &self,
        refused: Refused,
        window: RequestWindow,
        has_retry_after: bool,
    ) {
        let mut history = self.history.borrow_mut();
        history.refusals.add(refused, window);
        let must_have = self.setup.sut.promises_retry_after();
        if must_have && refused.is_temporary() && !has_retry_after {
            history.without_retry_after.add(window);
        }
    }

    /// Keeps an answer that contradicts itself, for the audit.
    pub(super) fn keep_contradictory(&self, window: RequestWindow) {
        self.history.borrow_mut().contradictory.add(window);
    }

    /// Keeps the result of an attempt, for the audit.
    pub(super) fn keep_result(&self, read: ResultRead) {
        self.history.borrow_mut().results.push(read);
    }

    /// Keeps a payment for an order, for the audit.
    pub(super) fn keep_payment(&self, payment: Payment) {
        self.history.borrow_mut().payments.push(payment);
    }

    /// Counts a request that ended; a request of the warm-up is counted only as such.
    pub(super) fn record(&self, sample: &Sample, is_warmup: bool) {
        self.setup.live.record(self.index, sample);
        if is_warmup {
            self.count(|counts| counts.warmup += 1);
            return;
        }
        self.roll_to(sample.ended);
        self.recorder.borrow_mut().record(sample);
        if self.setup.wants_samples {
            let mut samples = self.samples.borrow_mut();
            samples.push(*sample);
            if samples.len() >= BATCH {
                let full = std::mem::replace(&mut *samples, Vec::with_capacity(BATCH));
                self.send(Part::Samples(full));
            }
        }
    }

    /// Sends the samples recorded so far, even if they do not fill a batch.
    fn flush_samples(&self) {
        let samples = self.samples.take();
        if !samples.is_empty() {
            self.send(Part::Samples(samples));
        }
    }

    /// Counts a request of a step.
    pub(super) fn record_step(&self, step: usize, latency: Duration, error: Option<ErrorKind>) {
        self.steps.borrow_mut().record(step, latency, error);
    }

    /// Notes that a virtual user could not be set up.
    pub(super) fn set_up_failed(&self, because: String) {
        self.failure.borrow_mut().get_or_insert(because);
    }

    /// Why a virtual user could not be set up, if one could not.
    pub(super) fn failure(&self) -> Option<String> {
        self.failure.borrow().clone()
    }

    /// Updates counts that are not derived from samples.
    pub(super) fn count(&self, count: impl FnOnce(&mut Counts)) {
        count(&mut self.recorder.borrow_mut().recorder.counts);
    }

    /// Counts a decision that a buyer waited for.
    pub(super) fn settled(&self, time: Duration) {
        self.recorder.borrow_mut().recorder.settled(time);
    }

    /// Sends the seconds that have ended before this moment.
    pub(super) fn roll_to(&self, moment: Duration) {
        let second = moment.as_secs();
        if second > self.second.get() {
            let ended = self.second.replace(second);
            self.flush_samples();
            let recorder = Box::new(self.recorder.take());
            self.send(Part::Second { worker: self.index, second: ended, recorder });
        }
    }

    /// Sends everything that is left, and returns the history and the figures of the steps.
    pub(super) fn finish(self) -> (History, Steps) {
        self.roll_to(Duration::from_secs(self.second.get() + 1));
        self.send(Part::End { worker: self.index });
        (self.history.into_inner(), self.steps.into_inner())
    }

    fn send(&self, part: Part) {
        let Err(TrySendError::Full(part)) = self.parts.try_send(part) else { return };
        let since = Instant::now();
        // The receiver is gone only when the run was abandoned.
        let _ = self.parts.send(part);
        self.count(|counts| counts.stalled_us += since.elapsed().as_micros() as u64);
    }
}
