//! The finished figures: plain data, which is only stored, judged and printed.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::curve::{CurvePoint, curve};
use super::outcome::AnswerKind;
use super::recorder::{histogram, micros};
use super::{Counts, ErrorKind, Outcome, Recorder};

/// The figures of a run.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Requests: attempts, twins and retries, failed ones included.
    pub total: u64,
    /// Requests without a usable answer.
    pub errors: u64,
    /// Usable answers by outcome, without those that did not occur.
    pub by_outcome: Vec<(Outcome, u64)>,
    /// Errors by kind, without those that did not occur.
    pub by_error: Vec<(ErrorKind, u64)>,
    /// From the beginning of the first attempt to the end of the last one.
    pub elapsed: Duration,
    /// From the beginning of the run to the end of the last attempt.
    pub ended: Duration,
    /// Bytes handed to the kernel.
    pub bytes_sent: u64,
    /// Bytes of all answers.
    pub bytes_received: u64,
    /// Begin to last byte: the service's latency.
    pub latency: Quantiles,
    /// `latency` of the attempts that were taken: accepted, or decided before.
    pub accepted: Quantiles,
    /// `latency` of the refusals, which promise that the attempt has no effect.
    pub refused: Quantiles,
    /// `latency` of the requests without a usable answer: the time until they failed.
    pub failed: Quantiles,
    /// Intended begin to last byte; for requests without a scheduled moment, the same as `latency`.
    pub corrected: Quantiles,
    /// Intended begin to the bytes in the kernel, of the requests with a scheduled moment.
    pub lag: Quantiles,
    /// `lag` without the requests that were due at the very start, for all users at once.
    pub paced_lag: Quantiles,
    /// Begin to an open connection, of the requests that opened one.
    pub connect: Quantiles,
    /// Begin to the first byte of the answer.
    pub first_byte: Quantiles,
    /// Intended click to the known decision, of the attempts whose buyer waited for it.
    pub settle: Quantiles,
    /// From the first to the last of the requests that were due at the very start.
    pub spread: Option<Duration>,
    /// Counts that are not derived from latencies and outcomes.
    pub counts: Counts,
    /// The distribution of the latencies, from the shortest to the longest.
    pub bins: Vec<Bin>,
    /// The curve of percentiles, of `latency` and `corrected`.
    pub curve: Vec<CurvePoint>,
}

/// A distribution of microseconds. All are 0 when nothing was recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)] // The names describe the fields.
pub struct Quantiles {
    pub count: u64,
    pub min: u64,
    pub mean: f64,
    pub stddev: f64,
    pub p50: u64,
    pub p90: u64,
    pub p95: u64,
    pub p99: u64,
    pub p999: u64,
    pub max: u64,
}

/// A bin of the distribution: latencies below `to_us` and not in the bin before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bin {
    /// Upper end, exclusive, in microseconds.
    pub to_us: u64,
    /// Number of latencies in the bin.
    pub count: u64,
}

impl Recorder {
    /// The finished figures.
    pub fn finish(self) -> Summary {
        let errors = self.failed();
        Summary {
            total: self.usable() + errors,
            errors,
            by_outcome: Outcome::counted(&self.outcomes),
            by_error: self.errors.iter().map(|(kind, count)| (*kind, *count)).collect(),
            elapsed: self.last_ended.saturating_sub(self.first_began.unwrap_or_default()),
            ended: self.last_ended,
            bytes_sent: self.bytes_sent,
            bytes_received: self.bytes_received,
            latency: Quantiles::of(&self.latency),
            accepted: Quantiles::of(self.latency_of(AnswerKind::Accepted)),
            refused: Quantiles::of(self.latency_of(AnswerKind::Refused)),
            failed: Quantiles::of(self.latency_of(AnswerKind::Failed)),
            corrected: Quantiles::of(&self.corrected),
            lag: Quantiles::of(&self.lag),
            paced_lag: Quantiles::of(&self.paced_lag),
            connect: Quantiles::of(&self.connect),
            first_byte: Quantiles::of(&self.first_byte),
            settle: Quantiles::of(&self.settle),
            spread: self.start_sent.map(|(first, last)| last - first),
            counts: self.counts,
            bins: bins(&self.latency),
            curve: curve(&self.latency, &self.corrected),
        }
    }
}

impl Summary {
    /// Requests that failed in this way.
    pub fn errors_of(&self, kind: ErrorKind) -> u64 {
        self.by_error.iter().find(|(known, _)| *known == kind).map_or(0, |(_, count)| *count)
    }

    /// Share of requests without a usable answer, 0 to 1.
    pub fn error_rate(&self) -> f64 {
        if self.total == 0 { 0.0 } else { self.errors as f64 / self.total as f64 }
    }

    /// `count` divided by the seconds of the run.
    pub fn per_second(&self, count: u64) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
    }
}

impl Quantiles {
    /// The distribution of single durations.
    pub fn of_durations(durations: impl IntoIterator<Item = Duration>) -> Self {
        let mut histogram = histogram();
        durations.into_iter().for_each(|d| histogram.saturating_record(micros(d)));
        Self::of(&histogram)
    }

    /// The distribution, or `None` if nothing was recorded.
    pub fn measured(self) -> Option<Self> {
        (self.count > 0).then_some(self)
    }

