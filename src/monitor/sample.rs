//! One reading of procfs: CPU time used so far, and resident memory.

use std::time::{Duration, Instant};

use procfs::process::Process;
use procfs::{CurrentSI, KernelStats};

/// The shortest time of which a CPU share says something: ten ticks of the kernel.
pub(super) const SHARE_TIME_MIN: Duration = Duration::from_millis(100);

/// Machine, generator and server at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) at: Instant,
    /// Without its memory, which is not measured.
    pub(super) machine: Option<Reading>,
    /// Time that the host gave to other machines, summed over all cores.
    pub(super) steal: Duration,
    pub(super) generator: Option<Reading>,
    pub(super) server: Option<Reading>,
}

/// CPU time so far, and memory now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) cpu: Duration,
    pub(super) rss_bytes: u64,
}

impl Sample {
    /// Reads procfs; what cannot be read, such as a process that has ended, is `None`.
    pub(super) fn now(server_pid: Option<i32>) -> Self {
        let (machine, steal) = machine().unzip();
        Self {
            at: Instant::now(),
            machine,
            steal: steal.unwrap_or_default(),
            generator: Process::myself().ok().and_then(|process| reading(&process)),
            server: server_pid.and_then(|pid| reading(&Process::new(pid).ok()?)),
        }
    }
}

fn reading(process: &Process) -> Option<Reading> {
    let stat = process.stat().ok()?;
    let rss_bytes = stat.rss.saturating_mul(procfs::page_size());
    Some(Reading { cpu: ticks(stat.utime + stat.stime), rss_bytes })
}

/// The busy time of all cores, and the stolen part of it.
fn machine() -> Option<(Reading, Duration)> {
    let total = KernelStats::current().ok()?.total;
    let busy = total.user
        + total.nice
        + total.system
        + total.irq.unwrap_or(0)
        + total.softirq.unwrap_or(0)
        + total.steal.unwrap_or(0);
    let steal = ticks(total.steal.unwrap_or(0));
    Some((Reading { cpu: ticks(busy), rss_bytes: 0 }, steal))
}

fn ticks(ticks: u64) -> Duration {
    Duration::from_secs_f64(ticks as f64 / procfs::ticks_per_second() as f64)
}
