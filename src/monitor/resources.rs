//! CPU and memory of generator, server and machine, from procfs: before, during and after a run.

use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use procfs::process::Process;
use procfs::{CurrentSI, KernelStats};

/// Time between two looks.
const INTERVAL: Duration = Duration::from_millis(250);

/// What a run used.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usage {
    /// Share of all cores' time during the run that this machine's host gave to others, in percent.
    pub steal_percent: f64,
    /// Everything on this machine; shares are of all cores. Its memory is not looked at.
    pub machine: Option<Consumer>,
    /// This process; shares are of one core.
    pub generator: Option<Consumer>,
    /// The server, where it runs on this machine; shares are of one core.
    pub server: Option<Consumer>,
}

/// What one of them used, just before the run, during it, and just after.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[allow(missing_docs)] // The names say it all.
pub struct Consumer {
    /// CPU time during the run, user and system together, with the grain of the kernel's ticks.
    pub cpu: Duration,
    pub cpu_percent_before: f64,
    pub cpu_percent_mean: f64,
    pub cpu_percent_max: f64,
    pub cpu_percent_after: f64,
    pub rss_bytes_before: u64,
    pub rss_bytes_max: u64,
    pub rss_bytes_after: u64,
}

/// Looks at procfs while a run goes on.
#[derive(Debug)]
pub struct Monitor {
    stop: Sender<()>,
    watching: JoinHandle<Vec<Look>>,
    server_pid: Option<i32>,
}

/// All of them at one moment.
#[derive(Debug, Clone, Copy)]
struct Look {
    at: Instant,
    machine: Option<State>,
    steal: Duration,
    generator: Option<State>,
    server: Option<State>,
}

/// CPU time so far, and memory now.
#[derive(Debug, Clone, Copy)]
struct State {
    cpu: Duration,
    rss_bytes: u64,
}

impl Monitor {
    /// Measures for a moment before the run, then begins to watch it.
    ///
    /// # Errors
    /// When the watching thread cannot be started.
    pub fn start(server_pid: Option<i32>) -> io::Result<Self> {
        let before = Look::now(server_pid);
        thread::sleep(INTERVAL);
        let (stop, stopped) = mpsc::channel();
        let watch = move || watch(server_pid, before, &stopped);
        let watching = thread::Builder::new().name("monitor".into()).spawn(watch)?;
        Ok(Self { stop, watching, server_pid })
    }

    /// Ends the watching, at the end of the run, and measures for a moment after it.
    pub fn finish(self) -> Usage {
        // It can only have ended before by a panic, which leaves nothing to report.
        let _ = self.stop.send(());
        let mut looks = self.watching.join().unwrap_or_default();
        thread::sleep(INTERVAL);
        looks.push(Look::now(self.server_pid));
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Usage {
            steal_percent: steal_percent(&looks, cores),
            machine: consumer(&looks, |look| look.machine, cores),
            generator: consumer(&looks, |look| look.generator, 1),
            server: consumer(&looks, |look| look.server, 1),
        }
    }
}

/// Looks from the beginning of the run to its end; the first is the one before it.
fn watch(server_pid: Option<i32>, before: Look, stopped: &Receiver<()>) -> Vec<Look> {
    let mut looks = vec![before, Look::now(server_pid)];
    loop {
        let ended = stopped.recv_timeout(INTERVAL) != Err(RecvTimeoutError::Timeout);
        let look = Look::now(server_pid);
        // A last moment too short to be measured belongs to the one before.
        let short = looks.last().is_some_and(|last| look.at - last.at < INTERVAL / 4);
        if ended && short && looks.len() > 2 {
            looks.pop();
        }
        looks.push(look);
        if ended {
            return looks;
        }
    }
}

impl Look {
    fn now(server_pid: Option<i32>) -> Self {
        let (machine, steal) = machine().unzip();
        Self {
            at: Instant::now(),
            machine,
            steal: steal.unwrap_or_default(),
            generator: Process::myself().ok().and_then(|process| state(&process)),
            server: server_pid.and_then(|pid| state(&Process::new(pid).ok()?)),
        }
    }
}

fn state(process: &Process) -> Option<State> {
    let stat = process.stat().ok()?;
    let rss_bytes = stat.rss.saturating_mul(procfs::page_size());
    Some(State { cpu: ticks(stat.utime + stat.stime), rss_bytes })
}

/// What all use, and what the host took away.
fn machine() -> Option<(State, Duration)> {
    let total = KernelStats::current().ok()?.total;
    let busy = total.user
        + total.nice
        + total.system
        + total.irq.unwrap_or(0)
        + total.softirq.unwrap_or(0)
        + total.steal.unwrap_or(0);
    let steal = ticks(total.steal.unwrap_or(0));
    Some((State { cpu: ticks(busy), rss_bytes: 0 }, steal))
}

fn ticks(ticks: u64) -> Duration {
    Duration::from_secs_f64(ticks as f64 / procfs::ticks_per_second() as f64)
}

fn steal_percent(looks: &[Look], cores: usize) -> f64 {
    let [_, begin, .., end, _] = looks else { return 0.0 };
    let stolen = end.steal.saturating_sub(begin.steal).as_secs_f64();
    100.0 * stolen / (end.at - begin.at).as_secs_f64().max(1e-9) / cores as f64
}

/// The looks are: before, begin, …, end, after.
fn consumer(looks: &[Look], of: impl Fn(&Look) -> Option<State>, cores: usize) -> Option<Consumer> {
    let [before, begin, during @ .., end, after] = looks else { return None };
    let share = |from: &Look, to: &Look| {
        let cpu = of(to)?.cpu.saturating_sub(of(from)?.cpu).as_secs_f64();
        Some(100.0 * cpu / (to.at - from.at).as_secs_f64().max(1e-9) / cores as f64)
    };
    let of_run: Vec<&Look> =
        std::iter::once(begin).chain(during).chain(std::iter::once(end)).collect();
    let shares = of_run.windows(2).filter_map(|pair| share(pair[0], pair[1]));
    Some(Consumer {
        cpu: of(end)?.cpu.saturating_sub(of(begin)?.cpu),
        cpu_percent_before: share(before, begin)?,
        cpu_percent_mean: share(begin, end)?,
        cpu_percent_max: shares.fold(0.0, f64::max),
        cpu_percent_after: share(end, after).unwrap_or(0.0),
        rss_bytes_before: of(begin)?.rss_bytes,
        rss_bytes_max: of_run.iter().filter_map(|look| of(look)).map(|s| s.rss_bytes).max()?,
        rss_bytes_after: of(after).map_or(0, |state| state.rss_bytes),
    })
}
