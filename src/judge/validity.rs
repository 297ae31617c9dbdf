//! The validity of a run: whether its figures describe the tested system and not the generator.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::stats::{ErrorKind, Summary};

/// Largest p99 of the lag of a valid run: beyond it, the generator dominates the latencies.
const LAG_P99_MAX: Duration = Duration::from_millis(250);

/// Largest share of its cores that the generator may use, in percent: with all of them in use, the
/// rate shows what the generator can send and not what the tested system can handle.
const CPU_PERCENT_MAX: f64 = 95.0;

/// Largest share of the machine's time that its host may take away, in percent.
const STEAL_PERCENT_MAX: f64 = 10.0;

/// Longest time for which all workers together may wait for the channel to the aggregator.
const STALLED_MAX: Duration = Duration::from_millis(10);

/// Shorter runs are not judged by CPU shares: the kernel's CPU clock ticks a hundred times a
/// second.
const CPU_JUDGED_FROM: Duration = Duration::from_secs(1);

/// Largest share of the arrivals that may have to wait for a free user.
const WAITED_MAX: f64 = 0.01;

/// How busy the generator and its machine were during a run.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct GeneratorLoad {
    /// CPU of the generator, in percent of one core; `None` where it could not be measured.
    pub cpu_percent: Option<f64>,
    /// Cores that the generator could use: one for each worker.
    pub cores: usize,
    /// Share of the machine's time that its host gave to others, in percent.
    pub steal_percent: f64,
}

/// Why a run is invalid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Invalid {
    /// No request was measured.
    NothingMeasured,
    /// Workers waited for the aggregator, which waited for a file.
    Stalled {
        /// The duration of the wait, in microseconds.
        stalled_us: u64,
    },
    /// Connections failed at the limit of open files.
    NoFiles {
        /// Connections.
        connections: u64,
    },
    /// Connections failed because no local port was left.
    NoPorts {
        /// Connections.
        connections: u64,
    },
    /// Arrivals were never sent.
    Unsent {
        /// Arrivals.
        arrivals: u64,
    },
    /// Too many arrivals waited for a free user.
    Waited {
        /// Arrivals that waited.
        arrivals: u64,
        /// Their share of all arrivals, in percent.
        percent: f64,
    },
    /// Requests were sent too late.
    Lag {
        /// The 99th percentile of the lag, in microseconds.
        p99_us: u64,
    },
    /// The generator had no CPU left.
    Cpu {
        /// Share of its cores, in percent.
        percent: f64,
        /// Its cores.
        cores: usize,
    },
    /// The host took CPU away from the machine.
    Steal {
        /// Share of the machine's time, in percent.
        percent: f64,
    },
}

/// Why a run is invalid; empty for a valid run.
pub fn validity(summary: &Summary, load: &GeneratorLoad) -> Vec<Invalid> {
    let counts = &summary.counts;
    let (no_files, no_ports) =
        (summary.errors_of(ErrorKind::NoFiles), summary.errors_of(ErrorKind::NoPorts));
    let arrivals = summary.total - counts.twins - counts.retried() + counts.unsent;
    let waited = counts.waited as f64 / arrivals.max(1) as f64;
    let stalled_us = counts.stalled_us;
    // The lag of requests that are due at the start, for all users simultaneously, is the duration
    // of the start. It is reported, and does not invalidate the run.
    let p99_us = summary.paced_lag.p99;
    let late = waited <= WAITED_MAX && Duration::from_micros(p99_us) > LAG_P99_MAX;
    let found = [
        (summary.total == 0).then_some(Invalid::NothingMeasured),
        (Duration::from_micros(stalled_us) > STALLED_MAX)
            .then_some(Invalid::Stalled { stalled_us }),
        (no_files > 0).then_some(Invalid::NoFiles { connections: no_files }),
        (no_ports > 0).then_some(Invalid::NoPorts { connections: no_ports }),
        (counts.unsent > 0).then_some(Invalid::Unsent { arrivals: counts.unsent }),
        (waited > WAITED_MAX)
            .then_some(Invalid::Waited { arrivals: counts.waited, percent: 100.0 * waited }),
        late.then_some(Invalid::Lag { p99_us }),
    ];
    found.into_iter().flatten().chain(by_cpu(summary, load)).collect()
}

