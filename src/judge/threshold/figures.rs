//! The figures of a run, as thresholds see them.

use crate::stats::{Quantiles, Summary};

use super::metric::{Metric, Process, Statistic, Times};
use super::unit::Unit;

/// The figures of a run that thresholds can be set on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// Begin to last byte, of all requests. A distribution without a value was not measured.
    pub latency: Quantiles,
    /// Intended begin to last byte.
    pub corrected: Quantiles,
    /// The latency of the attempts that were taken.
    pub accepted: Quantiles,
    /// The latency of the refusals.
    pub refused: Quantiles,
    /// The time until the requests without a usable answer failed.
    pub failed: Quantiles,
    /// Begin to an open connection.
    pub connect: Quantiles,
    /// Begin to the first byte of the answer.
    pub first_byte: Quantiles,
    /// The lag of the generator.
    pub lag: Quantiles,
    /// Acceptance, or the click, to the decision.
    pub settle: Quantiles,
    /// Begin to last byte, of the payments for held orders.
    pub payment: Quantiles,
    /// Payments without a usable answer.
    pub payment_errors: u64,
    /// Requests. Without any, nothing was measured of them.
    pub total: u64,
    /// Requests without a usable answer.
    pub errors: u64,
    /// Requests per second.
    pub per_second: f64,
    /// Usable answers by outcome; others did not occur.
    pub by_outcome: Vec<(String, u64)>,
    /// Errors by kind; others did not occur.
    pub by_error: Vec<(String, u64)>,
    /// The tested system's process.
    pub server: ProcessFigures,
    /// The load generator's process.
    pub generator: ProcessFigures,
    /// Orders above the stock; `None` unless the audit counted them.
    pub oversold: Option<u64>,
    /// Accepted attempts that lost to later ones; `None` without a ledger.
    pub fifo_violations: Option<u64>,
    /// The Gini coefficient of the orders over the buyers; `None` without a ledger.
    pub gini: Option<f64>,
}

/// The figures of a process; `None` where they were not measured.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[allow(missing_docs, reason = "the names describe the fields")]
pub struct ProcessFigures {
    pub cpu_us_per_request: Option<f64>,
    pub rss_bytes_max: Option<u64>,
}

impl Figures {
    /// The figures that are known while requests are sent; the others are not measured.
    pub fn live(summary: &Summary) -> Self {
        let outcomes = summary.by_outcome.iter();
        let errors = summary.by_error.iter();
        Self {
            latency: summary.latency,
            corrected: summary.corrected,
            accepted: summary.accepted,
            refused: summary.refused,
            failed: summary.failed,
            connect: summary.connect,
            first_byte: summary.first_byte,
            lag: summary.lag,
            total: summary.total,
            errors: summary.errors,
            per_second: summary.per_second(summary.total),
            by_outcome: outcomes.map(|(word, n)| (word.as_str().to_owned(), *n)).collect(),
            by_error: errors.map(|(kind, n)| (kind.to_string(), *n)).collect(),
            ..Self::default()
        }
    }

    /// The figure of a metric, in this unit; `None` if it was not measured.
    pub fn get(&self, metric: &Metric, unit: Unit) -> Option<f64> {
        let of = |total: u64, count: u64| match unit {
            _ if total == 0 => None,
            Unit::Share => Some(count as f64 / total as f64),
            _ => Some(count as f64),
        };
        let requests = |count| of(self.total, count);
        let figure = match metric {
            Metric::Time(times, statistic) => self.time(*times, *statistic),
            Metric::Errors => requests(self.errors),
            Metric::PaymentErrors => of(self.payment.count, self.payment_errors),
            Metric::Outcome(word) => requests(count_of(&self.by_outcome, word)),
            Metric::Error(word) => requests(count_of(&self.by_error, word)),
            Metric::Rate => (self.total > 0).then_some(self.per_second),
            Metric::CpuUsPerRequest(process) => self.process(*process).cpu_us_per_request,
            Metric::RssBytesMax(process) => {
                self.process(*process).rss_bytes_max.map(|bytes| bytes as f64)
            }
            Metric::Oversold => self.oversold.map(|count| count as f64),
            Metric::FifoViolations => self.fifo_violations.map(|count| count as f64),
            Metric::Gini => self.gini,
        };
        figure.filter(|figure| figure.is_finite())
    }

    fn time(&self, times: Times, statistic: Statistic) -> Option<f64> {
        let times = match times {
            Times::Latency => &self.latency,
            Times::Corrected => &self.corrected,
            Times::Accepted => &self.accepted,
            Times::Refused => &self.refused,
            Times::Failed => &self.failed,
            Times::Connect => &self.connect,
            Times::FirstByte => &self.first_byte,
            Times::Lag => &self.lag,
            Times::Settle => &self.settle,
            Times::Payment => &self.payment,
        };
        let us = match statistic {
            Statistic::Min => times.min as f64,
            Statistic::Mean => times.mean,
            Statistic::Stddev => times.stddev,
            Statistic::P50 => times.p50 as f64,
            Statistic::P90 => times.p90 as f64,
            Statistic::P95 => times.p95 as f64,
            Statistic::P99 => times.p99 as f64,
            Statistic::P999 => times.p999 as f64,
            Statistic::Max => times.max as f64,
        };
        (times.count > 0).then_some(us)
    }

    fn process(&self, process: Process) -> ProcessFigures {
        match process {
            Process::Server => self.server,
            Process::Generator => self.generator,
        }
    }
}

fn count_of(counts: &[(String, u64)], word: &str) -> u64 {
    counts.iter().find(|(known, _)| known == word).map_or(0, |(_, count)| *count)
}
