//! The open model: attempts come by the clock, whether those before were answered or not.
//!
//! Whoever of the users is free takes the next arrival, waits for its moment, and makes it, while
//! the next free user waits for the one after. Where none is free, one more is made, up to the
//! bound; beyond it the arrival waits, late, for the first that gets free.

use std::cell::{Cell, RefCell};
use std::iter::Peekable;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::{JoinError, JoinHandle, spawn_local};

use crate::audit::AttemptNo;
use crate::profile::{Model, Plan};

use super::arrivals::Arrivals;
use super::user::User;
use super::worker::Worker;

/// Rows of attempts in the history: an arrival's number says which it is in, so ids do not depend
/// on how many workers there are, nor on who makes the attempt. At least as many as workers.
pub(super) const ROWS: usize = 64;

/// The arrivals of one worker, and its users.
#[derive(Debug)]
pub(super) struct Turns {
    worker: Rc<Worker>,
    /// Taken by the user whose turn it is, for as long as it waits for the next arrival.
    turn: Mutex<Peekable<OfWorker>>,
    /// Users that wait for their turn.
    free: Cell<u64>,
    /// Users so far.
    users: Cell<u64>,
    /// Users of this worker at the most.
    users_max: u64,
    /// Nobody was free when the last arrival was made.
    all_busy: Cell<bool>,
    tasks: RefCell<Vec<JoinHandle<()>>>,
}

/// Every arrival that falls to one worker.
#[derive(Debug)]
struct OfWorker {
    arrivals: Arrivals,
    worker: usize,
    workers: usize,
}

impl Iterator for OfWorker {
    type Item = (AttemptNo, Duration);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (number, at) = self.arrivals.next()?;
            let row = (number % ROWS as u64) as usize;
            if row % self.workers == self.worker {
                let attempt = AttemptNo { thread: row as u32, index: number / ROWS as u64 };
                return Some((attempt, at));
            }
        }
    }
}

/// The arrivals of a plan that is open.
fn arrivals(plan: &Plan) -> Option<Arrivals> {
    match &plan.model {
        Model::Open { arrival, rate, .. } => {
            Some(Arrivals::new(rate, *arrival, plan.seed, plan.duration.unwrap_or(Duration::MAX)))
        }
        Model::Closed { .. } => None,
    }
}

impl Turns {
    /// The turns of a worker; `None` in the closed model.
    pub(super) fn new(worker: &Rc<Worker>) -> Option<Rc<Self>> {
        let (index, workers) = (worker.index, worker.setup.workers);
        let arrivals = arrivals(worker.plan())?;
        let of_worker = OfWorker { arrivals, worker: index, workers };
        // As many of the users as of the rows, and all workers together as many as there are.
        let rows_before = |index| (0..ROWS).filter(|row| row % workers < index).count() as u64;
        let users_before = |index| worker.plan().threads * rows_before(index) / ROWS as u64;
        let users_max = users_before(index + 1) - users_before(index);
        Some(Rc::new(Self {
            worker: Rc::clone(worker),
            turn: Mutex::new(of_worker.peekable()),
            free: Cell::new(0),
            users: Cell::new(0),
            users_max: users_max.max(1),
            all_busy: Cell::new(false),
            tasks: RefCell::default(),
        }))
    }

    /// Makes all arrivals, and ends when the last user has.
    pub(super) async fn run(self: &Rc<Self>) -> Result<(), JoinError> {
        self.add_user();
        loop {
            // Users that are added meanwhile are added to the list.
            let Some(task) = self.tasks.borrow_mut().pop() else { return Ok(()) };
            task.await?;
        }
    }

    fn add_user(self: &Rc<Self>) {
        let number = self.users.get();
        self.users.set(number + 1);
        let (workers, index) = (self.worker.setup.workers as u64, self.worker.index as u64);
        // `Plan` keeps the number of threads far below u32's range.
        let thread = (number * workers + index) as u32;
        self.tasks.borrow_mut().push(spawn_local(user(Rc::clone(self), thread)));
    }

    /// The next arrival is about to be made: somebody is to wait for the one after.
    fn pass_on(self: &Rc<Self>) {
        if self.free.get() > 0 {
            return;
        }
        if self.users.get() < self.users_max {
            self.add_user();
        } else {
            self.all_busy.set(true);
        }
    }

    /// Whether arrivals that wait are given up: it would take too long to make them all.
    fn gives_up(&self) -> bool {
        let plan = self.worker.plan();
        let end = plan.duration.unwrap_or(Duration::MAX);
        self.worker.elapsed() > end.saturating_add(plan.timeout)
    }
}

async fn user(turns: Rc<Turns>, thread: u32) {
    let worker = &turns.worker;
    worker.setup.live.user_started(worker.index);
    let mut user = User::new(Rc::clone(worker), thread);
    loop {
        turns.free.set(turns.free.get() + 1);
        let mut turn = turns.turn.lock().await;
        turns.free.set(turns.free.get() - 1);
        let Some((attempt, at)) = turn.next() else { break };
        let waited = turns.all_busy.replace(false) && worker.elapsed() > at;
        user.build(attempt);
        user.wait_until(at).await;
        let gives_up = turns.gives_up();
        if gives_up || worker.is_stopped() {
            // When it is stopped, what is due and had users enough is missed by nobody.
            if gives_up || waited {
                let now = worker.elapsed();
                let due = u64::from(at <= now);
                let others = std::iter::from_fn(|| turn.next_if(|(_, at)| *at <= now)).count();
                worker.count(|counts| counts.unsent += due + others as u64);
            }
            break;
        }
        turns.pass_on();
        drop(turn);
        worker.count(|counts| counts.waited += u64::from(waited && !worker.warms_up(at)));
        user.attempt(attempt, Some(at), at).await;
    }
    worker.setup.live.user_finished(worker.index);
}