fn by_cpu(summary: &Summary, load: &GeneratorLoad) -> impl Iterator<Item = Invalid> {
    let cores = load.cores.max(1);
    let cpu = load.cpu_percent.map_or(0.0, |percent| percent / cores as f64);
    let steal = load.steal_percent;
    let found = [
        (cpu > CPU_PERCENT_MAX).then_some(Invalid::Cpu { percent: cpu, cores }),
        (steal > STEAL_PERCENT_MAX).then_some(Invalid::Steal { percent: steal }),
    ];
    let is_long = summary.elapsed >= CPU_JUDGED_FROM;
    found.into_iter().flatten().filter(move |_| is_long)
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingMeasured => f.write_str(
                "no request was measured: the run was over before, or within, its warm-up",
            ),
            Self::Stalled { stalled_us } => write!(
                f,
                "the generator was blocked for {:?} (limit {STALLED_MAX:?}), since --jtl could \
                 not be written as fast as requests ended: write it to a faster disk, or leave it \
                 out",
                Duration::from_micros(*stalled_us)
            ),
            Self::NoFiles { connections } => write!(
                f,
                "{connections} connections were not opened, at the limit of open files: raise it \
                 with `ulimit -n`, or use fewer threads"
            ),
            Self::NoPorts { connections } => write!(
                f,
                "{connections} connections were not opened, since no local port was left: keep \
                 connections alive, use fewer threads, or widen net.ipv4.ip_local_port_range"
            ),
            Self::Unsent { arrivals } => write!(
                f,
                "{arrivals} arrivals were never sent, since no user became free for them before \
                 the end: raise --max-threads"
            ),
            Self::Waited { arrivals, percent } => write!(
                f,
                "{arrivals} arrivals ({percent:.1}%, over the limit of {}%) waited for a free \
                 user: raise --max-threads, or the rate was not kept",
                100.0 * WAITED_MAX
            ),
            Self::Lag { p99_us } => write!(
                f,
                "the generator could not keep up: attempts began up to {:?} (p99) after their \
                 moment, over the limit of {LAG_P99_MAX:?}. Use fewer threads, or a faster machine",
                Duration::from_micros(*p99_us)
            ),
            Self::Cpu { percent, cores } => write!(
                f,
                "the generator was the bottleneck: it used {percent:.0}% of its {cores} cores, \
                 over the limit of {CPU_PERCENT_MAX}%. Use a lower rate or more think time, or \
                 more cores"
            ),
            Self::Steal { percent } => write!(
                f,
                "the machine's host took away {percent:.0}% of its time, over the limit of \
                 {STEAL_PERCENT_MAX}%: no latency here can be trusted"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Click, Outcome, Recorder, Sample};

    /// The findings about a run whose attempts are given by their due moments and their delays, in
    /// milliseconds.
    fn findings(attempts: &[(u64, u64)]) -> Vec<Invalid> {
        let mut recorder = Recorder::default();
        for (due_ms, late_ms) in attempts {
            let due = Duration::from_millis(*due_ms);
            let sent = due + Duration::from_millis(*late_ms);
            recorder.record(&Sample {
                thread: 0,
                click: Click::First,
                intended: Some(due),
                began: sent,
                connected: None,
                sent: Some(sent),
                first_byte: Some(sent),
                ended: sent,
                bytes_sent: 1,
                bytes_received: 1,
                status: 202,
                result: Ok(Outcome::Accepted),
            });
        }
        validity(&recorder.finish(), &GeneratorLoad::default())
    }

    #[test]
    fn lag_over_limit_invalidates_run_except_at_start() {
        assert_eq!(findings(&[(0, 400), (10, 20)]), []);
        let late = findings(&[(0, 0), (10, 400)]);
        assert!(matches!(late[..], [Invalid::Lag { .. }]), "{late:?}");
        assert!(late[0].to_string().contains("could not keep up"), "{late:?}");
    }

    #[test]
    fn run_without_a_measured_request_is_invalid() {
        let nothing = findings(&[]);
        assert_eq!(nothing, [Invalid::NothingMeasured]);
        assert!(nothing[0].to_string().contains("no request"), "{nothing:?}");
    }

    /// The only finding about a valid run of a hundred requests that was changed in one way.
    fn finding(change: impl FnOnce(&mut Summary, &mut GeneratorLoad)) -> Option<Invalid> {
        let mut summary = Recorder::default().finish();
        (summary.total, summary.elapsed) = (100, Duration::from_secs(1));
        let mut load = GeneratorLoad { cpu_percent: Some(1.0), cores: 2, steal_percent: 0.0 };
        change(&mut summary, &mut load);
        let mut found = validity(&summary, &load);
        assert!(found.len() < 2, "{found:?}");
        found.pop()
    }

    #[test]
    fn each_limit_may_be_reached_and_not_passed() {
        assert_eq!(finding(|_, _| ()), None);
        assert_eq!(finding(|summary, _| summary.counts.stalled_us = 10_000), None);
        let stalled = finding(|summary, _| summary.counts.stalled_us = 10_001);
        assert_eq!(stalled, Some(Invalid::Stalled { stalled_us: 10_001 }));
        assert_eq!(finding(|summary, _| summary.paced_lag.p99 = 250_000), None);
        let late = finding(|summary, _| summary.paced_lag.p99 = 250_001);
        assert_eq!(late, Some(Invalid::Lag { p99_us: 250_001 }));
        assert_eq!(finding(|_, load| load.cpu_percent = Some(190.0)), None);
        let busy = finding(|_, load| load.cpu_percent = Some(191.0));
        assert_eq!(busy, Some(Invalid::Cpu { percent: 95.5, cores: 2 }));
        assert_eq!(finding(|_, load| (load.cpu_percent, load.cores) = (Some(95.0), 0)), None);
        assert_eq!(finding(|_, load| load.steal_percent = 10.0), None);
        let stolen = finding(|_, load| load.steal_percent = 10.5);
        assert_eq!(stolen, Some(Invalid::Steal { percent: 10.5 }));
        let is_short = finding(|summary, load| {
            summary.elapsed = Duration::from_millis(999);
            load.steal_percent = 10.5;
        });
        assert_eq!(is_short, None, "the clock of the CPU is too coarse for it");
    }

    #[test]
    fn connections_that_the_machine_could_not_open_invalidate_the_run() {
        let failed = |kind| finding(|summary, _| summary.by_error = vec![(kind, 1)]);
        assert_eq!(failed(ErrorKind::NoFiles), Some(Invalid::NoFiles { connections: 1 }));
        assert_eq!(failed(ErrorKind::NoPorts), Some(Invalid::NoPorts { connections: 1 }));
        assert_eq!(failed(ErrorKind::Timeout), None);
    }

    #[test]
    fn share_of_arrivals_that_waited_is_bounded() {
        assert_eq!(finding(|summary, _| summary.counts.waited = 1), None);
        let waited = |summary: &mut Summary, _: &mut GeneratorLoad| summary.counts.waited = 2;
        assert_eq!(finding(waited), Some(Invalid::Waited { arrivals: 2, percent: 2.0 }));
        // Twins and retries are no arrivals: 2 of 199 is too much, and 2 of 200 is not.
        for (twins, found) in [(1, true), (0, false)] {
            let waited = finding(|summary, _| {
                (summary.total, summary.counts.waited, summary.counts.twins) = (205, 2, twins);
                summary.counts.retries[0] = 5;
            });
            assert_eq!(waited.is_some(), found);
        }
        // Arrivals that wait explain the lag of those that follow.
        let late = finding(|summary, _| {
            (summary.counts.waited, summary.paced_lag.p99) = (2, 250_001);
        });
        assert!(matches!(late, Some(Invalid::Waited { .. })), "{late:?}");
    }

    #[test]
    fn arrivals_that_were_never_sent_count_as_arrivals() {
        let unsent = finding(|summary, _| summary.counts.unsent = 1);
        assert_eq!(unsent, Some(Invalid::Unsent { arrivals: 1 }));
        let mut summary = Recorder::default().finish();
        (summary.total, summary.counts.unsent, summary.counts.waited) = (100, 100, 2);
        let found = validity(&summary, &GeneratorLoad::default());
        assert_eq!(found, [Invalid::Unsent { arrivals: 100 }], "2 of 200 may wait");
    }

    #[test]
    fn each_finding_says_what_to_do() {
        for (found, words) in [
            (Invalid::NothingMeasured, "no request was measured"),
            (Invalid::Stalled { stalled_us: 11_000 }, "blocked for 11ms (limit 10ms)"),
            (Invalid::NoFiles { connections: 3 }, "3 connections were not opened, at the limit"),
            (Invalid::NoPorts { connections: 3 }, "3 connections were not opened, since no local"),
            (Invalid::Unsent { arrivals: 3 }, "3 arrivals were never sent"),
            (Invalid::Waited { arrivals: 3, percent: 2.5 }, "(2.5%, over the limit of 1%) waited"),
            (Invalid::Lag { p99_us: 300_000 }, "up to 300ms (p99)"),
            (Invalid::Cpu { percent: 97.4, cores: 2 }, "used 97% of its 2 cores"),
            (Invalid::Steal { percent: 12.0 }, "took away 12% of its time"),
        ] {
            assert!(found.to_string().contains(words), "{found}");
        }
    }
}
