//! After the load: the evidence, the verdict, and the files of the run.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use tokio::time::timeout;

use crate::archive::{LedgerFile, Outputs, Parts, Run};
use crate::history::{History, Ledger};
use crate::judge::{self, Audit, Gaps, GeneratorLoad, Invariant, Verdict};
use crate::load::{self, Ran};
use crate::monitor::Usage;
use crate::stats::{FaultRecord, Quantiles, SaleNow};

use super::config::Config;
use super::event::{Notify, waiting};
use super::evidence;
use super::load::{Loaded, Sinks};
use super::prepare::Site;

/// Time-out for reading the state of the sale once more.
const LAST_READ_TIMEOUT: Duration = Duration::from_secs(1);

/// Pause before the ledger is read a second time.
const LATE_EFFECTS: Duration = Duration::from_secs(1);

/// Time to read results, at least, or the settle time-out if that is shorter.
const RESULTS_TIME: Duration = Duration::from_secs(5);

/// How the load ended.
pub(super) enum Ending {
    /// The plan was completed.
    Complete,
    /// A signal stopped it.
    Stopped,
    /// This threshold stopped it.
    Aborted(String),
    /// The spawned server ended, for this reason. A dead server provides no evidence, so it is not
    /// waited for.
    Died(String),
}

impl Ending {
    /// Why the load ended before the end of its plan.
    fn early(&self) -> Option<String> {
        match self {
            Self::Complete => None,
            Self::Aborted(because) => Some(because.clone()),
            Self::Stopped => Some("a signal stopped it".to_owned()),
            Self::Died(_) => Some("the server died".to_owned()),
        }
    }

    /// The gaps in the evidence when the load has just ended.
    fn gaps(self, no_audit: bool) -> Gaps {
        let server = match self {
            Self::Died(because) => Some(because),
            Self::Complete | Self::Stopped | Self::Aborted(_) => None,
        };
        let ledger = Some("the run ended before the ledger was read".to_owned());
        Gaps { no_audit, server, ledger, ..Gaps::default() }
    }
}

/// A run whose load has ended.
pub(super) struct Ended<'a> {
    pub(super) config: &'a Config,
    pub(super) site: &'a Site,
    pub(super) started: SystemTime,
    pub(super) loaded: Loaded,
    pub(super) usage: Usage,
    pub(super) ending: Ending,
}

impl Ended<'_> {
    /// Gathers the evidence, judges, and writes every file of the run.
    pub(super) async fn judge(
        self,
        ledger_before: Option<Ledger>,
        notify: Notify<'_>,
    ) -> (Run, Outputs) {
        let Self { config, site, ending, .. } = self;
        let Loaded { ran: Ran { recorder, begun, mut history, steps }, sinks, broker, aborted } =
            self.loaded;
        let Sinks { series, mut outputs, abort: _, faults, live: _ } = sinks;
        history.ended_us = site.beginning.us(Instant::now());
        let mut series = series.finish();
        if !matches!(ending, Ending::Died(_))
            && let Some(sale) = view_again(site, &mut history).await
        {
            series.set_last_sale(sale);
        }
        history.has_fresh_ids = config.has_fresh_ids;
        history.expected_stock = config.plan.expect_stock.or(config.plan.stock);
        outputs.load_ended(&recorder);
        let stopped = ending.early();
        let mut gaps = ending.gaps(config.plan.no_audit);
        ledger_before.into_iter().for_each(|ledger| history.begin_with(ledger));
        let summary = recorder.finish();
        let invalid = judge::validity(&summary, &generator_load(config, &self.usage));
        let parts = Parts {
            started: self.started,
            sut: &config.sut,
            steps: steps.summaries(),
            faults: faults.finish(),
            plan: &config.plan,
            target: &site.target,
            spawn: config.spawn.as_ref(),
            begun,
            summary: &summary,
            series: &series,
            settle: Quantiles::default(),
            usage: &self.usage,
            broker,
            audit: judge::audit(&history, None, &gaps),
            gaps: gaps.clone(),
            files: BTreeMap::new(),
            stock_left_before: site.view_before.sale.stock_left,
            stopped,
            invalid,
            thresholds: &config.thresholds.fail_if,
            aborted_by: aborted.map(|aborted| aborted.by),
        };
        // The result so far is written now, and is kept if the bench is killed while it waits for
        // the rest.
        outputs.history(&history);
        outputs.run(&Run::new(parts.clone()));
        let is_audited = !gaps.no_audit && gaps.server.is_none() && !history.is_empty();
        let ledger = if is_audited {
            gather(config, site, &mut history, (&mut gaps, &mut outputs), notify).await
        } else {
            None
        };
        let settle = ledger.as_ref().map(|ledger| judge::settle_times(&history, ledger));
        let audit = judge::audit(&history, ledger.as_ref(), &gaps);
        let evidence = (ledger.as_ref(), &audit);
        let faults = with_lost(parts.faults.clone(), site.beginning.us(begun), &history, evidence);
        outputs.history(&history);
        let (settle, files) = (settle.unwrap_or_default(), outputs.digests());
        let run = Run::new(Parts { audit, gaps, settle, files, faults, ..parts });
        outputs.run(&run);
        (run, outputs)
    }
}

