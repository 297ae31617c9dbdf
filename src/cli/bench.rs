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
use crate::load::{self, Dialer, Monitor, Ran, Stop};
use crate::profile::{Plan, Target};
use crate::report::{self, Broker, Progress, Report, SaleNow};
use crate::sale::ItemId;
use crate::stats::{Live, Summary};
use crate::units::Span;

use super::args::{BenchArgs, Colour};
use super::asked::Asked;
use super::audit::{Judged, judge};
use super::control::{Control, token_nearby};
use super::signals::Signals;
use super::spawn::Spawned;
use super::{Failure, broker, print, say};

/// Largest p99 of the lag (a user's place in the schedule to its attempt's begin) with which a
/// run counts: beyond, its figures are the generator's own.
const LAG_P99_MAX: Duration = Duration::from_millis(250);

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

impl Asked {
    async fn run(self, stop: &Stop, colour: Colour) -> Result<u8, Failure> {
        let mut spawned = match self.spawn.clone() {
            Some(flags) => Some(Spawned::start(flags).await?),
            None => None,
        };
        let report = self.measure(spawned.as_mut(), stop).await?;
        let stopped = match spawned {
            Some(spawned) => spawned.stop().await,
            None => Ok(()),
        };
        let colour = colour.on(&std::io::stdout());
        if self.json {
            print(&format!("{:#}\n", report::json(&report)))?;
        } else if self.quiet {
            print(&(report::verdict_line(&report, colour) + "\n"))?;
        } else {
            print(&report::terminal(&report, colour))?;
        }
        // After the report: what was measured before is still of use.
        stopped?;
        Ok(report.exit_code())
    }

    async fn measure(
        &self,
        mut spawned: Option<&mut Spawned>,
        stop: &Stop,
    ) -> Result<Report, Failure> {
        let prepared = self.prepare(spawned.as_deref()).await?;
        self.announce(&prepared.target, spawned.as_deref());
        if stop.is_asked() {
            return Err(Failure::Interrupted);
        }
        let started = SystemTime::now();
        let monitor = Monitor::start(prepared.server_pid)?;
        let mut seen = None;
        let Ran { recorder, mut history } =
            self.load(&prepared, spawned.as_deref_mut(), stop, &mut seen).await?;
        let usage = monitor.finish();
        let died = spawned.as_mut().and_then(|server| server.check_alive().err());
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
        let invalid = invalid(&self.plan, &summary);
        Ok(Report {
            started,
            plan: self.plan.clone(),
            target,
            summary,
            settle,
            usage,
            broker: seen,
            audit,
            stock_left_before: before.stock_left,
            invalid,
        })
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
            None if target.address.ip().is_loopback() => load::listener_pid(target.address),
            None => None,
        };
        Ok(Prepared { target, control, item, before, ledger_before, server_pid })
    }

    fn announce(&self, target: &Target, spawned: Option<&Spawned>) {
        if self.quiet || self.json {
            return;
        }
        let Plan { threads, ramp, loops, duration, .. } = &self.plan;
        let loops = loops.map(|loops| format!(", {loops} loops")).unwrap_or_default();
        let duration = duration.map(|time| format!(", for {}", Span(time))).unwrap_or_default();
        let whose = match spawned.and_then(Spawned::pid) {
            Some(pid) => format!(", spawned as process {pid}"),
            None => String::new(),
        };
        let ramp = Span(*ramp);
        say(format!("{}{whose}: {threads} threads, ramp {ramp}{loops}{duration}", target.url));
    }

    /// Runs the plan on threads of its own, and tells how it goes.
    async fn load(
        &self,
        prepared: &Prepared,
        mut spawned: Option<&mut Spawned>,
        stop: &Stop,
        seen: &mut Option<Broker>,
    ) -> Result<Ran, Failure> {
        let Prepared { target, control, item, before, .. } = prepared;
        let live = Arc::new(Live::new(load::workers(self.plan.threads)));
        let (done, mut ran) = oneshot::channel();
        let job = {
            let (plan, target, item) = (self.plan.clone(), target.clone(), item.clone());
            let (live, stop) = (Arc::clone(&live), stop.clone());
            let epoch = before.epoch;
            move || {
                // Nobody listens any more only when the bench was told twice to stop.
                let _ = done.send(load::run(&plan, &target, &item, epoch, &live, &stop));
            }
        };
        let silent = self.quiet || self.json;
        let progress = Progress::new(&self.plan, silent, std::io::stderr().is_terminal());
        let begun = Instant::now();
        std::thread::Builder::new().name("load".into()).spawn(job)?;
        let sale = Arc::new(Mutex::new(sale_now(before)));
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
        progress.finish(&live, begun.elapsed());
        Ok(ran?.context("the load generator could not run")?)
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

/// Why the run does not count. Without a ramp the schedule names one moment for all, and the lag
/// is how long it took to let them loose: that is reported, and judged by nobody.
fn invalid(plan: &Plan, summary: &Summary) -> Option<String> {
    let lag = Duration::from_micros(summary.lag.p99);
    let late = !plan.ramp.is_zero() && lag > LAG_P99_MAX;
    late.then(|| {
        format!(
            "the generator could not keep up: attempts began up to {lag:?} (p99) after their \
             moment, over the limit of {LAG_P99_MAX:?}. Use fewer threads, or a faster machine"
        )
    })
}
