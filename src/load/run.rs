//! A run: workers, their users, and what all of them recorded.

use std::io;
use std::rc::Rc;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Barrier, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinHandle, JoinSet, LocalSet, spawn_local};

use crate::audit::{History, Ids};
use crate::ids::ItemId;
use crate::profile::{Model, Plan, Target};
use crate::stats::{Live, Recorder};

use super::collect::{Seen, collect};
use super::gate::Gate;
use super::open::Turns;
use super::request::Template;
use super::timers::Timers;
use super::worker::{Setup, Worker};
use super::{Dialer, Stop, closed, open};

/// Longest time for which the server is asked to hold an answer about a result.
const HOLD_MAX: Duration = Duration::from_secs(5);

/// Parts of all workers that may wait to be taken: a batch of samples has some 80 KiB.
const PARTS_MAX: usize = 64;

/// From the moment when all workers are ready to the beginning of the run, so that all of them see
/// it come.
const HEAD_START: Duration = Duration::from_millis(2);

/// The last part of that is waited for awake: the kernel's sleep can be a little too long.
const AWAKE: Duration = Duration::from_micros(300);

/// What a run recorded.
#[derive(Debug)]
pub struct Ran {
    /// The figures.
    pub recorder: Recorder,
    /// What was sent and told, for the audit.
    pub history: History,
}

/// What is to be run, and how it is watched.
#[derive(Debug)]
pub struct Job<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Whom to load.
    pub target: &'a Target,
    /// What to buy.
    pub item: &'a ItemId,
    /// Which sale of its server that is.
    pub epoch: u64,
    /// Counters for as many workers as [`workers`] says.
    pub live: &'a Arc<Live>,
    /// Ends the run early: what is in flight still ends.
    pub stop: &'a Stop,
    /// Whether samples are wanted, each of them.
    pub wants_samples: bool,
}

/// Workers for so many virtual users: one per core, and none without a user.
pub fn workers(threads: u64) -> usize {
    let cores = thread::available_parallelism().map_or(1, usize::from).min(open::ROWS);
    cores.min(usize::try_from(threads).unwrap_or(cores)).max(1)
}

/// Runs a job to its end. Blocks; what is seen of it goes to `watch`.
///
/// # Errors
/// When a worker cannot be started, or there is nobody to trust for an `https://` target.
pub fn run(job: &Job<'_>, watch: impl FnMut(Seen<'_>)) -> io::Result<Ran> {
    let Job { plan, target, item, .. } = *job;
    let ids = Ids::new(plan.seed, plan.buyers).at_sale(job.epoch);
    let rows = match plan.model {
        Model::Closed { .. } => plan.threads as usize,
        Model::Open { .. } => open::ROWS,
    };
    let history = || History::new(ids, item.clone(), rows);
    let workers = workers(plan.threads);
    let setup = Setup {
        plan: plan.clone(),
        dialer: Dialer::new(target)?,
        purchase: Template::purchase(target, plan, item),
        result: Template::result(target, plan, HOLD_MAX.min(plan.timeout / 2)),
        live: Arc::clone(job.live),
        stop: job.stop.clone(),
        workers,
        wants_samples: job.wants_samples,
    };
    let start = Arc::new(Start { ready: Barrier::new(workers), moment: OnceLock::new() });
    let (parts, taken) = sync_channel(PARTS_MAX);
    let mut running = Vec::with_capacity(workers);
    for index in 0..workers {
        let (setup, history, parts) = (setup.clone(), history(), parts.clone());
        let start = Arc::clone(&start);
        let work = move || -> io::Result<History> {
            // Who cannot begin must not leave the others waiting for it.
            let give_up = |_: &io::Error| {
                start.ready.wait();
            };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.inspect_err(give_up)?;
            LocalSet::new().block_on(&runtime, async {
                let timers = Timers::new().inspect_err(give_up)?;
                let worker = Worker::new(index, setup, Rc::clone(&timers), history, parts);
                work(worker, &timers, &start).await
            })
        };
        running.push(thread::Builder::new().name(format!("load-{index}")).spawn(work)?);
    }
    drop(parts);
    let recorder = collect(&taken, workers, || start.moment.get().copied(), watch);
    let mut ran = Ran { recorder, history: history() };
    for worker in running {
        let of_worker = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        ran.history.merge(of_worker);
    }
    Ok(ran)
}

/// When the run begins, for all workers.
#[derive(Debug)]
struct Start {
    ready: Barrier,
    moment: OnceLock<Instant>,
}

impl Start {
    /// Waits until all workers are ready and the moment has come. Blocks.
    fn wait(&self) -> Instant {
        self.ready.wait();
        let begun = *self.moment.get_or_init(|| Instant::now() + HEAD_START);
        thread::sleep(begun.saturating_duration_since(Instant::now() + AWAKE));
        while Instant::now() < begun {
            std::hint::spin_loop();
        }
        begun
    }
}

/// One worker, from the getting ready of its users to the end of the last one.
async fn work(worker: Worker, timers: &Rc<Timers>, start: &Start) -> io::Result<History> {
    let worker = Rc::new(worker);
    let mut helpers = JoinSet::new();
    let drive = Rc::clone(timers);
    helpers.spawn_local(async move { drive.drive().await });
    let (stop, stopped) = (worker.setup.stop.clone(), Rc::clone(timers));
    helpers.spawn_local(async move {
        stop.asked().await;
        stopped.stop();
        Ok(())
    });
    let crowd = Crowd::new(&worker);
    crowd.all_here().await;
    worker.begin(start.wait());
    helpers.spawn_local(tick(Rc::clone(&worker)));
    let done = crowd.let_loose().await;
    helpers.shutdown().await;
    match Rc::try_unwrap(worker) {
        Ok(worker) if done.is_ok() => Ok(worker.finish()),
        _ => Err(io::Error::other("a virtual user ended in a panic")),
    }
}

/// Hands on each second when it ends, also where no attempt does.
async fn tick(worker: Rc<Worker>) -> io::Result<()> {
    let clock = worker.alarm();
    for second in 1.. {
        let end = Duration::from_secs(second);
        clock.at(worker.begun() + end).await;
        if worker.elapsed() < end {
            // Stopped: the rest is handed on with the attempts that still end.
            break;
        }
        worker.roll_to(end);
    }
    Ok(())
}

/// The users of a worker.
enum Crowd {
    Closed { gate: Rc<Gate>, users: Vec<JoinHandle<()>> },
    Open(Rc<Turns>),
}

impl Crowd {
    /// In the closed model every `workers`th user, getting ready.
    fn new(worker: &Rc<Worker>) -> Self {
        if let Some(turns) = Turns::new(worker) {
            return Self::Open(turns);
        }
        // `Plan` keeps the number of threads far below u32's range.
        let threads =
            (worker.index as u32..worker.plan().threads as u32).step_by(worker.setup.workers);
        let gate = Rc::new(Gate::new(threads.len()));
        let opening = Rc::new(Semaphore::new(closed::OPENING_MAX));
        let user =
            |thread| closed::run(Rc::clone(worker), Rc::clone(&gate), Rc::clone(&opening), thread);
        let users = threads.map(|thread| spawn_local(user(thread))).collect();
        Self::Closed { gate, users }
    }

    async fn all_here(&self) {
        if let Self::Closed { gate, .. } = self {
            gate.all_here().await;
        }
    }

    async fn let_loose(self) -> Result<(), JoinError> {
        match self {
            Self::Open(turns) => turns.run().await,
            Self::Closed { gate, users } => {
                gate.open();
                for user in users {
                    user.await?;
                }
                Ok(())
            }
        }
    }
}