/// Adds to each fault what was lost of the attempts that were accepted until its end, and since the
/// end of the one before. The load began at `begun_us` of the history.
fn with_lost(
    mut faults: Vec<FaultRecord>,
    begun_us: u64,
    history: &History,
    (ledger, audit): (Option<&Ledger>, &Audit),
) -> Vec<FaultRecord> {
    let end = |fault: &FaultRecord| fault.ended_us.map_or(u64::MAX, |us| begun_us + us);
    let mut order: Vec<_> = (0..faults.len()).filter(|at| faults[*at].began_us.is_some()).collect();
    order.sort_by_key(|at| end(&faults[*at]));
    let mut from = 0;
    let period = |at: &usize| std::mem::replace(&mut from, end(&faults[*at]))..end(&faults[*at]);
    let periods: Vec<_> = order.iter().map(period).collect();
    let undecided = audit.violations.iter().any(|one| one.invariant == Invariant::AcceptedDecided);
    let lost = |ledger| judge::lost_during(history, ledger, undecided, &periods);
    for (at, lost) in order.iter().zip(ledger.and_then(lost).into_iter().flatten()) {
        faults[*at].lost = Some(lost);
    }
    faults
}

/// Waits until everything is decided, then reads the ledger, results, and the sale once more. If
/// these seem to break an invariant, the ledger is read again: a request that timed out may have
/// its effect after the first reading.
async fn gather(
    config: &Config,
    site: &Site,
    history: &mut History,
    (gaps, outputs): (&mut Gaps, &mut Outputs),
    notify: Notify<'_>,
) -> Option<Ledger> {
    let limit = config.plan.settle_timeout;
    let deadline = Instant::now() + limit;
    gaps.settled = match site.control.shows_states() {
        true => {
            let what = || "attempts are still queued".to_owned();
            let settled = evidence::settle(&site.control, history, (deadline, limit));
            waiting(notify, what, settled).await.err()
        }
        false => {
            let what = || "the orders still change".to_owned();
            let settled = waiting(notify, what, site.control.settle(deadline)).await;
            settled.map(|view| view.into_iter().for_each(|view| history.views.keep(view))).err()
        }
    };
    let what = || "the ledger is read".to_owned();
    // What is read has some time in any case.
    let extended = || deadline.max(Instant::now() + limit.min(RESULTS_TIME));
    let read = evidence::ledger(site, history, outputs, LedgerFile::After, extended());
    let began = Instant::now();
    let mut ledger = waiting(notify, what, read).await.map_err(|error| error.to_string());
    let window_us = (site.beginning.us(began), site.beginning.us(Instant::now()));
    if ledger.is_ok() {
        history.ledger_us = window_us.1;
    }
    // What buyers are told counts even if the ledger could not be read in time.
    let deadline = extended();
    evidence::results(config, site, history, ledger.as_ref().ok(), deadline, notify).await;
    gaps.ledger = ledger.as_ref().err().cloned();
    view_again(site, history).await;
    let mut audit = judge::audit(history, ledger.as_ref().ok(), gaps);
    // A server that breaks something else is not given a further opportunity: what it does then
    // would hide what it has done.
    if let (Verdict::Pass | Verdict::Unknown, Ok(ledger)) = (audit.verdict, &ledger) {
        evidence::known_again(config, site, history, ledger, deadline).await;
        view_again(site, history).await;
        audit = judge::audit(history, Some(ledger), gaps);
    }
    // What no late effect explains is not excused by another reading.
    if let Ok(first) = &ledger
        && audit.may_seem_broken()
        && history.sale_before.as_ref().is_none_or(|before| first.sale.are_those_of(before))
    {
        tokio::time::sleep(LATE_EFFECTS).await;
        if let Ok(again) =
            evidence::ledger(site, history, outputs, LedgerFile::After, deadline).await
        {
            history.ledger_us = site.beginning.us(Instant::now());
            history.add_changes(first, window_us, &again);
            ledger = Ok(again);
        }
        view_again(site, history).await;
    }
    ledger.ok()
}

/// Reads the state of the sale once more, and keeps it.
async fn view_again(site: &Site, history: &mut History) -> Option<SaleNow> {
    let read = site.control.sale_again(&mut history.views);
    let view = timeout(LAST_READ_TIMEOUT, read).await.ok()?.ok()?;
    let sale = site.control.shown(&view);
    if site.control.shows_states() {
        history.views.keep(view);
    }
    Some(sale)
}

fn generator_load(config: &Config, usage: &Usage) -> GeneratorLoad {
    GeneratorLoad {
        cpu_percent: usage.generator.map(|process| process.cpu_percent_mean),
        cores: load::workers(config.plan.threads),
        steal_percent: usage.steal_percent,
    }
}
