//! `seckill bench`: prepare, load, judge, report.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, anyhow};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::api::SaleStatus;
use crate::audit::Ledger;
use crate::ids::ItemId;
use crate::load::{self, Dialer, Job, Ran, Stop};
use crate::monitor::{BrokerUsage, Monitor, listener_pid};
use crate::profile::{Model, Plan, Stage, Target};
use crate::report::{self, Outputs, Progress, Report};
use crate::stats::{Live, SaleNow};
use crate::units::Span;

use super::args::{BenchArgs, Colour};
use super::asked::Asked;
use super::audit::{Judged, judge};
use super::control::{Control, token_nearby};
use super::signals::Signals;
use super::spawn::Spawned;
use super::{Failure, broker, print, say};

/// How long an address may take to show that somebody listens on it.
const LOOK_FOR_LISTENER: Duration = Duration::from_secs(5);

/// How often the sale is looked at during the run, for the progress bar.
const LOOK_AT_SALE: Duration = Duration::from_millis(500);

pub(super) fn bench(args: BenchArgs, colour: Colour) -> Result<u8, Failure> {
    let asked = Asked::new(args)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let done = runtime.block_on(async {
        let mut signals = Signals::take()?;
        let stop = Stop::default();
        tokio::select! {
            done = asked.run(&stop, colour) => done,
            () = told_twice(&mut signals, &stop) => Err(Failure::Interrupted),
        }
    });
    // Whatever still runs is not waited for.
    runtime.shutdown_background();
    done
}

/// The first signal stops the sending, the second ends everything.
async fn told_twice(signals: &mut Signals, stop: &Stop) {
    signals.next().await;
    stop.ask();
    say("stopping: waiting for what is in flight, then auditing; once more to leave at once");
    signals.next().await;
}

/// Longest time for the look at the sale that belongs to the end of the run.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// All that is known before the run.
struct Prepared {
    target: Target,
    control: Control,
    item: ItemId,
    before: SaleStatus,
    /// The ledger before the run, or why it could not be read.
    ledger_before: Result<Ledger, String>,
    server_pid: Option<i32>,
}

/// What is looked at while the run goes on.
struct Watched {
    live: Arc<Live>,
    sale: Arc<Mutex<SaleNow>>,
    outputs: Outputs,
}

impl Asked {
    async fn run(self, stop: &Stop, colour: Colour) -> Result<u8, Failure> {
        let mut spawned = match self.spawn.clone() {
            Some(flags) => Some(Spawned::start(flags).await?),
            None => None,
        };
        let (report, outputs) = self.measure(spawned.as_mut(), stop).await?;
        let result = report::json(&report);
        let saved = outputs.finish(&result);
        let stopped = match spawned {
            Some(spawned) => spawned.stop().await,
            None => Ok(()),
        };
        let colour = colour.on(&std::io::stdout());
        if self.json {
            print(&format!("{result:#}\n"))?;
        } else if self.quiet {
            print(&(report::verdict_line(&report, colour) + "\n"))?;
        } else {
            print(&report::terminal(&report, colour))?;
        }
        // After the report: what was measured before is still of use.
        saved?;
        stopped?;
        Ok(report.exit_code())
    }

