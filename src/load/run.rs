//! A run: workers, their users, and what all of them recorded.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use tokio::task::LocalSet;

use crate::audit::{History, Ids};
use crate::profile::{Plan, Target};
use crate::sale::ItemId;
use crate::stats::{Live, Recorder};

use super::request::Template;
use super::user::{self, Shared};
use super::{Dialer, Stop};

/// What a run recorded.
#[derive(Debug)]
pub struct Ran {
    /// The figures.
    pub recorder: Recorder,
    /// What was sent and told, for the audit.
    pub history: History,
}

/// Workers for so many virtual users: one per core, and none without a user.
pub fn workers(threads: u64) -> usize {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    cores.min(usize::try_from(threads).unwrap_or(cores)).max(1)
}

/// Runs a plan on the `epoch`th sale of its server, of `item`, to its end, or until `stop` was
/// asked for and what was in flight has ended. Blocks; `live`, made for as many workers as
/// [`workers`] says, can be read meanwhile.
///
/// # Errors
/// When a worker cannot be started, or there is nobody to trust for an `https://` target.
pub fn run(
    plan: &Plan,
    target: &Target,
    item: &ItemId,
    epoch: u64,
    live: &Arc<Live>,
    stop: &Stop,
) -> io::Result<Ran> {
    let ids = Ids::new(plan.seed, plan.buyers).at_sale(epoch);
    let history = || History::new(ids, item.clone(), plan.threads as usize);
    let workers = workers(plan.threads);
    let dialer = Dialer::new(target)?;
    let begun = Instant::now();
    let mut running = Vec::with_capacity(workers);
    for worker in 0..workers {
        let shared = Shared {
            worker,
            plan: plan.clone(),
            dialer: dialer.clone(),
            begun,
            live: Arc::clone(live),
            stop: stop.clone(),
            recorder: RefCell::default(),
            history: RefCell::new(history()),
        };
        let template = Template::new(target, plan, item);
        let name = format!("load-{worker}");
        let work = move || work(shared, workers, &template);
        running.push(thread::Builder::new().name(name).spawn(work)?);
    }
    let mut ran = Ran { recorder: Recorder::default(), history: history() };
    for worker in running {
        let of_worker = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        ran.recorder.merge(&of_worker.recorder);
        ran.history.merge(of_worker.history);
    }
    Ok(ran)
}

/// One worker: every `workers`th user, on a runtime of its own.
fn work(shared: Shared, workers: usize, template: &Template) -> io::Result<Ran> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let shared = Rc::new(shared);
    let users = LocalSet::new();
    for thread in (shared.worker as u64..shared.plan.threads).step_by(workers) {
        // `Plan` keeps the number of threads far below u32's range.
        users.spawn_local(user::run(Rc::clone(&shared), thread as u32, template.clone()));
    }
    runtime.block_on(users);
    drop(runtime);
    match Rc::try_unwrap(shared) {
        Ok(shared) => {
            Ok(Ran { recorder: shared.recorder.into_inner(), history: shared.history.into_inner() })
        }
        Err(_) => Err(io::Error::other("a virtual user ended in a panic")),
    }
}
