//! The data types of a run's result.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::archive::digest::Digest;
use crate::judge::{Audit, Gaps, Invalid, ThresholdResult};
use crate::stats::{Bin, CurvePoint, FaultRecord, Quantiles};
use crate::sut::SutRecord;

use super::plan_record::PlanRecord;
use super::steps::StepRecord;
use super::tally::Tally;

/// The result of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The version of this format.
    pub schema: u32,
    /// The version of the program that wrote it.
    pub seckill: String,
    /// When the run began.
    #[serde(with = "rfc3339")]
    pub started: SystemTime,
    /// The kind of the tested system.
    #[serde(default)]
    pub sut: SutRecord,
    /// The plan of the run.
    pub plan: PlanRecord,
    /// Requests and their outcomes.
    pub requests: Requests,
    /// Time from begin to last byte.
    pub latency_us: Quantiles,
    /// `latency_us` of the attempts that were taken, `None` without any.
    #[serde(default)]
    pub latency_accepted_us: Option<Quantiles>,
    /// `latency_us` of the refusals, `None` without any.
    #[serde(default)]
    pub latency_refused_us: Option<Quantiles>,
    /// `latency_us` of the requests without a usable answer, `None` without any.
    #[serde(default)]
    pub latency_failed_us: Option<Quantiles>,
    /// Time from intended begin to last byte.
    pub latency_corrected_us: Quantiles,
    /// The distribution of `latency_us`.
    #[serde(default)]
    pub latency_bins: Vec<Bin>,
    /// The curve of percentiles, of `latency_us` and `latency_corrected_us`.
    #[serde(default)]
    pub latency_curve: Vec<CurvePoint>,
    /// The steps beside the purchase, where a description has some.
    #[serde(default)]
    pub steps: Vec<StepRecord>,
    /// The faults of the plan, in the order of their beginnings.
    #[serde(default)]
    pub faults: Vec<FaultRecord>,
    /// The beginnings of answers that no outcome of the description matches.
    #[serde(default)]
    pub unmatched: Vec<String>,
    /// Begin to an open connection, of the requests that opened one.
    pub connect_us: Quantiles,
    /// Begin to the first byte of the answer.
    pub first_byte_us: Quantiles,
    /// Times to the decision.
    pub settle_us: Quantiles,
    /// The moment from which these are counted.
    pub settle_from: SettleFrom,
    /// Buyers that waited for the decision, if the plan makes them wait.
    pub follow: Option<Follow>,
    /// The start of a stampede.
    pub stampede: Option<Stampede>,
    /// The run second by second.
    pub series: Vec<SeriesRow>,
    /// The load generator.
    pub generator: Generator,
    /// The tested system's process, if it runs on this machine.
    pub server: ProcessRecord,
    /// The machine.
    pub machine: Machine,
    /// The broker, if its figures were read.
    pub broker: Option<BrokerRecord>,
    /// The audit.
    pub audit: AuditRecord,
    /// The thresholds with the figures that were measured.
    #[serde(default)]
    pub thresholds: Vec<ThresholdResult>,
    /// The threshold that ended the load, with the figure at that time.
    #[serde(default)]
    pub aborted_by: Option<ThresholdResult>,
    /// The gaps in the evidence for the audit.
    #[serde(default)]
    pub evidence_gaps: Gaps,
    /// The digests of the files from which the run was judged, by name; empty where there are none.
    #[serde(default)]
    pub files: BTreeMap<String, Digest>,
}

/// Requests and their outcomes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Requests {
    /// The label of a request in reports.
    #[serde(default)]
    pub label: String,
    /// Requests, including failed ones and excluding those of the warm-up.
    pub total: u64,
    /// Requests of the warm-up.
    pub warmup: u64,
    /// Requests with a scheduled moment.
    pub scheduled: u64,
    /// Second requests of double clicks.
    pub double_clicks: u64,
    /// Retries.
    pub retries: Retries,
    /// Requests without a usable answer.
    pub errors: u64,
    /// Their share, 0 to 1.
    pub error_rate: f64,
    /// Requests per second.
    pub per_second: f64,
    /// Kibibytes received per second.
    #[serde(default)]
    pub received_kb_per_second: f64,
    /// Kibibytes sent per second.
    #[serde(default)]
    pub sent_kb_per_second: f64,
    /// Why the run ended before the end of its plan.
    pub stopped_early: Option<String>,
    /// Time from the beginning of the first request to the end of the last one.
    pub elapsed_us: u64,
    /// Time from the beginning of the run to the end of the last request; `None` in older results.
    #[serde(default)]
    pub ended_us: Option<u64>,
    /// Bytes handed to the kernel.
    pub bytes_sent: u64,
    /// Bytes of all answers.
    pub bytes_received: u64,
    /// Usable answers by outcome.
    pub by_outcome: Tally,
    /// Requests without a usable answer by kind.
    pub by_error: Tally,
    /// The cause of the errors, if it is known.
    pub cause: Option<String>,
}

