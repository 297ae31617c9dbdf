//! Counts what one worker measures, without a lock and without keeping single samples.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::outcome::AnswerKind;
use super::{Click, Counts, ErrorKind, Outcome, Sample};

/// Longest latency that can be recorded; a longer one counts as this.
pub const LATENCY_MAX: Duration = Duration::from_secs(3600);

/// Significant decimal digits of every latency.
const DIGITS: u8 = 3;

/// Accumulates samples, of a worker's second or of a whole run. Merged exactly, then finished into
/// a [`super::Summary`].
#[derive(Debug, Clone)]
pub struct Recorder {
    pub(super) latency: Histogram<u64>,
    /// `latency` apart for each kind of answer, indexed by [`AnswerKind`].
    pub(super) latency_of: [Histogram<u64>; AnswerKind::COUNT],
    pub(super) corrected: Histogram<u64>,
    pub(super) lag: Histogram<u64>,
    /// `lag` without the requests that were due at the very start, for all users at once.
    pub(super) paced_lag: Histogram<u64>,
    pub(super) connect: Histogram<u64>,
    pub(super) first_byte: Histogram<u64>,
    pub(super) settle: Histogram<u64>,
    pub(super) outcomes: [u64; Outcome::COUNT],
    pub(super) errors: BTreeMap<ErrorKind, u64>,
    pub(super) bytes_sent: u64,
    pub(super) bytes_received: u64,
    pub(super) first_began: Option<Duration>,
    pub(super) last_ended: Duration,
    /// When the first and the last of the requests were sent that were due at the very start.
    pub(super) start_sent: Option<(Duration, Duration)>,
    /// Counts that are not derived from latencies and outcomes.
    pub counts: Counts,
}

impl Default for Recorder {
    fn default() -> Self {
        Self {
            latency: histogram(),
            latency_of: std::array::from_fn(|_| histogram()),
            corrected: histogram(),
            lag: histogram(),
            paced_lag: histogram(),
            connect: histogram(),
            first_byte: histogram(),
            settle: histogram(),
            outcomes: [0; Outcome::COUNT],
            errors: BTreeMap::new(),
            bytes_sent: 0,
            bytes_received: 0,
            first_began: None,
            last_ended: Duration::ZERO,
            start_sent: None,
            counts: Counts::default(),
        }
    }
}

/// An empty histogram of microseconds: 1 µs to [`LATENCY_MAX`], 3 digits. All histograms have
/// these bounds, so that merging is exact.
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
    /// Counts one sample. The latencies include failed requests, with the time until they failed.
    pub fn record(&mut self, sample: &Sample) {
        self.record_latencies(sample);
        self.count(sample);
    }

    fn record_latencies(&mut self, sample: &Sample) {
        let latency_us = micros(sample.latency());
        self.latency.saturating_record(latency_us);
        self.latency_of[AnswerKind::of(sample.result) as usize].saturating_record(latency_us);
        self.corrected.saturating_record(micros(sample.corrected()));
        if let Some(lag) = sample.lag() {
            self.lag.saturating_record(micros(lag));
            if sample.intended != Some(Duration::ZERO) {
                self.paced_lag.saturating_record(micros(lag));
            }
        }
        let since_began = |moment: Duration| micros(moment.saturating_sub(sample.began));
        if let Some(connected) = sample.connected {
            self.connect.saturating_record(since_began(connected));
        }
        if let Some(first_byte) = sample.first_byte {
            self.first_byte.saturating_record(since_began(first_byte));
        }
    }

    /// Counts everything of a sample but its latencies.
    pub(super) fn count(&mut self, sample: &Sample) {
        match sample.result {
            Ok(outcome) => self.outcomes[outcome.index()] += 1,
            Err(kind) => *self.errors.entry(kind).or_default() += 1,
        }
        match sample.click {
            Click::First => {}
            Click::Twin => self.counts.twins += 1,
            Click::Again(cause) => self.counts.retries[cause as usize] += 1,
        }
        if sample.intended == Some(Duration::ZERO) {
            self.start_sent = widest(self.start_sent, sample.sent.map(|sent| (sent, sent)));
        }
        self.bytes_sent += sample.bytes_sent;
        self.bytes_received += sample.bytes_received;
        self.first_began =
            Some(self.first_began.map_or(sample.began, |first| first.min(sample.began)));
        self.last_ended = self.last_ended.max(sample.ended);
    }

    /// Counts a decision that a buyer waited for, `time` after the intended click.
    pub fn settled(&mut self, time: Duration) {
        self.settle.saturating_record(micros(time));
    }

    /// Adds the counts of another recorder.
    pub fn merge(&mut self, other: &Self) {
        // The fields are destructured by name, so that a forgotten new field does not compile.
        let Self {
            latency,
            latency_of,
            corrected,
            lag,
            paced_lag,
            connect,
            first_byte,
            settle,
            outcomes,
            errors,
            bytes_sent,
            bytes_received,
            first_began,
            last_ended,
            start_sent,
            counts,
        } = other;
        let histograms = [
            (&mut self.latency, latency),
            (&mut self.corrected, corrected),
            (&mut self.lag, lag),
            (&mut self.paced_lag, paced_lag),
            (&mut self.connect, connect),
            (&mut self.first_byte, first_byte),
            (&mut self.settle, settle),
        ];
        let by_kind = self.latency_of.iter_mut().zip(latency_of);
        for (sum, part) in histograms.into_iter().chain(by_kind) {
            // In most seconds some histograms are empty, and adding an empty one costs as much as
            // any other.
            if part.is_empty() {
                continue;
            }
            if let Err(error) = sum.add(part) {
                unreachable!("all histograms have the same bounds: {error}");
            }
        }
        for (sum, part) in self.outcomes.iter_mut().zip(outcomes) {
            *sum += part;
        }
        for (kind, count) in errors {
            *self.errors.entry(*kind).or_default() += count;
        }
        self.bytes_sent += bytes_sent;
        self.bytes_received += bytes_received;
        self.first_began = match (self.first_began, *first_began) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.last_ended = self.last_ended.max(*last_ended);
        self.start_sent = widest(self.start_sent, *start_sent);
        self.counts.merge(counts);
    }

    /// Microseconds from the beginning of each request to its last byte.
    pub fn latency(&self) -> &Histogram<u64> {
        &self.latency
    }

    /// Microseconds from the scheduled moment of each request to its last byte.
    pub fn corrected(&self) -> &Histogram<u64> {
        &self.corrected
    }

    /// When the last request ended, since the beginning of the run.
    pub fn ended(&self) -> Duration {
        self.last_ended
    }

    /// Requests with a usable answer.
    pub(super) fn usable(&self) -> u64 {
        self.outcomes.iter().sum()
    }

    /// Requests without a usable answer.
    pub(super) fn failed(&self) -> u64 {
        self.errors.values().sum()
    }

    /// The latencies of one kind of answer.
    pub(super) fn latency_of(&self, kind: AnswerKind) -> &Histogram<u64> {
        &self.latency_of[kind as usize]
    }
}

/// From the earlier beginning to the later end.
fn widest(
    a: Option<(Duration, Duration)>,
    b: Option<(Duration, Duration)>,
) -> Option<(Duration, Duration)> {
    match (a, b) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        (a, b) => a.or(b),
    }
}
