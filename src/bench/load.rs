//! Runs the load on its own threads, and meanwhile monitors the sale, the broker and the spawned
//! server.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::archive::Outputs;
use crate::faults::{Course, FaultWatch};
use crate::history::Views;
use crate::load::{self, Job, Ran};
use crate::monitor::{BrokerMonitor, BrokerUsage};
use crate::profile::FlagError;
use crate::stats::{Live, Recorder, SaleNow, Sample, SeriesSink, Sink};
use crate::sut::{Control, Target};

use super::abort::{AbortWatch, Aborted};
use super::config::Config;
use super::error::BenchError;
use super::event::{Event, Notify};
use super::faults::Breakage;
use super::prepare::Site;
use super::spawned::Spawned;

/// How often the state of the sale is read during the run.
const SALE_INTERVAL: Duration = Duration::from_millis(500);

/// The load of a run, with the state that can be observed during it.
pub(super) struct Load<'a> {
    config: &'a Config,
    site: &'a Site,
    broker: Option<BrokerMonitor>,
    pub(super) live: Arc<Live>,
    pub(super) sale: Arc<Mutex<SaleNow>>,
}

/// The sinks of the figures.
pub(super) struct Sinks {
    pub(super) series: SeriesSink,
    pub(super) outputs: Outputs,
    pub(super) abort: AbortWatch,
    pub(super) faults: FaultWatch,
    pub(super) live: Arc<Live>,
}

impl Sink for Sinks {
    fn begin(&mut self, at: std::time::SystemTime) {
        self.outputs.begin(at);
        self.abort.begin(at);
    }

    fn second(&mut self, second: u64, recorder: &Recorder) {
        self.live.second_ended(recorder);
        self.series.second(second, recorder);
        self.outputs.second(second, recorder);
        self.abort.second(second, recorder);
    }

    fn samples(&mut self, samples: &[Sample]) {
        self.outputs.samples(samples);
        self.faults.samples(samples);
    }
}

/// The results of the load.
pub(super) struct Loaded {
    pub(super) ran: Ran,
    pub(super) sinks: Sinks,
    pub(super) broker: Option<BrokerUsage>,
    /// The threshold that ended the load, if one did.
    pub(super) aborted: Option<Aborted>,
}

impl<'a> Load<'a> {
    /// A load that has not begun.
    pub(super) fn new(config: &'a Config, site: &'a Site, broker: Option<BrokerMonitor>) -> Self {
        let live = Arc::new(Live::new(load::workers(config.plan.threads)));
        let sale = Arc::new(Mutex::new(site.control.shown(&site.view_before)));
        Self { config, site, broker, live, sale }
    }

    /// Reports that the broker's figures cannot be read, which does not end the run.
    pub(super) async fn check_broker(&self, notify: Notify<'_>) {
        if let Some(broker) = &self.broker
            && let Err(error) = broker.check().await
        {
            let url = broker.shown_url();
            let problem = format!("the broker's figures cannot be read from {url}: {error}");
            notify(Event::Problem(problem));
        }
    }

