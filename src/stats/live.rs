//! Counters that can be read while the run goes on: for the progress bar and JMeter's summariser.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::recorder::micros;
use super::{Recorder, Sample};

/// One worker's counters. Only this worker writes them, so each update is an uncontended store; the
/// alignment keeps the counters of two workers on different cache lines.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Counters {
    started: AtomicU64,
    finished: AtomicU64,
    samples: AtomicU64,
    errors: AtomicU64,
    latency_sum_us: AtomicU64,
    interval_min_us: AtomicU64,
    interval_max_us: AtomicU64,
}

/// Adds to a counter that has a single writer, which is cheaper than an atomic addition.
fn add(counter: &AtomicU64, number: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(number), Relaxed);
}

/// The counters of all workers.
#[derive(Debug)]
pub struct Live {
    workers: Vec<Counters>,
    last_second: Mutex<Option<LastSecond>>,
    begun: watch::Sender<Option<Instant>>,
}

/// Latencies of one second, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // The names describe the fields.
pub struct LastSecond {
    pub p50_us: u64,
    pub p99_us: u64,
}

/// All workers' counters at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Virtual users that have begun.
    pub started: u64,
    /// Virtual users that have ended.
    pub finished: u64,
    /// Attempts that ended.
    pub samples: u64,
    /// Attempts without a usable answer.
    pub errors: u64,
    /// The sum of all latencies, in microseconds.
    pub latency_sum_us: u64,
}

impl Totals {
    /// Active virtual users.
    pub fn active(&self) -> u64 {
        self.started.saturating_sub(self.finished)
    }
}

/// Shortest and longest latency since the last interval was taken, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // The names describe the fields.
pub struct Interval {
    pub min_us: u64,
    pub max_us: u64,
}

impl Live {
    /// Counters for this many workers.
    pub fn new(workers: usize) -> Self {
        let mut live = Self {
            workers: Vec::new(),
            last_second: Mutex::default(),
            begun: watch::Sender::default(),
        };
        live.workers.resize_with(workers, Counters::default);
        live
    }

    /// The run begins at this moment; each worker says the same.
    pub fn begin(&self, moment: Instant) {
        self.begun.send_replace(Some(moment));
    }

    /// When the run began, once it has.
    pub fn begun(&self) -> watch::Receiver<Option<Instant>> {
        self.begun.subscribe()
    }

    /// A virtual user begins.
    pub fn user_started(&self, worker: usize) {
        self.workers[worker].started.fetch_add(1, Relaxed);
    }

    /// A virtual user ends.
    pub fn user_finished(&self, worker: usize) {
        self.workers[worker].finished.fetch_add(1, Relaxed);
    }

    /// An attempt ended.
    pub fn record(&self, worker: usize, sample: &Sample) {
        let counters = &self.workers[worker];
        let latency_us = micros(sample.latency());
        add(&counters.samples, 1);
        if sample.result.is_err() {
            add(&counters.errors, 1);
        }
        add(&counters.latency_sum_us, latency_us);
        // 0 stands for "none yet", since a latency is at least 1.
        let min_us = counters.interval_min_us.load(Relaxed);
        if min_us == 0 || latency_us < min_us {
            counters.interval_min_us.store(latency_us, Relaxed);
        }
        if latency_us > counters.interval_max_us.load(Relaxed) {
            counters.interval_max_us.store(latency_us, Relaxed);
        }
    }

    /// A second of the run has ended.
    pub fn second_ended(&self, second: &Recorder) {
        let at = |quantile| second.latency.value_at_quantile(quantile);
        let latencies =
            (!second.latency.is_empty()).then(|| LastSecond { p50_us: at(0.5), p99_us: at(0.99) });
        *self.last_second.lock().unwrap_or_else(PoisonError::into_inner) = latencies;
    }

    /// The latencies of the last second that has ended; `None` if there were none.
    pub fn last_second(&self) -> Option<LastSecond> {
        *self.last_second.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The totals of all workers.
    pub fn totals(&self) -> Totals {
        let sum = |counter: fn(&Counters) -> &AtomicU64| {
            self.workers.iter().map(|worker| counter(worker).load(Relaxed)).sum()
        };
        Totals {
            // `finished` is read before `started`, so that it never exceeds `started`.
            finished: sum(|c| &c.finished),
            started: sum(|c| &c.started),
            errors: sum(|c| &c.errors),
            samples: sum(|c| &c.samples),
            latency_sum_us: sum(|c| &c.latency_sum_us),
        }
    }

    /// The interval since the last call, which this ends.
    pub fn take_interval(&self) -> Interval {
        let took = |counter: fn(&Counters) -> &AtomicU64| {
            self.workers.iter().map(move |worker| counter(worker).swap(0, Relaxed))
        };
        let min_us = took(|c| &c.interval_min_us).filter(|us| *us > 0).min().unwrap_or(0);
        let max_us = took(|c| &c.interval_max_us).max().unwrap_or(0);
        Interval { min_us, max_us }
    }

    /// The mean latency of an interval, given the totals at its ends.
    pub fn mean(from: &Totals, to: &Totals) -> Duration {
        let samples = to.samples.saturating_sub(from.samples);
        let sum_us = to.latency_sum_us.saturating_sub(from.latency_sum_us);
        Duration::from_micros(sum_us.checked_div(samples).unwrap_or(0))
    }
}
