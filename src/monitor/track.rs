//! CPU shares of any stretch of a run, from the samples that were taken during it.

use std::time::{Duration, Instant};

use super::sample::{Reading, SHARE_TIME_MIN, Sample};

/// CPU shares of a stretch of a run, in percent; `None` where one could not be measured.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CpuShares {
    /// The load generator, of one core.
    pub generator: Option<f64>,
    /// The server, of one core.
    pub server: Option<f64>,
    /// The machine, of all cores.
    pub machine: Option<f64>,
}

/// The CPU time that was used until each sample, in the order of the samples.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CpuTrack {
    samples: Vec<Sample>,
    cores: usize,
}

impl CpuTrack {
    pub(super) fn new(samples: Vec<Sample>, cores: usize) -> Self {
        Self { samples, cores }
    }

    /// The shares between two moments. What lies before the first sample or after the last one is
    /// left out. A share of less than ten ticks of the kernel is not known. Ticks that end in the
    /// stretch may be more than its time, so the machine's share is cut at all cores.
    pub fn between(&self, from: Instant, to: Instant) -> CpuShares {
        let (Some(first), Some(last)) = (self.samples.first(), self.samples.last()) else {
            return CpuShares::default();
        };
        let (from, to) = (from.max(first.at), to.min(last.at));
        let length = to.saturating_duration_since(from);
        let share = |of: fn(&Sample) -> Option<Reading>, cores: usize| {
            let used = self.cpu_at(to, of)?.saturating_sub(self.cpu_at(from, of)?);
            let share = 100.0 * used.as_secs_f64() / length.as_secs_f64() / cores.max(1) as f64;
            (length >= SHARE_TIME_MIN).then_some(share)
        };
        CpuShares {
            generator: share(|sample| sample.generator, 1),
            server: share(|sample| sample.server, 1),
            machine: share(|sample| sample.machine, self.cores).map(|share| share.min(100.0)),
        }
    }

    /// The CPU time until a moment, interpolated between the samples around it.
    fn cpu_at(&self, at: Instant, of: fn(&Sample) -> Option<Reading>) -> Option<Duration> {
        let later = self.samples.partition_point(|sample| sample.at < at);
        let later = self.samples.get(later)?;
        let earlier = self.samples.partition_point(|sample| sample.at < at).checked_sub(1);
        let earlier = earlier.and_then(|index| self.samples.get(index)).unwrap_or(later);
        let (low, high) = (of(earlier)?.cpu, of(later)?.cpu);
        let span = later.at.duration_since(earlier.at).as_secs_f64();
        let part = at.saturating_duration_since(earlier.at).as_secs_f64() / span.max(1e-9);
        Some(low + high.saturating_sub(low).mul_f64(part.clamp(0.0, 1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Samples of a generator that used these milliseconds of CPU until each moment.
    fn track(start: Instant, samples: &[(u64, u64)]) -> CpuTrack {
        let sample = |&(at_ms, cpu_ms): &(u64, u64)| Sample {
            at: start + Duration::from_millis(at_ms),
            machine: Some(Reading { cpu: Duration::from_millis(2 * cpu_ms), rss_bytes: 0 }),
            steal: Duration::ZERO,
            generator: Some(Reading { cpu: Duration::from_millis(cpu_ms), rss_bytes: 1 }),
            server: None,
        };
        CpuTrack::new(samples.iter().map(sample).collect(), 4)
    }

    #[test]
    fn shares_are_interpolated_between_samples() {
        let start = Instant::now();
        let track = track(start, &[(0, 0), (800, 400), (1_600, 400), (2_000, 800)]);
        let percent = |from_ms, to_ms| {
            let at = |ms| start + Duration::from_millis(ms);
            let shares = track.between(at(from_ms), at(to_ms));
            assert_eq!(shares.server, None);
            let rounded = [shares.generator, shares.machine].map(|share| share.map(f64::round));
            (rounded[0], rounded[1])
        };
        assert_eq!(percent(0, 800), (Some(50.0), Some(25.0)));
        assert_eq!(percent(400, 1_200), (Some(25.0), Some(13.0)));
        assert_eq!(percent(1_800, 9_000), (Some(100.0), Some(50.0)), "cut at the last sample");
        assert_eq!(percent(2_000, 3_000), (None, None), "nothing was sampled");
        assert_eq!(percent(1_950, 9_000), (None, None), "a few ticks are no share");
        assert_eq!(CpuTrack::default().between(start, start), CpuShares::default());
    }

    #[test]
    fn machine_is_never_busier_than_all_its_cores() {
        let start = Instant::now();
        let shares = track(start, &[(0, 0), (1_000, 2_015)]).between(start, start + 9 * SECOND);
        assert_eq!(shares.machine, Some(100.0));
        assert_eq!(shares.generator.map(f64::round), Some(202.0), "of one core");
    }
}
