//! [`run`]: the sequence of a run.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use tokio_util::sync::CancellationToken;

use crate::archive::{LedgerFile, OutputError, Outputs, Run};
use crate::history::{History, Ids, Ledger};
use crate::monitor::Monitor;
use crate::stats::SeriesSink;
use crate::sut::ControlError;

use super::abort::AbortWatch;
use super::conclude::{Ended, Ending};
use super::config::Config;
use super::error::BenchError;
use super::event::{Event, Notify};
use super::evidence;
use super::faults::Breakage;
use super::load::{Load, Sinks, broker_monitor};
use super::prepare::Site;
use super::spawned::Spawned;

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
    notify: Notify<'_>,
) -> Result<Finished, BenchError> {
    let broker = broker_monitor(config)?;
    let mut breakage = Breakage::new(config)?;
    let spawned = spawn(config, &mut breakage).await?;
    breakage.add_processes(spawned.as_ref(), config);
    let site = Site::find(config, spawned.as_ref()).await?;
    let spawned_pid = spawned.as_ref().and_then(Spawned::pid);
    notify(Event::Found { url: site.target.url.clone(), spawned_pid });
    if stop.is_cancelled() {
        return Err(BenchError::Interrupted);
    }
    let load = Load::new(config, &site, broker);
    load.check_broker(notify).await;
    let mut outputs = open_outputs(config, &site, &load)?;
    let ledger_before = match config.plan.no_audit {
        true => None,
        false => match read_ledger_before(config, &site, &mut outputs).await {
            Ok(ledger) => Some(ledger),
            Err(error) => {
                // A server that died is the reason, if it did.
                spawned.as_ref().map_or(Ok(()), Spawned::check_alive)?;
                return Err(error);
            }
        },
    };
    let started = SystemTime::now();
    let monitor = Monitor::start(site.server_pid)?;
    let abort = AbortWatch::new(&config.thresholds.abort_on, &config.plan, stop);
    let (series, live) = (SeriesSink::new(Arc::clone(&load.sale)), Arc::clone(&load.live));
    let faults = breakage.faults.watch();
    let sinks = Sinks { series, outputs, abort, faults, live };
    let loaded = load.run(spawned.as_ref(), &mut breakage, stop, sinks, notify).await?;
    let usage = monitor.finish();
    let died = spawned.as_ref().and_then(|server| server.check_alive().err());
    if loaded.ran.history.is_empty() && died.is_none() && stop.is_cancelled() {
        return Err(BenchError::Interrupted);
    }
    let ending = match (died, &loaded.aborted) {
        (Some(error), _) => Ending::Died(error.to_string()),
        (None, Some(aborted)) => Ending::Aborted(aborted.to_string()),
        (None, None) if stop.is_cancelled() => Ending::Stopped,
        (None, None) => Ending::Complete,
    };
    let ended = Ended { config, site: &site, started, loaded, usage, ending };
    let (run, outputs) = ended.judge(ledger_before, notify).await;
    let saved = outputs.finish();
    // Closes the connections to the server, which would delay its shutdown.
    drop((site, breakage));
    let stopped = match spawned {
        Some(server) => server.stop().await,
        None => Ok(()),
    };
    Ok(Finished { run, saved, stopped })
}

/// Without the ledger nothing could be concluded from the run, so it does not begin.
async fn read_ledger_before(
    config: &Config,
    site: &Site,
    outputs: &mut Outputs,
) -> Result<Ledger, BenchError> {
    let deadline = Instant::now() + config.plan.settle_timeout;
    // Nothing is sent yet, so nothing of it belongs to this run.
    let ids = Ids::new(config.plan.seed, config.plan.buyers);
    let ids = ids.at_sale(site.sale_number());
    let history = History::new(ids, site.item.clone(), 0, site.beginning.unix_us());
    let read = evidence::ledger(site, &history, outputs, LedgerFile::Before, deadline).await;
    let read = read.and_then(|ledger| match ledger.is_miscounted {
        true => Err(ControlError::Miscounted),
        false => Ok(ledger),
    });
    read.map_err(|error| match error.is_of_token() {
        true => BenchError::of_token(&error, config),
        false => BenchError::unaudited(&error, &config.sut),
    })
}

async fn spawn(config: &Config, breakage: &mut Breakage) -> anyhow::Result<Option<Spawned>> {
    match config.spawn.clone() {
        Some(flags) => {
            let flags = breakage.through_proxies(flags).await?;
            Spawned::start(flags, breakage.shape).await.map(Some)
        }
        None => Ok(None),
    }
}

fn open_outputs(config: &Config, site: &Site, load: &Load<'_>) -> Result<Outputs, OutputError> {
    let (jtl, out) = (config.jtl.as_deref(), config.out.as_deref());
    Outputs::open(jtl, out, (&config.sut, &site.target), Arc::clone(&load.live))
}
