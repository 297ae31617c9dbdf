//! Assembles a run's result from its measurements and its audit.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant, SystemTime};

use crate::archive::digest::Digest;
use crate::judge::{
    Audit, BrokerConnections, Conclusion, Gaps, Invalid, Threshold, ThresholdResult, cause,
    exit_code,
};
use crate::monitor::{BrokerUsage, CpuShares, ProcessUsage, Usage};
use crate::profile::{Model, Plan, ServeFlags};
use crate::settings::RetryOn;
use crate::stats::{Click, Counts, FaultRecord, Point, Quantiles, Series, StepSummary, Summary};
use crate::sut::{Sut, Target};

use super::figures::{
    AuditRecord, BrokerRecord, CpuPercent, CpuRow, Follow, Generator, Machine, ProcessRecord,
    Requests, Retries, Run, SeriesRow, SettleFrom, Stampede,
};
use super::plan_record::PlanRecord;
use super::rows::ended_s;
use super::steps::StepRecord;
use super::tally::Tally;

/// The version of the result that this program writes, and the highest that it reads.
pub const SCHEMA: u32 = 1;

/// CPU time below which the time per request says nothing, in microseconds: it is only a few ticks
/// of the kernel's clock, of 10 ms each.
const CPU_US_DIVIDED_MIN: u64 = 50_000;

/// Length of a run below which its CPU shares say nothing: a tick is more than a twentieth of it.
const ELAPSED_OF_SHARES_MIN: Duration = Duration::from_millis(200);

/// The parts of a result.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "see the fields of `Run`")]
pub struct Parts<'a> {
    pub started: SystemTime,
    pub sut: &'a Sut,
    /// The figures of the steps beside the purchase.
    pub steps: Vec<StepSummary>,
    /// What happened of the faults, and what buyers saw of them.
    pub faults: Vec<FaultRecord>,
    pub plan: &'a Plan,
    pub target: &'a Target,
    /// The flags of the server that was started for the run.
    pub spawn: Option<&'a ServeFlags>,
    /// When the load began, by the monotonic clock.
    pub begun: Instant,
    pub summary: &'a Summary,
    pub series: &'a Series,
    /// Times from acceptance to decision, from the ledger.
    pub settle: Quantiles,
    pub usage: &'a Usage,
    pub broker: Option<BrokerUsage>,
    pub audit: Audit,
    pub gaps: Gaps,
    pub files: BTreeMap<String, Digest>,
    pub stock_left_before: i64,
    /// Why the run ended before the end of its plan.
    pub stopped: Option<String>,
    pub invalid: Vec<Invalid>,
    pub thresholds: &'a [Threshold],
    pub aborted_by: Option<ThresholdResult>,
}

impl Run {
    /// Assembles a result.
    pub fn new(parts: Parts<'_>) -> Self {
        let Parts { plan, summary, usage, .. } = parts;
        let requests = summary.total + summary.counts.warmup;
        let (settle_us, settle_from) = match plan.follow {
            true => (summary.settle, SettleFrom::Click),
            false => (parts.settle, SettleFrom::Ledger),
        };
        let thresholds = parts.thresholds;
        let run = Self {
            schema: SCHEMA,
            seckill: env!("CARGO_PKG_VERSION").to_owned(),
            started: parts.started,
            sut: parts.sut.record(),
            plan: PlanRecord {
                plan: plan.clone(),
                target: parts.target.url.clone(),
                spawn: parts.spawn.map(ServeFlags::arguments),
            },
            requests: self::requests(&parts),
            latency_us: summary.latency,
            latency_accepted_us: summary.accepted.measured(),
            latency_refused_us: summary.refused.measured(),
            latency_failed_us: summary.failed.measured(),
            latency_corrected_us: summary.corrected,
            latency_bins: summary.bins.clone(),
            latency_curve: summary.curve.clone(),
            steps: parts.steps.iter().map(|step| StepRecord::new(parts.sut, step)).collect(),
            faults: parts.faults.clone(),
            unmatched: parts.sut.unmatched(),
            connect_us: summary.connect,
            first_byte_us: summary.first_byte,
            settle_us,
            settle_from,
            follow: plan.follow.then(|| follow(&summary.counts)),
            stampede: stampede(plan, summary),
            series: series(&parts),
            generator: generator(&parts, requests),
            server: process(usage.server.as_ref(), summary.elapsed, requests),
            machine: Machine {
                cpu_percent: cpu_percent(usage.machine.as_ref(), summary.elapsed),
                steal_percent: usage.steal_percent,
            },
            broker: parts.broker.map(|broker| BrokerRecord {
                connections_max: broker.connections_max,
                connections_limit: broker.connections_limit,
                connections_opened: broker.connections_opened,
            }),
            audit: AuditRecord { audit: parts.audit, stock_left_before: parts.stock_left_before },
            thresholds: Vec::new(),
            aborted_by: parts.aborted_by,
            evidence_gaps: parts.gaps,
            files: parts.files,
        };
        run.evaluated(thresholds)
    }