    pub(super) fn of(histogram: &Histogram<u64>) -> Self {
        if histogram.is_empty() {
            return Self::default();
        }
        // A bucket's upper end can lie above the largest value in it.
        let max = histogram.max();
        let at = |quantile| histogram.value_at_quantile(quantile).min(max);
        Self {
            count: histogram.len(),
            min: histogram.min(),
            mean: histogram.mean(),
            stddev: histogram.stdev(),
            p50: at(0.5),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            p999: at(0.999),
            max,
        }
    }
}

/// Upper ends of the bins in each decade.
const BIN_ENDS: [f64; 6] = [1.0, 1.5, 2.0, 3.0, 5.0, 7.0];

/// Bins where the usual ones are so coarse that one would have all latencies.
const FINE_BINS: u64 = 10;

/// The bins between the shortest and the longest latency.
fn bins(histogram: &Histogram<u64>) -> Vec<Bin> {
    let ends = (1..).flat_map(|power| BIN_ENDS.map(|end| (end * 10f64.powi(power)) as u64));
    let bins = bins_to(histogram, ends);
    let (min, max) = (histogram.min(), histogram.max());
    if bins.len() != 1 || max - min < FINE_BINS {
        return bins;
    }
    bins_to(histogram, (1..).map(|nth| min + ((max - min) * nth).div_ceil(FINE_BINS) + 1))
}

/// The bins that end there. Each recorded value is counted in one of them, by the middle of its
/// bucket, which is exact to the histogram's three digits.
fn bins_to(histogram: &Histogram<u64>, ends: impl Iterator<Item = u64>) -> Vec<Bin> {
    let mut recorded = histogram.iter_recorded().peekable();
    let mut bins = Vec::new();
    for to_us in ends {
        let mut count = 0;
        while let Some(value) = recorded.peek() {
            if histogram.median_equivalent(value.value_iterated_to()) >= to_us {
                break;
            }
            count += value.count_at_value();
            recorded.next();
        }
        if count > 0 || !bins.is_empty() {
            bins.push(Bin { to_us, count });
        }
        if recorded.peek().is_none() {
            break;
        }
    }
    bins
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::RetryOn;
    use crate::stats::{Click, Reason, Sample};

    #[test]
    fn bins_count_every_latency_once() {
        let mut recorder = histogram();
        (1..=100_000).for_each(|us| recorder.saturating_record(us));
        // On the edge of a bin, where a bucket of the histogram lies on both sides.
        recorder.saturating_record(1_000_000);
        let bins = bins(&recorder);
        assert_eq!(bins.iter().map(|bin| bin.count).sum::<u64>(), 100_001);
        assert_eq!(bins[0], Bin { to_us: 10, count: 9 });
        assert!(bins.is_sorted_by_key(|bin| bin.to_us));
    }

    #[test]
    fn latencies_of_one_bin_have_finer_bins() {
        let mut recorder = histogram();
        (2_000..=2_900).for_each(|us| recorder.saturating_record(us));
        let fine = bins(&recorder);
        assert_eq!(fine.len(), 10, "{fine:?}");
        assert_eq!(fine.iter().map(|bin| bin.count).sum::<u64>(), 901);
        assert!(fine.iter().all(|bin| bin.count > 80), "{fine:?}");
        let mut same = histogram();
        (0..5).for_each(|_| same.saturating_record(2_000));
        assert_eq!(bins(&same), [Bin { to_us: 3_000, count: 5 }]);
    }

    #[test]
    fn percentiles_never_exceed_the_maximum() {
        let quantiles = Quantiles::of_durations([1_000_001, 5].map(Duration::from_micros));
        assert!(quantiles.p999 <= quantiles.max && quantiles.p50 == 5, "{quantiles:?}");
        assert_eq!(Quantiles::of_durations([]), Quantiles::default());
    }

    fn sample(result: Result<Outcome, ErrorKind>, click: Click, latency_us: u64) -> Sample {
        Sample {
            thread: 0,
            click,
            intended: None,
            began: Duration::ZERO,
            connected: None,
            sent: Some(Duration::ZERO),
            first_byte: None,
            ended: Duration::from_micros(latency_us),
            bytes_sent: 1,
            bytes_received: 1,
            status: 0,
            result,
        }
    }

    #[test]
    fn latencies_are_kept_apart_by_kind_of_answer_and_merged_exactly() {
        let sold_out = Outcome::Refused(Reason::intern("sold_out"));
        let again = Click::Again(RetryOn::Unknown);
        let samples = [
            (Ok(Outcome::Accepted), Click::First, 100),
            (Ok(sold_out), Click::First, 20),
            (Err(ErrorKind::Timeout), Click::First, 900),
            (Ok(Outcome::Won), again, 110),
            (Ok(Outcome::Lost), Click::Twin, 120),
            (Ok(Outcome::Rejected), Click::First, 30),
            (Err(ErrorKind::Http(500)), again, 800),
        ]
        .map(|(result, click, us)| sample(result, click, us));
        let mut whole = Recorder::default();
        let mut parts = [Recorder::default(), Recorder::default()];
        for (at, sample) in samples.iter().enumerate() {
            whole.record(sample);
            parts[at % 2].record(sample);
        }
        let [mut merged, other] = parts;
        merged.merge(&other);
        for recorder in [whole, merged] {
            let summary = recorder.finish();
            let of = |times: Quantiles| (times.count, times.min, times.max);
            assert_eq!(of(summary.accepted), (3, 100, 120));
            assert_eq!(of(summary.refused), (2, 20, 30));
            assert_eq!(of(summary.failed), (2, 800, 900));
            assert_eq!(of(summary.latency), (7, 20, 900));
        }
    }
}