    async fn measure(
        &self,
        mut spawned: Option<&mut Spawned>,
        stop: &Stop,
    ) -> Result<(Report, Outputs), Failure> {
        let prepared = self.prepare(spawned.as_deref()).await?;
        self.announce(&prepared.target, spawned.as_deref());
        if stop.is_asked() {
            return Err(Failure::Interrupted);
        }
        let live = Arc::new(Live::new(load::workers(self.plan.threads)));
        let sale = Arc::new(Mutex::new(sale_now(&prepared.before)));
        let (jtl, out) = (self.jtl.as_deref(), self.out.as_deref());
        let outputs =
            Outputs::open(jtl, out, &prepared.target, Arc::clone(&live), Arc::clone(&sale))?;
        let started = SystemTime::now();
        let monitor = Monitor::start(prepared.server_pid)?;
        let mut seen = None;
        let watched = Watched { live, sale, outputs };
        let (Ran { recorder, mut history }, mut outputs) =
            self.load(&prepared, spawned.as_deref_mut(), stop, watched, &mut seen).await?;
        let usage = monitor.finish();
        let died = spawned.as_mut().and_then(|server| server.check_alive().err());
        let stopped = stop.is_asked().then(|| match &died {
            Some(_) => "the server died".to_owned(),
            None => "it was told to stop".to_owned(),
        });
        if died.is_none()
            && let Ok(Ok(sale)) = timeout(LAST_LOOK, prepared.control.sale()).await
        {
            outputs.look(sale_now(&sale));
        }
        let series = outputs.end(&recorder);
        let nothing_was_sent = history.sent.iter().all(|sent| *sent == 0);
        if nothing_was_sent && died.is_none() && stop.is_asked() {
            return Err(Failure::Interrupted);
        }
        let Prepared { target, control, before, ledger_before, .. } = prepared;
        let before_run = ledger_before.map(|ledger| history.begin_with(ledger));
        // Of a dead server nothing can be learned; waiting for it would only take time.
        let before_run = died.as_ref().map_or(before_run, |error| Err(error.to_string()));
        let Judged { audit, settle } =
            judge(&control, &mut history, before_run, self.plan.settle_timeout).await;
        let summary = recorder.finish();
        let invalid = load::invalid(&self.plan, &summary, &usage);
        let report = Report {
            started,
            plan: self.plan.clone(),
            target,
            summary,
            series,
            settle,
            usage,
            broker: seen,
            audit,
            stock_left_before: before.stock_left,
            stopped,
            invalid,
        };
        Ok((report, outputs))
    }

    /// Finds the server, its sale, and what its ledger holds before the run.
    async fn prepare(&self, spawned: Option<&Spawned>) -> Result<Prepared, Failure> {
        let (url, token) = match spawned {
            Some(server) => (Some(server.url.as_str()), Some(server.admin_token.clone())),
            None => (self.target.as_deref(), self.admin_token.clone()),
        };
        let target = Target::new(url).map_err(|error| Failure::Usage(error.to_string()))?;
        let target = with_listener(target).await;
        let dialer = Dialer::new(&target).with_context(|| target.url.clone())?;
        let certificate = dialer.check_certificate(LOOK_FOR_LISTENER).await;
        certificate.map_err(|why| anyhow!("{}: {why}", target.url))?;
        let control = Control::new(&target, self.plan.item.clone())?;
        let before = control.sale().await?;
        let item: ItemId = before.item.parse().context("the server's item has a wrong name")?;
        // Whoever answers has written its token. Before, behind a proxy, it may just be starting.
        let token = token.or_else(|| token_nearby(&target));
        let control = control.of_item(item.clone(), token);
        let ledger_before = control.ledger().await;
        if let Err(because) = &ledger_before {
            say(format!("this run cannot be audited: {because}"));
        }
        let ledger_before = ledger_before
            .map_err(|error| format!("the ledger could not be read before the run: {error}"));
        let server_pid = match spawned {
            Some(server) => server.pid(),
            None if target.address.ip().is_loopback() => listener_pid(target.address),
            None => None,
        };
        Ok(Prepared { target, control, item, before, ledger_before, server_pid })
    }

    fn announce(&self, target: &Target, spawned: Option<&Spawned>) {
        if self.quiet || self.json {
            return;
        }
        let whose = match spawned.and_then(Spawned::pid) {
            Some(pid) => format!(", spawned as process {pid}"),
            None => String::new(),
        };
        say(format!("{}{whose}: {}", target.url, summary_of(&self.plan)));
    }

