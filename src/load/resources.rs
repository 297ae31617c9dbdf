//! CPU and memory of generator, server and machine, from procfs: before, during and after a run.

use std::net::SocketAddr;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use procfs::process::{self, FDTarget};
use procfs::{CurrentSI, KernelStats};

/// Time between two looks.
const INTERVAL: Duration = Duration::from_millis(250);

/// What one process used over a run.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Process {
    /// CPU time, user and system together, with the grain of the kernel's clock ticks.
    pub cpu: Duration,
    /// Largest resident memory seen, in bytes.
    pub rss_bytes_max: u64,
    /// Share of one core in the mean, in percent.
    pub cpu_percent_mean: f64,
}

/// What a run used.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usage {
    /// Share of all cores, of everything on this machine, in percent: just before the run.
    pub machine_before: Option<f64>,
    /// The same during the run, in the mean.
    pub machine_mean: Option<f64>,
    /// The same during the run, at the most.
    pub machine_max: Option<f64>,
    /// The same just after the run.
    pub machine_after: Option<f64>,
    /// This process.
    pub generator: Option<Process>,
    /// The server, where it runs on this machine.
    pub server: Option<Process>,
}

/// Looks at procfs while a run goes on.
#[derive(Debug)]
pub struct Monitor {
    machine_before: Option<f64>,
    server_pid: Option<i32>,
    stop: Sender<()>,
    watching: JoinHandle<Watched>,
}

/// One process at the beginning, and the most memory it had since.
#[derive(Debug, Default)]
struct Watched {
    generator: Tracked,
    server: Tracked,
    machine: Vec<f64>,
    begun: Option<Instant>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Tracked {
    cpu_at_start: Option<Duration>,
    cpu: Option<Duration>,
    rss_bytes_max: u64,
}

impl Monitor {
    /// Measures the machine for a moment before the run, then begins to watch.
    ///
    /// # Errors
    /// When the watching thread cannot be started.
    pub fn start(server_pid: Option<i32>) -> std::io::Result<Self> {
        let machine_before = machine_now();
        let (stop, stopped) = mpsc::channel();
        let watch = move || {
            let mut watched = Watched { begun: Some(Instant::now()), ..Watched::default() };
            let mut ticks = cpu_ticks();
            loop {
                watched.look(server_pid);
                let woken = stopped.recv_timeout(INTERVAL);
                let now = cpu_ticks();
                watched.machine.extend(busy_percent(ticks, now));
                ticks = now;
                if woken != Err(RecvTimeoutError::Timeout) {
                    watched.look(server_pid);
                    return watched;
                }
            }
        };
        let watching = thread::Builder::new().name("monitor".into()).spawn(watch)?;
        Ok(Self { machine_before, server_pid, stop, watching })
    }

    /// Ends the watching, at the end of the run, and measures the machine for a moment after it.
    pub fn finish(self) -> Usage {
        // It can only have ended before by a panic, which leaves nothing to report.
        let _ = self.stop.send(());
        let watched = self.watching.join().unwrap_or_default();
        let lasted = watched.begun.map(|begun| begun.elapsed()).unwrap_or_default();
        let mean = watched.machine.iter().sum::<f64>() / watched.machine.len() as f64;
        Usage {
            machine_before: self.machine_before,
            machine_mean: mean.is_finite().then_some(mean),
            machine_max: watched.machine.iter().copied().reduce(f64::max),
            machine_after: machine_now(),
            generator: watched.generator.finish(lasted),
            server: self.server_pid.and_then(|_| watched.server.finish(lasted)),
        }
    }
}

impl Watched {
    fn look(&mut self, server_pid: Option<i32>) {
        self.generator.look(process::Process::myself());
        if let Some(pid) = server_pid {
            self.server.look(process::Process::new(pid));
        }
    }
}

impl Tracked {
    fn look(&mut self, process: procfs::ProcResult<process::Process>) {
        let Ok(stat) = process.and_then(|process| process.stat()) else { return };
        let ticks = stat.utime + stat.stime;
        let cpu = Duration::from_secs_f64(ticks as f64 / procfs::ticks_per_second() as f64);
        self.cpu_at_start.get_or_insert(cpu);
        self.cpu = Some(cpu);
        let rss_bytes = stat.rss.saturating_mul(procfs::page_size());
        self.rss_bytes_max = self.rss_bytes_max.max(rss_bytes);
    }

    fn finish(self, lasted: Duration) -> Option<Process> {
        let cpu = self.cpu?.saturating_sub(self.cpu_at_start?);
        let cpu_percent_mean = 100.0 * cpu.as_secs_f64() / lasted.as_secs_f64().max(1e-9);
        Some(Process { cpu, rss_bytes_max: self.rss_bytes_max, cpu_percent_mean })
    }
}

/// How busy the machine is, over one interval from now.
fn machine_now() -> Option<f64> {
    let before = cpu_ticks();
    thread::sleep(INTERVAL);
    busy_percent(before, cpu_ticks())
}

/// Ticks of all cores since the machine started: busy ones, and all.
fn cpu_ticks() -> Option<(u64, u64)> {
    let total = KernelStats::current().ok()?.total;
    let idle = total.idle + total.iowait.unwrap_or(0);
    let busy = total.user
        + total.nice
        + total.system
        + total.irq.unwrap_or(0)
        + total.softirq.unwrap_or(0)
        + total.steal.unwrap_or(0);
    Some((busy, busy + idle))
}

fn busy_percent(from: Option<(u64, u64)>, to: Option<(u64, u64)>) -> Option<f64> {
    let ((busy_from, all_from), (busy_to, all_to)) = (from?, to?);
    let all = all_to.checked_sub(all_from).filter(|all| *all > 0)?;
    Some(100.0 * busy_to.saturating_sub(busy_from) as f64 / all as f64)
}

/// The process on this machine that listens on `address`, if it can be seen.
pub fn listener_pid(address: SocketAddr) -> Option<i32> {
    let table = match address {
        SocketAddr::V4(_) => procfs::net::tcp(),
        SocketAddr::V6(_) => procfs::net::tcp6(),
    };
    let listens = |entry: &procfs::net::TcpNetEntry| {
        let ip = entry.local_address.ip();
        entry.state == procfs::net::TcpState::Listen
            && entry.local_address.port() == address.port()
            && (ip == address.ip() || ip.is_unspecified())
    };
    let inode = table.ok()?.into_iter().find(listens)?.inode;
    let holds = |process: &process::Process| {
        process.fd().is_ok_and(|mut fds| {
            fds.any(|fd| fd.is_ok_and(|fd| fd.target == FDTarget::Socket(inode)))
        })
    };
    process::all_processes().ok()?.flatten().find(holds).map(|process| process.pid)
}
