//! Service over time in short steps, and from when on it is normal again after a fault. Pure.

use std::ops::Range;
use std::time::Duration;

use crate::stats::{Outcome, Sample};

/// The length of a step.
pub(super) const STEP: Duration = Duration::from_millis(100);

/// Steps that are kept: an hour. Later requests are not part of these figures.
const STEPS_MAX: usize = 36_000;

/// The time for which service has to be normal.
const NORMAL_FOR: usize = 10;

/// The part of that time that is enough where the next fault, or the end of the load, comes before.
const NORMAL_FOR_MIN: usize = 3;

/// Requests without which the time before the first fault says nothing.
const BEFORE_MIN: u64 = 20;

/// How much larger the share of failed requests may be than before the first fault.
const FAILED_MORE: f64 = 0.01;

/// How much longer the median latency may be than before the first fault: the larger of twice as
/// long and this much more, in microseconds.
const MEDIAN_MORE_US: u64 = 10_000;

/// Bins of a step's latencies for each doubling.
const BINS_PER_OCTAVE: f64 = 4.0;

/// Bins up to 300 s, the longest time-out.
const BINS: usize = 116;

/// The requests that began in one step.
#[derive(Debug, Clone)]
struct Step {
    requests: u64,
    failed: u64,
    latencies: [u32; BINS],
}

/// The requests of a run by the step in which they began.
#[derive(Debug, Default)]
pub(super) struct Service(Vec<Step>);

/// The requests of several steps.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Level {
    requests: u64,
    failed: f64,
    median_us: u64,
}

impl Default for Step {
    fn default() -> Self {
        Self { requests: 0, failed: 0, latencies: [0; BINS] }
    }
}

/// Whether service failed for a buyer: there is no usable answer, or one that says that the service
/// is not available, or that rejects a right request, as after the loss of the sale.
fn has_failed(sample: &Sample) -> bool {
    match sample.result {
        Err(_) | Ok(Outcome::Rejected) => true,
        // A shop may say so with any status.
        Ok(Outcome::Refused(reason)) if reason.as_str() == "unavailable" => true,
        Ok(_) => sample.status >= 500,
    }
}

impl Service {
    pub(super) fn add(&mut self, sample: &Sample) {
        let index = step_of(sample.began);
        if index >= STEPS_MAX {
            return;
        }
        if self.0.len() <= index {
            self.0.resize(index + 1, Step::default());
        }
        let step = &mut self.0[index];
        step.requests += 1;
        step.failed += u64::from(has_failed(sample));
        let us = sample.latency().as_micros().max(1) as f64;
        let bin = ((us.log2() * BINS_PER_OCTAVE) as usize).min(BINS - 1);
        step.latencies[bin] = step.latencies[bin].saturating_add(1);
    }

    /// The time from the end of a fault until service was normal again. `first` is the beginning of
    /// the first fault, and `until` that of the next one, if there is one.
    pub(super) fn normal_after(
        &self,
        first: Duration,
        ended: Duration,
        until: Option<Duration>,
    ) -> Option<Duration> {
        let before = self.level(0..step_of(first));
        let end = until.map_or(self.0.len(), step_of).min(self.0.len());
        // The step in which the fault ended holds requests from before its end, too.
        let from = step_of(ended);
        let is_normal = |at: &usize| {
            let window = *at..(at + NORMAL_FOR).min(end);
            window.len() >= NORMAL_FOR_MIN
                && self.level(*at..at + 1).is_normal(before)
                && self.level(window).is_normal(before)
        };
        let normal = (from..end).find(is_normal)?;
        Some((STEP * normal as u32).saturating_sub(ended))
    }

    fn level(&self, steps: Range<usize>) -> Level {
        let steps = self.0.get(steps.start..steps.end.min(self.0.len())).unwrap_or_default();
        let requests: u64 = steps.iter().map(|step| step.requests).sum();
        let failed: u64 = steps.iter().map(|step| step.failed).sum();
        let mut below = 0;
        let median = (0..BINS).find(|bin| {
            below += steps.iter().map(|step| u64::from(step.latencies[*bin])).sum::<u64>();
            2 * below >= requests
        });
        let upper = |bin: usize| ((bin + 1) as f64 / BINS_PER_OCTAVE).exp2() as u64;
        Level {
            requests,
            failed: failed as f64 / requests.max(1) as f64,
            median_us: median.map_or(0, upper),
        }
    }
}

impl Level {
    fn is_normal(self, before: Self) -> bool {
        let (failed, median_us) = match before.requests >= BEFORE_MIN {
            true => (before.failed, before.median_us),
            false => (0.0, u64::MAX / 2),
        };
        let longest_us = (2 * median_us).max(median_us.saturating_add(MEDIAN_MORE_US));
        self.requests > 0 && self.failed <= failed + FAILED_MORE && self.median_us <= longest_us
    }
}

fn step_of(moment: Duration) -> usize {
    usize::try_from(moment.as_millis() / STEP.as_millis()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Click, ErrorKind};

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// A request every 10 ms for 10 s. Those that begin from 2 s to `failing` fail after 1 s, or
    /// are rejected, and from then to `slow` they take 200 ms.
    fn service(failing: u64, slow: u64) -> Service {
        let mut service = Service::default();
        for began in (0..10_000).step_by(10) {
            let (latency, result) = match began {
                2_000.. if began < failing && began < 3_200 => (1_000, Err(ErrorKind::Timeout)),
                2_000.. if began < failing => (2, Ok(Outcome::Rejected)),
                2_000.. if began < slow => (200, Ok(Outcome::Accepted)),
                _ => (2, Ok(Outcome::Accepted)),
            };
            service.add(&Sample {
                thread: 0,
                click: Click::First,
                intended: None,
                began: ms(began),
                connected: None,
                sent: Some(ms(began)),
                first_byte: None,
                ended: ms(began + latency),
                bytes_sent: 1,
                bytes_received: 1,
                status: 202,
                result,
            });
        }
        service
    }

    #[test]
    fn service_is_normal_when_requests_neither_fail_nor_are_slow() {
        let after = |failing, slow| {
            service(failing, slow).normal_after(ms(2_000), ms(3_000), None).map(|t| t.as_millis())
        };
        assert_eq!(after(3_000, 3_000), Some(0));
        assert_eq!(after(3_500, 3_000), Some(500), "failures go on");
        assert_eq!(after(3_500, 4_200), Some(1_200), "then it is slow");
        assert_eq!(after(20_000, 20_000), None, "it never was");
        assert_eq!(after(9_800, 9_800), None, "two steps are not enough");
    }

    #[test]
    fn next_fault_ends_the_search() {
        let service = service(4_000, 4_000);
        let after = |until| service.normal_after(ms(2_000), ms(3_000), Some(ms(until)));
        assert_eq!(after(3_900), None);
        assert_eq!(after(4_200), None, "too short");
        assert_eq!(after(4_300), Some(ms(1_000)));
    }

    #[test]
    fn without_requests_before_the_first_fault_only_failures_count() {
        let after = service(3_500, 9_000).normal_after(ms(0), ms(3_000), None);
        assert_eq!(after, Some(ms(500)));
    }
}
