//! The open model: attempts begin at scheduled moments, whether earlier ones were answered or not.
//!
//! A free user takes the next arrival, waits for its moment, and makes it, while the next free user
//! waits for the arrival after it. If no user is free, one more is added, up to the maximum; after
//! that the arrival waits, and is late, until a user becomes free.

use std::cell::{Cell, RefCell};
use std::iter::Peekable;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::task::{JoinError, JoinHandle, spawn_local};

use crate::history::AttemptNo;
use crate::profile::{Model, Plan};

use super::arrivals::Arrivals;
use crate::load::user::User;
use crate::load::worker::Worker;

/// Rows of attempts in the history: an arrival's number determines its row, so ids depend neither
/// on the number of workers nor on the user that makes the attempt. At least as many as workers.
pub(in crate::load) const ROWS: usize = 64;

/// Assigns the arrivals of one worker to its users.
#[derive(Debug)]
pub(in crate::load) struct Dispatcher {
    worker: Rc<Worker>,
    /// Locked by the user that waits for the next arrival.
    next_arrival: Mutex<Peekable<WorkerArrivals>>,
    /// Number of users that wait for the lock.
    free: Cell<u64>,
    /// Number of users that were added.
    users: Cell<u64>,
    /// Maximum number of users of this worker.
    users_max: u64,
    /// Whether no user was free when the last attempt began.
    all_busy: Cell<bool>,
    tasks: RefCell<Vec<JoinHandle<()>>>,
}

/// The arrivals of one worker.
#[derive(Debug)]
struct WorkerArrivals {
    arrivals: Arrivals,
    worker: usize,
    workers: usize,
}

impl Iterator for WorkerArrivals {
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

/// The arrivals of a plan of the open model.
fn arrivals(plan: &Plan) -> Option<Arrivals> {
    let Model::Open { arrival, .. } = plan.model else { return None };
    Some(Arrivals::new(&plan.rate()?, arrival, plan.seed, plan.duration.unwrap_or(Duration::MAX)))
}

impl Dispatcher {
    /// The dispatcher of a worker; `None` in the closed model.
    pub(in crate::load) fn new(worker: &Rc<Worker>) -> Option<Rc<Self>> {
        let (index, workers) = (worker.index, worker.setup.workers);
        let arrivals = arrivals(worker.plan())?;
        let arrivals_of_worker = WorkerArrivals { arrivals, worker: index, workers };
        // The worker's share of the users is its share of the rows; all workers together have all.
        let rows_before = |index| (0..ROWS).filter(|row| row % workers < index).count() as u64;
        let users_before = |index| worker.plan().threads * rows_before(index) / ROWS as u64;
        let users_max = users_before(index + 1) - users_before(index);
        Some(Rc::new(Self {
            worker: Rc::clone(worker),
            next_arrival: Mutex::new(arrivals_of_worker.peekable()),
            free: Cell::new(0),
            users: Cell::new(0),
            users_max: users_max.max(1),
            all_busy: Cell::new(false),
            tasks: RefCell::default(),
        }))
    }

    /// Makes all attempts, and ends when the last user has ended.
    pub(in crate::load) async fn run(self: &Rc<Self>) -> Result<(), JoinError> {
        self.add_user();
        loop {
            // A user that is added meanwhile is in the list too.
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

    /// Ensures that a user waits for the arrival that follows the current one.
    fn hand_over(self: &Rc<Self>) {
        if self.free.get() > 0 {
            return;
        }
        if self.users.get() < self.users_max {
            self.add_user();
        } else {
            self.all_busy.set(true);
        }
    }

    /// Whether waiting arrivals are abandoned, because making all of them would take too long.
    fn gives_up(&self) -> bool {
        let plan = self.worker.plan();
        let end = plan.duration.unwrap_or(Duration::MAX);
        self.worker.elapsed() > end.saturating_add(plan.timeout)
    }
}

async fn user(dispatcher: Rc<Dispatcher>, thread: u32) {
    let worker = &dispatcher.worker;
    worker.setup.live.user_started(worker.index);
    let mut user = User::new(Rc::clone(worker), thread);
    loop {
        dispatcher.free.set(dispatcher.free.get() + 1);
        let mut arrivals = dispatcher.next_arrival.lock().await;
        dispatcher.free.set(dispatcher.free.get() - 1);
        let Some((attempt, at)) = arrivals.next() else { break };
        let waited = dispatcher.all_busy.replace(false) && worker.elapsed() > at;
        user.build(attempt);
        user.wait_until(at).await;
        let gives_up = dispatcher.gives_up();
        if gives_up || worker.is_stopped() {
            // On stop, a due arrival counts as unsent only if no user was free for it.
            if gives_up || waited {
                let now = worker.elapsed();
                let due = u64::from(at <= now);
                let others = std::iter::from_fn(|| arrivals.next_if(|(_, at)| *at <= now)).count();
                worker.count(|counts| counts.unsent += due + others as u64);
            }
            break;
        }
        dispatcher.hand_over();
        drop(arrivals);
        worker.count(|counts| counts.waited += u64::from(waited && !worker.is_warmup(at)));
        user.attempt(attempt, Some(at), Instant::now()).await;
    }
    worker.setup.live.user_finished(worker.index);
}
