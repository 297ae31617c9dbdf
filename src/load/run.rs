//! Executes a run: starts the workers with their users, and merges what they recorded.

use std::io;
use std::rc::Rc;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Barrier, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use tokio::task::{JoinSet, LocalSet};
use tokio_util::sync::CancellationToken;

use crate::history::{Beginning, History, Ids};
use crate::ids::ItemId;
use crate::profile::{Model, Plan};
use crate::settings::Io;
use crate::stats::{Live, Recorder, Sink, Steps};
use crate::sut::{Sut, Target};

use super::aggregate::aggregate;
use super::executor::ROWS;
use super::http1::Connector;
use super::ring::Ring;
use super::timers::Timers;
use super::users::Users;
use super::worker::{Setup, Worker};

/// Longest time for which the server may hold a request for a result.
pub(super) const HOLD_MAX: Duration = Duration::from_secs(5);

/// Capacity of the channel between the workers and the aggregator, in parts: a batch of samples
/// takes some 80 KiB.
const PARTS_MAX: usize = 64;

/// Time from the moment when all workers are ready to the beginning of the run, so that all of them
/// can wait for it.
const LEAD_TIME: Duration = Duration::from_millis(2);

/// The last part of that time is spent spinning, since a sleep can last a little too long.
const SPIN: Duration = Duration::from_micros(300);

/// What a run recorded.
#[derive(Debug)]
pub struct Ran {
    /// The figures.
    pub recorder: Recorder,
    /// When the run began, by the monotonic clock.
    pub begun: Instant,
    /// What was sent and answered, for the audit.
    pub history: History,
    /// The figures of the steps beside the purchase.
    pub steps: Steps,
}

/// A run to execute.
#[derive(Debug)]
pub struct Job<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The kind of the tested system.
    pub sut: &'a Sut,
    /// Its address.
    pub target: &'a Target,
    /// The item to buy.
    pub item: &'a ItemId,
    /// The number of the sale: each fresh sale of a server has a higher one.
    pub epoch: u64,
    /// When the times of the history begin.
    pub beginning: Beginning,
    /// Counters for as many workers as [`workers`] returns.
    pub live: &'a Arc<Live>,
    /// Ends the run early: no further attempt begins, and attempts in flight are completed.
    pub stop: &'a CancellationToken,
    /// Whether the sink wants every sample.
    pub wants_samples: bool,
}

/// The number of workers for this many virtual users: one per core, but not more than users.
pub fn workers(threads: u64) -> usize {
    let cores = thread::available_parallelism().map_or(1, usize::from).min(ROWS);
    cores.min(usize::try_from(threads).unwrap_or(cores)).max(1)
}

/// Executes a job to its end, and feeds its figures to the sink. It blocks.
///
/// # Errors
/// When a worker cannot be started, or no certificates are trusted for an `https://` target.
pub fn run(job: &Job<'_>, sink: &mut dyn Sink) -> io::Result<Ran> {
    let Job { plan, sut, target, item, .. } = *job;
    let ids = Ids::new(plan.seed, plan.buyers).at_sale(job.epoch);
    let rows = match plan.model {
        Model::Closed { .. } => plan.threads as usize,
        Model::Open { .. } => ROWS,
    };
    let history = || History::new(ids, item.clone(), rows, job.beginning.unix_us());
    let workers = workers(plan.threads);
    let client = sut.client(target, plan, item, HOLD_MAX.min(plan.timeout / 2));
    let setup = Setup {
        plan: plan.clone(),
        sut: sut.clone(),
        connector: Connector::new(target)?,
        client: client.map_err(io::Error::other)?,
        live: Arc::clone(job.live),
        beginning: job.beginning,
        stop: job.stop.clone(),
        workers,
        wants_samples: job.wants_samples,
    };
    let start = Arc::new(Start {
        set_up: Barrier::new(workers),
        ready: Barrier::new(workers),
        failed: OnceLock::new(),
        moment: OnceLock::new(),
        stop: job.stop.child_token(),
    });
    let (parts, received) = sync_channel(PARTS_MAX);
    let mut running = Vec::with_capacity(workers);
    for index in 0..workers {
        let setup = Setup { stop: start.stop.child_token(), ..setup.clone() };
        let (history, parts) = (history(), parts.clone());
        let start = Arc::clone(&start);
        let work = move || -> io::Result<(History, Steps)> {
            // A worker that cannot begin must not leave the others waiting for it.
            let give_up = |_: &io::Error| {
                start.set_up.wait();
                start.ready.wait();
            };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.inspect_err(give_up)?;
            LocalSet::new().block_on(&runtime, async {
                let timers = Timers::new().inspect_err(give_up)?;
                let ring = match setup.plan.io {
                    Io::Epoll => None,
                    Io::Uring => Some(Ring::new().inspect_err(give_up)?),
                };
                let drivers = (Rc::clone(&timers), ring.clone());
                let worker = Worker::new(index, setup, drivers, history, parts);
                work(worker, (&timers, ring), &start).await
            })
        };
        running.push(thread::Builder::new().name(format!("load-{index}")).spawn(work)?);
    }
    drop(parts);
    let recorder = aggregate(&received, workers, || start.moment.get().copied(), sink);
    let begun = start.moment.get().copied().unwrap_or_else(Instant::now);
    let mut ran = Ran { recorder, begun, history: history(), steps: Steps::default() };
    for worker in running {
        let of_worker = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        ran.history.merge(of_worker.0);
        ran.steps.merge(&of_worker.1);
    }
    Ok(ran)
}

