//! Carries out the faults of a plan while the load runs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::profile::{Action, Fault, Part, ProcessAction, Toxic, ToxicKind, Trigger, Units, Way};
use crate::settings::Nodes;
use crate::stats::SaleNow;

use super::proxy::Proxy;

/// How often a fault that waits for the stock looks at it.
const STOCK_POLL: Duration = Duration::from_millis(10);

/// What buyers see of a server that does not run.
const DOWN: Toxic = Toxic { kind: ToxicKind::Down, way: Way::Both };

/// A process that can be suspended, killed and restarted. The calls block.
pub trait Process: Send + Sync {
    /// Begins a fault, of these nodes where it is a cluster.
    ///
    /// # Errors
    /// When that is not possible.
    fn begin(&self, action: ProcessAction, nodes: Option<Nodes>) -> anyhow::Result<()>;

    /// Ends a fault: lets the process continue, or restarts it and waits until it is ready.
    ///
    /// # Errors
    /// When the process does not become ready.
    fn end(&self, action: ProcessAction) -> anyhow::Result<()>;
}

/// The parts of a tested system that can break.
#[derive(Default)]
pub struct Parts {
    /// The proxies of the connections to a part: one for each address that it has.
    pub proxies: HashMap<Part, Vec<Arc<Proxy>>>,
    /// The processes.
    pub processes: HashMap<Part, Arc<dyn Process>>,
}

/// What is known of a fault, as it happens. Moments are since the beginning of the load.
#[derive(Debug, Clone, Default)]
pub(super) struct Happened {
    pub(super) began: Option<Duration>,
    pub(super) ended: Option<Duration>,
    pub(super) problem: Option<String>,
}

/// What has happened of each fault of a plan so far.
pub(super) type Happenings = Arc<Mutex<Vec<Happened>>>;

/// What the faults of a run depend on.
pub struct Course {
    /// The beginning of the load, once it has begun.
    pub begun: watch::Receiver<Option<std::time::Instant>>,
    /// Is cancelled when the load has ended.
    pub ended: CancellationToken,
    /// The state of the sale.
    pub sale: Arc<Mutex<SaleNow>>,
    /// Units left before the run.
    pub stock: i64,
    /// The time from the beginning of the load before which nothing is measured.
    pub warmup: Duration,
    /// Receives a line about each fault that begins and ends.
    pub told: mpsc::UnboundedSender<String>,
}

/// Carries out the faults, each at its time, until the load has ended and all faults are over.
pub(super) async fn carry_out(
    faults: &[Fault],
    parts: &Parts,
    happened: &Happenings,
    course: &Course,
) {
    let mut begins = course.begun.clone();
    let begun = tokio::select! {
        biased;
        begun = begins.wait_for(Option::is_some) => begun.ok().and_then(|begun| *begun),
        () = course.ended.cancelled() => None,
    };
    let Some(begun) = begun.map(Instant::from_std) else { return };
    // A process has one fault at a time.
    let mut turns: HashMap<Part, Arc<tokio::sync::Mutex<()>>> = HashMap::new();
    let mut tasks = JoinSet::new();
    let proxies = |part| parts.proxies.get(&part).cloned().unwrap_or_default();
    for (index, fault) in faults.iter().enumerate() {
        let turn = Arc::clone(turns.entry(process_of(fault.what)).or_default());
        let one = One {
            fault: fault.clone(),
            index,
            begun,
            proxies: proxies(fault.what),
            fronts: if fault.kills_server() { proxies(Part::Client) } else { Vec::new() },
            process: parts.processes.get(&fault.what).cloned(),
            happened: Arc::clone(happened),
            ended: course.ended.clone(),
            told: course.told.clone(),
        };
        let (sale, stock, warmup) = (Arc::clone(&course.sale), course.stock, course.warmup);
        tasks.spawn(async move {
            let is_due = one.is_due(&sale, stock, warmup);
            tokio::select! {
                biased;
                () = one.ended.cancelled() => return,
                () = is_due => {}
            }
            let _turn = match one.fault.does {
                Action::Process(_) => Some(turn.lock().await),
                Action::Link(_) => None,
            };
            // While it waited for its turn, the load may have ended.
            if !one.ended.is_cancelled() {
                one.carry_out().await;
            }
        });
    }
    tasks.join_all().await;
}