    /// The same run with another audit, and with these thresholds evaluated.
    pub fn judged(self, audit: Audit, thresholds: &[Threshold]) -> Self {
        let stock_left_before = self.audit.stock_left_before;
        let run = Self { audit: AuditRecord { audit, stock_left_before }, ..self };
        run.evaluated(thresholds)
    }

    /// The same run with these thresholds evaluated.
    pub fn evaluated(mut self, thresholds: &[Threshold]) -> Self {
        let figures = self.figures();
        self.thresholds = thresholds.iter().map(|one| one.evaluate(&figures)).collect();
        self
    }

    /// The exit code: the lowest of those that apply.
    pub fn exit_code(&self) -> u8 {
        exit_code(Conclusion {
            verdict: self.audit.audit.verdict,
            is_valid: self.generator.valid,
            has_crossed: self.crossed().next().is_some(),
            was_stopped: self.requests.stopped_early.is_some(),
        })
    }

    /// The thresholds that were crossed, and last the one that ended the load.
    pub fn crossed(&self) -> impl Iterator<Item = &ThresholdResult> {
        self.thresholds.iter().filter(|result| !result.passed).chain(&self.aborted_by)
    }
}

fn requests(parts: &Parts<'_>) -> Requests {
    let Parts { summary, .. } = *parts;
    let counts = &summary.counts;
    let connections = parts.broker.and_then(|broker| {
        let (max, opened) = (broker.connections_max, broker.connections_opened);
        Some(BrokerConnections { max, limit: broker.connections_limit?, opened })
    });
    let words = summary.by_outcome.iter().map(|(outcome, count)| (outcome.as_str(), *count));
    Requests {
        label: parts.sut.label(Click::First).to_owned(),
        total: summary.total,
        warmup: counts.warmup,
        scheduled: summary.lag.count,
        double_clicks: counts.twins,
        retries: Retries {
            total: counts.retried(),
            after: Tally::of(RetryOn::ALL.map(RetryOn::as_str).into_iter().zip(counts.retries)),
            recovered: counts.recovered,
            gave_up: counts.gave_up,
            over_budget: counts.over_budget,
        },
        errors: summary.errors,
        error_rate: summary.error_rate(),
        per_second: summary.per_second(summary.total),
        received_kb_per_second: summary.per_second(summary.bytes_received) / 1024.0,
        sent_kb_per_second: summary.per_second(summary.bytes_sent) / 1024.0,
        stopped_early: parts.stopped.clone(),
        elapsed_us: summary.elapsed.as_micros() as u64,
        ended_us: Some(summary.ended.as_micros() as u64),
        bytes_sent: summary.bytes_sent,
        bytes_received: summary.bytes_received,
        by_outcome: Tally::of(words),
        by_error: Tally::of(summary.by_error.iter().copied()),
        cause: cause(summary, connections).map(|cause| cause.to_string()),
    }
}

fn follow(counts: &Counts) -> Follow {
    Follow { followed: counts.followed, decided: counts.decided, errors: counts.follow_errors }
}

fn stampede(plan: &Plan, summary: &Summary) -> Option<Stampede> {
    let Model::Closed { stampede: true, .. } = plan.model else { return None };
    let spread_us = summary.spread.unwrap_or_default().as_micros() as u64;
    Some(Stampede { prepared: summary.counts.prepared, spread_us })
}

