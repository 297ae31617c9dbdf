//! What one worker counts, without a lock and without keeping single samples.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::{ErrorKind, Outcome, Sample};

/// Longest latency that is told apart; longer ones count as this.
pub const LATENCY_MAX: Duration = Duration::from_secs(600);

/// Significant decimal digits of every latency.
const DIGITS: u8 = 3;

/// Accumulates samples. One per worker; merged exactly, then finished into a [`super::Summary`].
#[derive(Debug, Clone)]
pub struct Recorder {
    pub(super) latency: Histogram<u64>,
    pub(super) corrected: Histogram<u64>,
    pub(super) lag: Histogram<u64>,
    pub(super) outcomes: [u64; Outcome::COUNT],
    pub(super) errors: BTreeMap<ErrorKind, u64>,
    pub(super) bytes_sent: u64,
    pub(super) bytes_received: u64,
    pub(super) first_began: Option<Duration>,
    pub(super) last_ended: Duration,
}

impl Default for Recorder {
    fn default() -> Self {
        Self {
            latency: histogram(),
            corrected: histogram(),
            lag: histogram(),
            outcomes: [0; Outcome::COUNT],
            errors: BTreeMap::new(),
            bytes_sent: 0,
            bytes_received: 0,
            first_began: None,
            last_ended: Duration::ZERO,
        }
    }
}

/// An empty histogram of microseconds: 1 µs to [`LATENCY_MAX`], 3 digits. All have these bounds,
/// so that merging is exact.
pub(super) fn histogram() -> Histogram<u64> {
    let max_us = LATENCY_MAX.as_micros() as u64;
    match Histogram::new_with_bounds(1, max_us, DIGITS) {
        Ok(histogram) => histogram,
        Err(error) => unreachable!("the bounds are constants within the crate's limits: {error}"),
    }
}

/// Microseconds, for a histogram: at least 1.
pub(super) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).max(1)
}

impl Recorder {
    /// Counts one sample. A failed one is in the latencies too, with what it lasted.
    pub fn record(&mut self, sample: &Sample) {
        let intended = sample.intended.unwrap_or(sample.began);
        self.latency.saturating_record(micros(sample.ended.saturating_sub(sample.began)));
        self.corrected.saturating_record(micros(sample.ended.saturating_sub(intended)));
        if let Some(intended) = sample.intended {
            self.lag.saturating_record(micros(sample.began.saturating_sub(intended)));
        }
        match sample.result {
            Ok(outcome) => self.outcomes[outcome.index()] += 1,
            Err(kind) => *self.errors.entry(kind).or_default() += 1,
        }
        self.bytes_sent += sample.bytes_sent;
        self.bytes_received += sample.bytes_received;
        self.first_began =
            Some(self.first_began.map_or(sample.began, |first| first.min(sample.began)));
        self.last_ended = self.last_ended.max(sample.ended);
    }

    /// Adds what another worker counted.
    pub fn merge(&mut self, other: &Self) {
        let histograms = [
            (&mut self.latency, &other.latency),
            (&mut self.corrected, &other.corrected),
            (&mut self.lag, &other.lag),
        ];
        for (sum, part) in histograms {
            if let Err(error) = sum.add(part) {
                unreachable!("all histograms have the same bounds: {error}");
            }
        }
        for (sum, part) in self.outcomes.iter_mut().zip(other.outcomes) {
            *sum += part;
        }
        for (kind, count) in &other.errors {
            *self.errors.entry(*kind).or_default() += count;
        }
        self.bytes_sent += other.bytes_sent;
        self.bytes_received += other.bytes_received;
        self.first_began = match (self.first_began, other.first_began) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.last_ended = self.last_ended.max(other.last_ended);
    }
}