/// The part whose process a fault affects: the disk is that of the server.
fn process_of(part: Part) -> Part {
    if part == Part::Disk { Part::Server } else { part }
}

/// The proxies that carry out a fault, and its number at each.
type Broken = Vec<(Arc<Proxy>, u64)>;

/// One fault on its way.
struct One {
    fault: Fault,
    index: usize,
    begun: Instant,
    proxies: Vec<Arc<Proxy>>,
    /// The proxies before a server that is gone while the fault lasts.
    fronts: Vec<Arc<Proxy>>,
    process: Option<Arc<dyn Process>>,
    happened: Happenings,
    ended: CancellationToken,
    told: mpsc::UnboundedSender<String>,
}

impl One {
    /// Waits for its time, or until the sale has so few units left after the warm-up.
    async fn is_due(&self, sale: &Mutex<SaleNow>, stock: i64, warmup: Duration) {
        let below = match self.fault.at {
            Trigger::After(time) => return tokio::time::sleep_until(self.begun + time).await,
            Trigger::StockBelow(Units::Number(number)) => number as f64,
            Trigger::StockBelow(Units::Share(share)) => share * stock as f64,
        };
        let mut ticks = tokio::time::interval_at(self.begun + warmup, STOCK_POLL);
        loop {
            ticks.tick().await;
            let left = sale.lock().unwrap_or_else(PoisonError::into_inner).stock_left;
            if left.is_some_and(|left| (left as f64) < below) {
                return;
            }
        }
    }

    async fn carry_out(&self) {
        // The moment is noted before the fault begins, so that no request that it hits is missed.
        self.note(|happened, now| happened.began = Some(now));
        let broken = match self.begin().await {
            Ok(broken) => broken,
            Err(error) => return self.failed("could not be carried out", &error),
        };
        let _ = self.told.send(format!("fault: {}", self.fault));
        let lasts = async {
            match self.fault.lasts {
                Some(lasts) => tokio::time::sleep(lasts).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = lasts => {}
            () = self.ended.cancelled() => {}
        }
        match self.end(broken).await {
            Ok(()) => {
                self.note(|happened, now| happened.ended = Some(now));
                let _ = self.told.send(format!("fault is over: {}", self.fault));
            }
            Err(error) => self.failed("could not be ended", &error),
        }
    }

    /// Begins the fault; returns its number at each proxy that carries it out.
    async fn begin(&self) -> anyhow::Result<Broken> {
        let (proxies, toxic) = match self.fault.does {
            Action::Link(_) if self.proxies.is_empty() => bail!("no proxy is in its way"),
            Action::Link(toxic) => (&self.proxies, toxic),
            Action::Process(action) => {
                let process = self.process.clone().context("its process is not known")?;
                let nodes = self.fault.nodes;
                tokio::task::spawn_blocking(move || process.begin(action, nodes)).await??;
                // Otherwise buyers would be connected, and then be reset.
                (&self.fronts, DOWN)
            }
        };
        Ok(proxies.iter().map(|proxy| (Arc::clone(proxy), proxy.add(toxic))).collect())
    }

    async fn end(&self, broken: Broken) -> anyhow::Result<()> {
        let ended = match (self.fault.does, self.process.clone()) {
            (Action::Process(action), Some(process)) => {
                tokio::task::spawn_blocking(move || process.end(action)).await?
            }
            _ => Ok(()),
        };
        broken.into_iter().for_each(|(proxy, id)| proxy.remove(id));
        ended
    }

    fn failed(&self, how: &str, error: &anyhow::Error) {
        let problem = format!("{how}: {error:#}");
        let _ = self.told.send(format!("fault: {} {problem}", self.fault));
        self.note(|happened, _| happened.problem = Some(problem));
    }

    fn note(&self, note: impl FnOnce(&mut Happened, Duration)) {
        let now = self.begun.elapsed();
        let mut happened = self.happened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(one) = happened.get_mut(self.index) {
            note(one, now);
        }
    }
}