    /// Runs the plan to its end, or until it is stopped or the spawned server ends.
    pub(super) async fn run(
        &self,
        spawned: Option<&Spawned>,
        breakage: &mut Breakage,
        stop: &CancellationToken,
        mut sinks: Sinks,
        notify: Notify<'_>,
    ) -> anyhow::Result<Loaded> {
        let Self { config, site, broker: monitor, live, sale } = self;
        let (course, mut told) = self.course(stop);
        let (done, mut ended) = oneshot::channel();
        let mut aborted = sinks.abort.aborted();
        let job = {
            let (plan, sut) = (config.plan.clone(), config.sut.clone());
            let address = breakage.front(site.target.address).await?;
            let target = Target { address, ..site.target.clone() };
            let item = site.item.clone();
            let (live, stop) = (Arc::clone(live), stop.clone());
            let epoch = site.sale_number();
            let beginning = site.beginning;
            move || {
                let wants_samples = sinks.outputs.wants_samples() || sinks.faults.is_needed();
                let (plan, target, item, live, stop) = (&plan, &target, &item, &live, &stop);
                let sut = &sut;
                let job =
                    Job { plan, sut, target, item, epoch, beginning, live, stop, wants_samples };
                let ran = load::run(&job, &mut sinks);
                // The receiver is gone only when a second signal ended the bench.
                let _ = done.send(ran.map(|ran| (ran, sinks)));
            }
        };
        notify(Event::LoadBegins { live: Arc::clone(live), sale: Arc::clone(sale) });
        let begun = Instant::now();
        std::thread::Builder::new().name("load".into()).spawn(job)?;
        let (mut broker, mut views) = (None, Views::default());
        let seen = site.earlier_views.iter().chain([&site.view_before]);
        if site.control.shows_states() {
            seen.cloned().for_each(|view| views.add(view));
        }
        let ran = {
            let mut watch = std::pin::pin!(watch_broker(monitor.as_ref(), &mut broker));
            let mut watch_sale = std::pin::pin!(watch_sale(&site.control, sale, &mut views));
            let mut faults = std::pin::pin!(breakage.faults.carry_out(&breakage.parts, &course));
            let mut are_over = false;
            let ran = loop {
                tokio::select! {
                    ran = &mut ended => break ran.context("the load generator panicked"),
                    () = &mut faults, if !are_over => are_over = true,
                    Some(line) = told.recv() => notify(Event::Fault(line)),
                    // The server is gone: requests in flight end, and no further attempt begins.
                    Ok(()) = aborted.changed() => {
                        let because = aborted.borrow_and_update().as_ref().map(Aborted::to_string);
                        because.into_iter().for_each(|because| notify(Event::Aborted(because)));
                    }
                    () = died(spawned), if !stop.is_cancelled() => stop.cancel(),
                    () = &mut watch_sale => unreachable!(),
                    () = &mut watch => unreachable!(),
                }
            };
            course.ended.cancel();
            if !are_over {
                faults.await;
            }
            ran
        };
        while let Ok(line) = told.try_recv() {
            notify(Event::Fault(line));
        }
        let ran = ran.and_then(|ran| ran.context("the load generator could not run"));
        // This time excludes the preparation before the load and the writing after it.
        let elapsed = ran.as_ref().map_or(Duration::ZERO, |(ran, _)| ran.recorder.ended());
        let elapsed = if elapsed.is_zero() { begun.elapsed() } else { elapsed };
        notify(Event::LoadEnded { elapsed });
        let (mut ran, sinks) = ran?;
        ran.history.views = views;
        let aborted = aborted.borrow().clone();
        Ok(Loaded { ran, sinks, broker, aborted })
    }
}

impl Load<'_> {
    /// What the faults depend on, and the lines about them.
    fn course(&self, stop: &CancellationToken) -> (Course, mpsc::UnboundedReceiver<String>) {
        let (told, lines) = mpsc::unbounded_channel();
        let course = Course {
            begun: self.live.begun(),
            // When the load is stopped, requests under way are not to wait for the end of a fault.
            ended: stop.child_token(),
            sale: Arc::clone(&self.sale),
            stock: self.site.view_before.sale.stock_left,
            warmup: self.config.plan.warmup,
            told,
        };
        (course, lines)
    }
}

/// Prepares to read the broker's figures.
pub(super) fn broker_monitor(config: &Config) -> Result<Option<BrokerMonitor>, BenchError> {
    let Some(url) = config.broker_metrics.as_deref() else { return Ok(None) };
    let monitor = BrokerMonitor::new(url);
    monitor.map(Some).map_err(|error| {
        BenchError::Flag(FlagError::new("broker-metrics", format!("it cannot be read: {error}")))
    })
}

/// Reads the broker's figures until dropped.
async fn watch_broker(monitor: Option<&BrokerMonitor>, usage: &mut Option<BrokerUsage>) {
    match monitor {
        Some(monitor) => match monitor.watch(usage).await {},
        None => std::future::pending().await,
    }
}

/// Resolves when the spawned server, if there is one, has ended unexpectedly.
async fn died(spawned: Option<&Spawned>) {
    match spawned {
        Some(server) => server.died().await,
        None => std::future::pending().await,
    }
}

/// Reads the state of the sale periodically, until dropped.
async fn watch_sale(control: &Control, sale: &Mutex<SaleNow>, views: &mut Views) {
    let mut ticks = tokio::time::interval(SALE_INTERVAL);
    loop {
        ticks.tick().await;
        if let Some(now) = control.now(views).await {
            *sale.lock().unwrap_or_else(PoisonError::into_inner) = now;
        }
    }
}