/// When the run begins, for all workers.
#[derive(Debug)]
struct Start {
    set_up: Barrier,
    ready: Barrier,
    /// Why the run does not begin, if a virtual user could not be set up.
    failed: OnceLock<String>,
    moment: OnceLock<Instant>,
    /// Stops all workers.
    stop: CancellationToken,
}

impl Start {
    /// Waits until all workers are ready and the run begins. It blocks.
    fn wait(&self) -> Instant {
        self.ready.wait();
        let begun = *self.moment.get_or_init(|| Instant::now() + LEAD_TIME);
        thread::sleep(begun.saturating_duration_since(Instant::now() + SPIN));
        while Instant::now() < begun {
            std::hint::spin_loop();
        }
        begun
    }
}

/// Runs one worker, from the preparation of its users to the end of the last one.
async fn work(
    worker: Worker,
    (timers, ring): (&Rc<Timers>, Option<Rc<Ring>>),
    start: &Start,
) -> io::Result<(History, Steps)> {
    let worker = Rc::new(worker);
    let mut helpers = JoinSet::new();
    let drive = Rc::clone(timers);
    helpers.spawn_local(async move { drive.drive().await });
    if let Some(ring) = ring {
        let stop = start.stop.clone();
        helpers.spawn_local(async move {
            let failed = ring.drive().await;
            // Nothing more is sent or received, and without this worker there is no result.
            stop.cancel();
            failed
        });
    }
    let (stop, stopped) = (worker.setup.stop.clone(), Rc::clone(timers));
    helpers.spawn_local(async move {
        stop.cancelled().await;
        stopped.stop();
        Ok(())
    });
    let users = Users::new(&worker);
    users.all_set_up().await;
    start.set_up.wait();
    users.open_connections();
    users.all_ready().await;
    if let Some(because) = worker.failure() {
        start.failed.get_or_init(|| because);
    }
    worker.begin(start.wait());
    if let Some(because) = start.failed.get() {
        return Err(io::Error::other(because.clone()));
    }
    helpers.spawn_local(tick(Rc::clone(&worker)));
    let done = users.run().await;
    // Nothing is settled before the last buyer has paid.
    let paid = worker.payments.finish().await;
    while let Some(ended) = helpers.try_join_next() {
        ended.map_err(io::Error::other)?.map_err(|error| {
            io::Error::new(error.kind(), format!("the kernel failed the load: {error}"))
        })?;
    }
    helpers.shutdown().await;
    match Rc::try_unwrap(worker) {
        Ok(worker) if done.is_ok() && paid.is_ok() => Ok(worker.finish()),
        _ => Err(io::Error::other("a virtual user ended in a panic")),
    }
}

/// Sends each second to the aggregator when it ends, even if no attempt ends then.
async fn tick(worker: Rc<Worker>) -> io::Result<()> {
    let timer = worker.timer();
    for second in 1.. {
        let end = Duration::from_secs(second);
        timer.at(worker.begun() + end).await;
        if worker.elapsed() < end {
            // The run was stopped: the remaining figures are sent as the attempts in flight end.
            break;
        }
        worker.roll_to(end);
    }
    Ok(())
}