/// Retries.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retries {
    /// All retries.
    pub total: u64,
    /// Retries by their cause.
    pub after: Tally,
    /// Attempts that a retry brought to an answer that calls for no further retry.
    pub recovered: u64,
    /// Attempts that had used up their retries.
    pub gave_up: u64,
    /// Attempts that were not retried because the budget was spent.
    pub over_budget: u64,
}

/// The moment from which times to the decision are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SettleFrom {
    /// From the intended click until the waiting buyer received the decision.
    Click,
    /// From acceptance to decision, by the tested system's clock.
    Ledger,
}

/// Buyers that waited for the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Follow {
    /// Buyers that waited.
    pub followed: u64,
    /// Of these, buyers that waited until the attempt was decided.
    pub decided: u64,
    /// Requests for a decision that got no usable answer.
    pub errors: u64,
}

/// The start of a stampede.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stampede {
    /// Connections that were open before it.
    pub prepared: u64,
    /// Time from sending the first request to sending the last one, in microseconds.
    pub spread_us: u64,
}

/// A second of the run, or several seconds of a long run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "`stats::Point` describes the fields")]
pub struct SeriesRow {
    pub from_s: u64,
    pub to_s: u64,
    pub sent: u64,
    pub ended: u64,
    pub errors: u64,
    pub by_outcome: Tally,
    #[serde(default)]
    pub by_error: Tally,
    pub p50_us: u64,
    pub p99_us: u64,
    #[serde(default)]
    pub corrected_p50_us: u64,
    #[serde(default)]
    pub corrected_p99_us: u64,
    pub stock_left: Option<i64>,
    pub queued: Option<u64>,
    /// The faults that lasted in it, by their position in the list of faults, from 0.
    #[serde(default)]
    pub faults: Vec<usize>,
    #[serde(default)]
    pub cpu_percent: CpuRow,
}

/// CPU shares in a row, in percent; `None` where one could not be measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct CpuRow {
    /// The load generator, of one core.
    pub generator: Option<f64>,
    /// The server, of one core.
    pub server: Option<f64>,
    /// The machine, of all cores.
    pub machine: Option<f64>,
}

/// CPU shares in percent: before, during and after the run. Those during a run of less than 200 ms
/// are not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names describe the fields")]
pub struct CpuPercent {
    pub before: Option<f64>,
    pub mean: Option<f64>,
    pub max: Option<f64>,
    pub after: Option<f64>,
}

/// CPU and memory of a process; empty where it could not be measured. Shares are of one core.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct ProcessRecord {
    /// CPU time for each request, those of the warm-up included; `None` below 50 ms in all, which
    /// are few ticks of the kernel's clock.
    pub cpu_us_per_request: Option<f64>,
    /// CPU time during the run, in the kernel's ticks of 10 ms.
    #[serde(default)]
    pub cpu_us: Option<u64>,
    /// CPU shares.
    pub cpu_percent: CpuPercent,
    /// Memory before the run.
    pub rss_bytes_before: Option<u64>,
    /// Maximum memory during the run, sampled four times a second.
    pub rss_bytes_max: Option<u64>,
    /// Memory after the run.
    pub rss_bytes_after: Option<u64>,
}

/// The load generator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Generator {
    /// Its process.
    #[serde(flatten)]
    pub process: ProcessRecord,
    /// Intended begin to the bytes in the kernel, of the requests with a scheduled moment.
    pub lag_us: Quantiles,
    /// Arrivals for which no user was free at their moment.
    pub arrivals_waited: u64,
    /// Arrivals that were never sent.
    pub arrivals_unsent: u64,
    /// Whether the figures describe the tested system and not the generator.
    pub valid: bool,
    /// Why the run is invalid, as text.
    pub invalid_because: Option<String>,
    /// Why the run is invalid, as findings with their figures.
    #[serde(default)]
    pub findings: Vec<Invalid>,
}

/// The machine. Shares are of all cores.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// CPU shares.
    pub cpu_percent: CpuPercent,
    /// Share of the machine's time that its host gave to others, in percent.
    pub steal_percent: f64,
}

/// The broker's connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokerRecord {
    /// Maximum number that was open at a time.
    pub connections_max: u64,
    /// Maximum number that the broker can have open, by its limit of open files.
    pub connections_limit: Option<u64>,
    /// Connections that were opened during the run.
    pub connections_opened: u64,
}

/// The audit, and the stock that was left before the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// The audit.
    #[serde(flatten)]
    pub audit: Audit,
    /// Units that were left before the run.
    pub stock_left_before: i64,
}

mod rfc3339 {
    use std::time::SystemTime;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        moment: &SystemTime,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_rfc3339_millis(*moment))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<SystemTime, D::Error> {
        let text = String::deserialize(deserializer)?;
        humantime::parse_rfc3339(&text).map_err(serde::de::Error::custom)
    }
}
