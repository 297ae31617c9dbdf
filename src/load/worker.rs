//! What the users of one worker share. Nothing in it leaves the worker's thread, and no borrow
//! lives across an await.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::audit::{AttemptNo, Entry, History, Status};
use crate::ids::RequestId;
use crate::profile::Plan;
use crate::stats::{Counts, Live, Recorder, Sample};

use super::request::Template;
use super::timers::{Alarm, Timers};
use super::{Dialer, Stop};

/// Samples that are handed on together.
const BATCH: usize = 512;

/// Retries that a worker may make besides the share of its attempts: without them a short run would
/// have none.
const RETRIES_FREE: f64 = 10.0;

/// What a worker hands on: once a second, and for each batch of samples.
#[derive(Debug)]
pub(super) enum Part {
    /// What ended in a second of the run, from 0. Seconds in which nothing did may be missing.
    Second { worker: usize, second: u64, recorder: Box<Recorder> },
    /// Samples, where somebody wants them.
    Samples(Vec<Sample>),
    /// Nothing any more.
    End { worker: usize },
}

/// What the users need to begin.
#[derive(Debug, Clone)]
pub(super) struct Setup {
    pub(super) plan: Plan,
    pub(super) dialer: Dialer,
    pub(super) purchase: Template<2>,
    pub(super) result: Template<1>,
    pub(super) live: Arc<Live>,
    pub(super) stop: Stop,
    /// How many workers there are.
    pub(super) workers: usize,
    pub(super) wants_samples: bool,
}

#[derive(Debug)]
pub(super) struct Worker {
    /// Which one, from 0.
    pub(super) index: usize,
    pub(super) setup: Setup,
    timers: Rc<Timers>,
    begun: Cell<Instant>,
    history: RefCell<History>,
    /// Retries that may be made now.
    budget: Cell<f64>,
    second: Cell<u64>,
    recorder: RefCell<Recorder>,
    samples: RefCell<Vec<Sample>>,
    parts: SyncSender<Part>,
}

impl Worker {
    pub(super) fn new(
        index: usize,
        setup: Setup,
        timers: Rc<Timers>,
        history: History,
        parts: SyncSender<Part>,
    ) -> Self {
        Self {
            index,
            setup,
            timers,
            begun: Cell::new(Instant::now()),
            history: RefCell::new(history),
            budget: Cell::new(RETRIES_FREE),
            second: Cell::new(0),
            recorder: RefCell::default(),
            samples: RefCell::default(),
            parts,
        }
    }

    /// The run begins at this moment.
    pub(super) fn begin(&self, begun: Instant) {
        self.begun.set(begun);
    }

    pub(super) fn begun(&self) -> Instant {
        self.begun.get()
    }

    /// Time since the beginning of the run.
    pub(super) fn elapsed(&self) -> Duration {
        self.begun.get().elapsed()
    }

    pub(super) fn alarm(&self) -> Alarm {
        self.timers.alarm()
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.setup.plan
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.setup.stop.is_asked()
    }

    /// Whether what was to begin at this moment belongs to the warm-up.
    pub(super) fn warms_up(&self, moment: Duration) -> bool {
        moment < self.plan().warmup
    }

    /// Buyer and request id of an attempt.
    pub(super) fn ids(&self, attempt: AttemptNo) -> (Uuid, RequestId) {
        let ids = self.history.borrow().ids;
        (ids.buyer(attempt), ids.request_id(attempt))
    }

    /// An attempt is made: from now on it counts as sent. Those of a thread come in order.
    pub(super) fn make(&self, attempt: AttemptNo) {
        self.history.borrow_mut().sent[attempt.thread as usize] = attempt.index + 1;
        let earned = self.budget.get() + self.plan().retry.budget.fraction();
        self.budget.set(earned.min(RETRIES_FREE.max(self.plan().threads as f64)));
    }

    /// Takes a retry from the budget, if it has one.
    pub(super) fn spend_retry(&self) -> bool {
        let left = self.budget.get() - 1.0;
        let enough = left >= 0.0;
        if enough {
            self.budget.set(left);
        }
        enough
    }

    /// Keeps what an attempt was told, for the audit.
    pub(super) fn keep(&self, entry: Entry) {
        self.history.borrow_mut().entries.push(entry);
    }

    /// Keeps what became of an attempt, for the audit.
    pub(super) fn keep_result(&self, id: RequestId, status: Option<Status>) {
        self.history.borrow_mut().results.push((id, status));
    }

    /// Counts a request that ended; one of the warm-up's attempts only as such.
    pub(super) fn record(&self, sample: &Sample, warms_up: bool) {
        self.setup.live.record(self.index, sample);
        if warms_up {
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
                self.hand_on(Part::Samples(full));
            }
        }
    }

    /// Hands on the samples there are, though they make no batch.
    fn hand_on_samples(&self) {
        let samples = self.samples.take();
        if !samples.is_empty() {
            self.hand_on(Part::Samples(samples));
        }
    }

    /// Counts something else.
    pub(super) fn count(&self, count: impl FnOnce(&mut Counts)) {
        count(&mut self.recorder.borrow_mut().counts);
    }

    /// Counts a decision that somebody waited for.
    pub(super) fn settled(&self, time: Duration) {
        self.recorder.borrow_mut().settled(time);
    }

    /// Hands on the seconds before this moment, as they end.
    pub(super) fn roll_to(&self, moment: Duration) {
        let second = moment.as_secs();
        if second > self.second.get() {
            let ended = self.second.replace(second);
            self.hand_on_samples();
            let recorder = Box::new(self.recorder.take());
            self.hand_on(Part::Second { worker: self.index, second: ended, recorder });
        }
    }

    /// Hands on all that is left, and gives the history.
    pub(super) fn finish(self) -> History {
        self.roll_to(Duration::from_secs(self.second.get() + 1));
        self.hand_on(Part::End { worker: self.index });
        self.history.into_inner()
    }

    fn hand_on(&self, part: Part) {
        let Err(TrySendError::Full(part)) = self.parts.try_send(part) else { return };
        let since = Instant::now();
        // Nobody takes it only where the run has been given up.
        let _ = self.parts.send(part);
        self.count(|counts| counts.stalled_us += since.elapsed().as_micros() as u64);
    }
}