    /// Runs the plan on threads of its own, and tells how it goes.
    async fn load(
        &self,
        prepared: &Prepared,
        mut spawned: Option<&mut Spawned>,
        stop: &Stop,
        watched: Watched,
        seen: &mut Option<BrokerUsage>,
    ) -> Result<(Ran, Outputs), Failure> {
        let Prepared { target, control, item, before, .. } = prepared;
        let Watched { live, sale, mut outputs } = watched;
        let (done, mut ran) = oneshot::channel();
        let job = {
            let (plan, target, item) = (self.plan.clone(), target.clone(), item.clone());
            let (live, stop) = (Arc::clone(&live), stop.clone());
            let epoch = before.epoch;
            move || {
                let (target, item, live, stop) = (&target, &item, &live, &stop);
                let wants_samples = outputs.wants_samples();
                let job = Job { plan: &plan, target, item, epoch, live, stop, wants_samples };
                let ran = load::run(&job, |seen| outputs.see(seen));
                // Nobody listens any more only when the bench was told twice to stop.
                let _ = done.send(ran.map(|ran| (ran, outputs)));
            }
        };
        let silent = self.quiet || self.json;
        let progress = Progress::new(&self.plan, silent, std::io::stderr().is_terminal());
        let begun = Instant::now();
        std::thread::Builder::new().name("load".into()).spawn(job)?;
        let mut broker = std::pin::pin!(broker::watch(self.broker_metrics.as_deref(), seen));
        let ran = loop {
            tokio::select! {
                ran = &mut ran => break ran.map_err(|_| anyhow!("the load generator panicked")),
                // Nothing more can be sold: what is in flight ends, and the rest is not begun.
                () = died(spawned.as_deref_mut()), if !stop.is_asked() => stop.ask(),
                () = progress.watch(Arc::clone(&live), Arc::clone(&sale)) => unreachable!(),
                () = watch_sale(control, &sale) => unreachable!(),
                () = &mut broker => unreachable!(),
            }
        };
        let ran = ran.and_then(|ran| ran.context("the load generator could not run"));
        // Without the getting ready, and without what was written after.
        let ended = ran.as_ref().map_or(Duration::ZERO, |(ran, _)| ran.recorder.ended());
        progress.finish(&live, if ended.is_zero() { begun.elapsed() } else { ended });
        Ok(ran?)
    }
}

/// A plan in a line.
fn summary_of(plan: &Plan) -> String {
    let duration = plan.duration.map(|time| format!(", for {}", Span(time))).unwrap_or_default();
    let listed = |stages: &[Stage]| stages.iter().map(|s| format!(", {s}")).collect::<String>();
    match &plan.model {
        Model::Open { highest, stages, .. } => {
            format!(
                "up to {highest}/s{}{duration}, {} threads at most",
                listed(stages),
                plan.threads
            )
        }
        Model::Closed { ramp, stages, loops, stampede, .. } => {
            let loops = loops.map(|loops| format!(", {loops} loops")).unwrap_or_default();
            let how = match (stampede, stages.is_empty()) {
                (true, _) => ", all at once".to_owned(),
                (false, true) => format!(", ramp {}", Span(*ramp)),
                (false, false) => listed(stages),
            };
            format!("{} threads{how}{loops}{duration}", plan.threads)
        }
    }
}

/// Resolves when the spawned server, if there is one, has ended by itself.
async fn died(spawned: Option<&mut Spawned>) {
    match spawned {
        Some(server) => server.died().await,
        None => std::future::pending().await,
    }
}

/// The target at the first of its addresses on which somebody listens.
async fn with_listener(target: Target) -> Target {
    let several = if target.addresses.len() > 1 { &*target.addresses } else { &[] };
    for address in several {
        if let Ok(Ok(_)) = timeout(LOOK_FOR_LISTENER, TcpStream::connect(address)).await {
            return Target { address: *address, ..target };
        }
    }
    target
}

fn sale_now(sale: &SaleStatus) -> SaleNow {
    SaleNow { stock_left: sale.stock_left, queued: sale.queued }
}

/// Looks at the sale until dropped.
async fn watch_sale(control: &Control, sale: &Mutex<SaleNow>) {
    let mut look = tokio::time::interval(LOOK_AT_SALE);
    loop {
        look.tick().await;
        if let Ok(now) = control.sale().await {
            *sale.lock().unwrap_or_else(PoisonError::into_inner) = sale_now(&now);
        }
    }
}
