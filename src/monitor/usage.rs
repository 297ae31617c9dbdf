//! Computes the CPU and memory used before, during and after a run from samples, without I/O.

use serde::{Deserialize, Serialize};

use super::sample::{Reading, SHARE_TIME_MIN, Sample};
use super::track::CpuTrack;

/// CPU and memory during a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Share of all cores' time during the run that the host gave to other machines, in percent.
    pub steal_percent: f64,
    /// Everything on this machine; CPU shares are of all cores. Its memory is not measured.
    pub machine: Option<ProcessUsage>,
    /// This process; CPU shares are of one core.
    pub generator: Option<ProcessUsage>,
    /// The server, where it runs on this machine; CPU shares are of one core.
    pub server: Option<ProcessUsage>,
    /// CPU over time.
    #[serde(skip)]
    pub track: CpuTrack,
}

/// What one process, or the whole machine, used just before the run, during it, and just after.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct ProcessUsage {
    /// CPU time during the run, user and system together, in microseconds. Its resolution is the
    /// kernel's tick, mostly 10 ms.
    pub cpu_us: u64,
    /// CPU share during the last moment before the run.
    pub cpu_percent_before: f64,
    /// CPU share during the whole run.
    pub cpu_percent_mean: f64,
    /// The highest CPU share between two samples of the run.
    pub cpu_percent_max: f64,
    /// CPU share during the first moment after the run.
    pub cpu_percent_after: f64,
    /// Resident memory when the run began.
    pub rss_bytes_before: u64,
    /// The most resident memory during the run.
    pub rss_bytes_max: u64,
    /// Resident memory just after the run.
    pub rss_bytes_after: u64,
}

impl Usage {
    /// Summarises samples in the order: before the run, at its begin, during it, at its end,
    /// after it.
    pub(super) fn of(samples: &[Sample], cores: usize) -> Self {
        Self {
            steal_percent: steal_percent(samples, cores),
            machine: process_usage(samples, |sample| sample.machine, cores),
            generator: process_usage(samples, |sample| sample.generator, 1),
            server: process_usage(samples, |sample| sample.server, 1),
            track: CpuTrack::new(samples.to_vec(), cores),
        }
    }
}

fn steal_percent(samples: &[Sample], cores: usize) -> f64 {
    let [_, begin, .., end, _] = samples else { return 0.0 };
    let stolen = end.steal.saturating_sub(begin.steal).as_secs_f64();
    100.0 * stolen / (end.at - begin.at).as_secs_f64().max(1e-9) / cores as f64
}

fn process_usage(
    samples: &[Sample],
    of: impl Fn(&Sample) -> Option<Reading>,
    cores: usize,
) -> Option<ProcessUsage> {
    let [before, begin, during @ .., end, after] = samples else { return None };
    let share = |from: &Sample, to: &Sample| {
        let cpu = of(to)?.cpu.saturating_sub(of(from)?.cpu).as_secs_f64();
        let percent = 100.0 * cpu / (to.at - from.at).as_secs_f64().max(1e-9) / cores as f64;
        // Ticks that end in a short time can be more than the time itself.
        Some(if cores > 1 { percent.min(100.0) } else { percent })
    };
    let run: Vec<&Sample> =
        std::iter::once(begin).chain(during).chain(std::iter::once(end)).collect();
    let is_long = |pair: &&[&Sample]| pair[1].at - pair[0].at >= SHARE_TIME_MIN;
    let shares = run.windows(2).filter(is_long).filter_map(|pair| share(pair[0], pair[1]));
    let mean = share(begin, end)?;
    Some(ProcessUsage {
        cpu_us: of(end)?.cpu.saturating_sub(of(begin)?.cpu).as_micros() as u64,
        cpu_percent_before: share(before, begin)?,
        cpu_percent_mean: mean,
        cpu_percent_max: shares.fold(mean, f64::max),
        cpu_percent_after: share(end, after).unwrap_or(0.0),
        rss_bytes_before: of(begin)?.rss_bytes,
        rss_bytes_max: run.iter().filter_map(|sample| of(sample)).map(|r| r.rss_bytes).max()?,
        rss_bytes_after: of(after).map_or(0, |reading| reading.rss_bytes),
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn shares_and_extremes_come_from_the_samples_of_the_run() {
        let start = Instant::now();
        let samples = [(0, 0, 1), (1, 100, 2), (2, 900, 9), (3, 1_100, 3), (4, 1_150, 1)];
        let samples = samples.map(|(at_s, cpu_ms, rss_bytes)| Sample {
            at: start + Duration::from_secs(at_s),
            machine: None,
            steal: Duration::from_millis(cpu_ms),
            generator: Some(Reading { cpu: Duration::from_millis(cpu_ms), rss_bytes }),
            server: None,
        });
        let usage = Usage::of(&samples, 2);
        let round = |percent: f64| percent.round() as u64;
        assert_eq!(round(usage.steal_percent), 25, "of two cores");
        assert_eq!((usage.machine, usage.server), (None, None));
        let generator = usage.generator.unwrap();
        assert_eq!(generator.cpu_us, 1_000_000);
        assert_eq!(round(generator.cpu_percent_before), 10);
        assert_eq!(round(generator.cpu_percent_mean), 50);
        assert_eq!(round(generator.cpu_percent_max), 80);
        assert_eq!(round(generator.cpu_percent_after), 5);
        let rss = [generator.rss_bytes_before, generator.rss_bytes_max, generator.rss_bytes_after];
        assert_eq!(rss, [2, 9, 1]);
        assert_eq!(Usage::of(&samples[..3], 2).generator, None, "the run has no end");
    }

    #[test]
    fn ticks_of_a_short_time_are_no_share_of_it() {
        let start = Instant::now();
        // A tick of 10 ms ends 2 ms after the sample before, on both cores.
        let samples = [(0, 0), (200, 0), (400, 40), (402, 80), (600, 90)];
        let samples = samples.map(|(at_ms, cpu_ms)| Sample {
            at: start + Duration::from_millis(at_ms),
            machine: Some(Reading { cpu: Duration::from_millis(cpu_ms), rss_bytes: 1 }),
            steal: Duration::ZERO,
            generator: None,
            server: None,
        });
        let machine = Usage::of(&samples, 2).machine.unwrap();
        let mean = machine.cpu_percent_mean;
        assert_eq!((machine.cpu_percent_max, mean.round() as u64), (mean, 20));
        let short = [samples[0], samples[2], samples[3], samples[4]];
        assert_eq!(Usage::of(&short, 2).machine.unwrap().cpu_percent_mean, 100.0);
    }
}
