//! [`run`]: the sequence of a run.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::archive::{LedgerFile, OutputError, Outputs, Parts, Run};
use crate::history::{History, Ledger};
use crate::judge::{self, Gaps, GeneratorLoad};
use crate::load::{self, Ran};
use crate::monitor::{Monitor, Usage};
use crate::stats::{Live, Quantiles, SeriesSink};

use super::config::Config;
use super::error::BenchError;
use super::event::Event;
use super::evidence;
use super::load::{Loaded, Sinks, Watched, load};
use super::prepare::Site;
use super::spawned::Spawned;

/// Time-out for the last read of the state of the sale, which belongs to the end of the load.
const LAST_READ_TIMEOUT: Duration = Duration::from_secs(1);

/// A run that has a result.
#[derive(Debug)]
pub struct Finished {
    /// The result.
    pub run: Run,
    /// An error if not all files could be written.
    pub saved: Result<(), OutputError>,
    /// An error if the spawned server did not end gracefully.
    pub stopped: anyhow::Result<()>,
}

/// Runs the plan and judges the tested system. When `stop` is cancelled, no further attempt begins,
/// and the run up to then is judged.
///
/// # Errors
/// When the run has no result.
pub async fn run(
    config: &Config,
    stop: &CancellationToken,
    notify: &mut (dyn FnMut(Event) + Send),
) -> Result<Finished, BenchError> {
    let mut spawned = match config.spawn.clone() {
        Some(flags) => Some(Spawned::start(flags).await?),
        None => None,
    };
    let site = Site::find(config, spawned.as_ref()).await?;
    let spawned_pid = spawned.as_ref().and_then(Spawned::pid);
    notify(Event::Found { url: site.target.url.clone(), spawned_pid });
    if stop.is_cancelled() {
        return Err(BenchError::Interrupted);
    }
    let watched = Watched {
        live: Arc::new(Live::new(load::workers(config.plan.threads))),
        sale: Arc::new(Mutex::new(site.sale_before.now())),
    };
    let mut outputs = open_outputs(config, &site, &watched)?;
    let ledger_before = site.ledger_before(|piece| outputs.ledger(LedgerFile::Before, piece)).await;
    if let Err(because) = &ledger_before {
        notify(Event::Problem(format!("this run cannot be audited: {because}")));
    }
    let started = SystemTime::now();
    let monitor = Monitor::start(site.server_pid)?;
    let series = SeriesSink::new(Arc::clone(&watched.sale));
    let sinks = Sinks { series, outputs };
    let loaded = load((config, &site), spawned.as_mut(), stop, (&watched, sinks), notify).await?;
    let usage = monitor.finish();
    let died = spawned.as_mut().and_then(|server| server.check_alive().err());
    let mut ended = Ended { config, site: &site, started, loaded, usage, stopped: None };
    ended.stopped = match &died {
        Some(_) => Some("the server died".to_owned()),
        None => stop.is_cancelled().then(|| "a signal stopped it".to_owned()),
    };
    if ended.loaded.ran.history.is_empty() && died.is_none() && stop.is_cancelled() {
        return Err(BenchError::Interrupted);
    }
    let (run, outputs) = ended.judge(ledger_before, died.map(|error| error.to_string())).await;
    let saved = outputs.finish();
    let stopped = match spawned {
        Some(server) => server.stop().await,
        None => Ok(()),
    };
    Ok(Finished { run, saved, stopped })
}

fn open_outputs(config: &Config, site: &Site, watched: &Watched) -> Result<Outputs, OutputError> {
    let (jtl, out) = (config.jtl.as_deref(), config.out.as_deref());
    Outputs::open(jtl, out, (config.sut, &site.target), Arc::clone(&watched.live))
}

/// A run whose load has ended.
struct Ended<'a> {
    config: &'a Config,
    site: &'a Site,
    started: SystemTime,
    loaded: Loaded,
    usage: Usage,
    /// Why it ended before the end of its plan.
    stopped: Option<String>,
}

impl Ended<'_> {
    /// Gathers the evidence, judges, and writes every file of the run. `died` is the reason why the
    /// server ended: a dead server provides no evidence, so it is not waited for.
    async fn judge(
        self,
        ledger_before: Result<Ledger, String>,
        died: Option<String>,
    ) -> (Run, Outputs) {
        let Self { config, site, .. } = self;
        let Loaded { ran: Ran { recorder, mut history }, sinks, broker } = self.loaded;
        let Sinks { series, mut outputs } = sinks;
        let mut series = series.finish();
        if died.is_none()
            && let Ok(Ok(sale)) = timeout(LAST_READ_TIMEOUT, site.control.sale()).await
        {
            series.set_last_sale(sale.now());
        }
        outputs.load_ended(&recorder);
        let mut gaps = Gaps {
            ledger: Some("the run ended before the ledger was read".to_owned()),
            ..Gaps::default()
        };
        match ledger_before {
            Ok(ledger) => history.begin_with(ledger),
            Err(because) => {
                gaps.ledger_before =
                    Some(format!("the ledger could not be read before the run: {because}"));
            }
        }
        if died.is_some() {
            gaps.ledger_before = died;
        }
        let summary = recorder.finish();
        let invalid = judge::validity(&summary, &generator_load(config, &self.usage));
        let parts = Parts {
            started: self.started,
            sut: config.sut,
            plan: &config.plan,
            target: &site.target,
            summary: &summary,
            series: &series,
            settle: Quantiles::default(),
            usage: &self.usage,
            broker,
            audit: judge::audit(&history, None, &gaps),
            gaps: gaps.clone(),
            stock_left_before: site.sale_before.stock_left,
            stopped: self.stopped,
            invalid,
        };
        // The result so far is written now, and is kept if the bench is killed while it waits for
        // the rest.
        outputs.history(&history);
        outputs.run(&Run::new(parts.clone()));
        let ledger = if gaps.ledger_before.is_none() && !history.is_empty() {
            gather(config, site, &mut history, (&mut gaps, &mut outputs)).await
        } else {
            None
        };
        let settle = ledger.as_ref().map(|ledger| judge::settle_times(&history, ledger));
        let audit = judge::audit(&history, ledger.as_ref(), &gaps);
        let run = Run::new(Parts { audit, gaps, settle: settle.unwrap_or_default(), ..parts });
        outputs.history(&history);
        outputs.run(&run);
        (run, outputs)
    }
}

/// Waits until everything is decided, then reads results and the ledger.
async fn gather(
    config: &Config,
    site: &Site,
    history: &mut History,
    (gaps, outputs): (&mut Gaps, &mut Outputs),
) -> Option<Ledger> {
    gaps.settled = evidence::settle(&site.control, config.plan.settle_timeout).await.err();
    evidence::poll_results(&site.control, history).await;
    let copy = |piece: &[u8]| outputs.ledger(LedgerFile::After, piece);
    let ledger = evidence::ledger(&site.control, copy).await;
    gaps.ledger = ledger.as_ref().err().cloned();
    ledger.ok()
}

fn generator_load(config: &Config, usage: &Usage) -> GeneratorLoad {
    GeneratorLoad {
        cpu_percent: usage.generator.map(|process| process.cpu_percent_mean),
        cores: load::workers(config.plan.threads),
        steal_percent: usage.steal_percent,
    }
}