fn series(parts: &Parts<'_>) -> Vec<SeriesRow> {
    let elapsed = parts.summary.elapsed;
    let mut rows: Vec<_> =
        parts.series.points().map(|point| series_row(point, &parts.faults)).collect();
    if elapsed >= ELAPSED_OF_SHARES_MIN {
        let ended_s = ended_s(&rows, Some(parts.summary.ended.as_secs_f64()));
        let ended = parts.begun + Duration::from_secs_f64(ended_s);
        for row in &mut rows {
            let at = |second| (parts.begun + Duration::from_secs(second)).min(ended);
            let CpuShares { generator, server, machine } =
                parts.usage.track.between(at(row.from_s), at(row.to_s));
            row.cpu_percent = CpuRow { generator, server, machine };
        }
    }
    rows
}

fn series_row(point: Point, faults: &[FaultRecord]) -> SeriesRow {
    let words = point.by_outcome.iter().map(|(outcome, count)| (outcome.as_str(), *count));
    SeriesRow {
        from_s: point.from_s,
        to_s: point.to_s,
        sent: point.began,
        ended: point.ended,
        errors: point.errors,
        by_outcome: Tally::of(words),
        by_error: Tally::of(point.by_error),
        p50_us: point.p50_us,
        p99_us: point.p99_us,
        corrected_p50_us: point.corrected_p50_us,
        corrected_p99_us: point.corrected_p99_us,
        stock_left: point.sale.stock_left,
        queued: point.sale.queued,
        faults: faults_within(faults, point.from_s..point.to_s),
        cpu_percent: CpuRow::default(),
    }
}

/// Which faults lasted in some of these seconds.
fn faults_within(faults: &[FaultRecord], seconds: Range<u64>) -> Vec<usize> {
    let us = |second: u64| second.saturating_mul(1_000_000);
    let lasts = |fault: &FaultRecord| {
        fault.began_us.is_some_and(|began| began < us(seconds.end))
            && fault.ended_us.is_none_or(|ended| ended > us(seconds.start))
    };
    let lasting = faults.iter().enumerate().filter(|(_, fault)| lasts(fault));
    lasting.map(|(index, _)| index).collect()
}

fn generator(parts: &Parts<'_>, requests: u64) -> Generator {
    let counts = &parts.summary.counts;
    let because: Vec<_> = parts.invalid.iter().map(ToString::to_string).collect();
    Generator {
        process: process(parts.usage.generator.as_ref(), parts.summary.elapsed, requests),
        lag_us: parts.summary.lag,
        arrivals_waited: counts.waited,
        arrivals_unsent: counts.unsent,
        valid: because.is_empty(),
        invalid_because: (!because.is_empty()).then(|| because.join("; ")),
        findings: parts.invalid.clone(),
    }
}

fn cpu_percent(process: Option<&ProcessUsage>, elapsed: Duration) -> CpuPercent {
    let during = process.filter(|_| elapsed >= ELAPSED_OF_SHARES_MIN);
    CpuPercent {
        before: process.map(|process| process.cpu_percent_before),
        mean: during.map(|process| process.cpu_percent_mean),
        max: during.map(|process| process.cpu_percent_max),
        after: process.map(|process| process.cpu_percent_after),
    }
}

fn process(process: Option<&ProcessUsage>, elapsed: Duration, requests: u64) -> ProcessRecord {
    let cpu_us = process.map(|process| process.cpu_us);
    let divided = cpu_us.filter(|cpu_us| *cpu_us >= CPU_US_DIVIDED_MIN);
    ProcessRecord {
        cpu_us_per_request: divided.map(|cpu_us| cpu_us as f64 / requests.max(1) as f64),
        cpu_us,
        cpu_percent: cpu_percent(process, elapsed),
        rss_bytes_before: process.map(|process| process.rss_bytes_before),
        rss_bytes_max: process.map(|process| process.rss_bytes_max),
        rss_bytes_after: process.map(|process| process.rss_bytes_after),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_below_their_grain_are_not_known() {
        let usage = |cpu_us| ProcessUsage { cpu_us, cpu_percent_mean: 40.0, ..Default::default() };
        let known = |cpu_us, ms| {
            let record = process(Some(&usage(cpu_us)), Duration::from_millis(ms), 10);
            (record.cpu_us_per_request, record.cpu_percent.mean)
        };
        assert_eq!(known(50_000, 200), (Some(5_000.0), Some(40.0)));
        assert_eq!(known(40_000, 199), (None, None));
    }
}
