//! The compared processes: they are started on their cores, sampled while they run, and ended on
//! every exit path.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use procfs::process::Process;

use super::support::cores::Cores;
use super::support::server::Server;

/// How often a generator and its server are sampled.
const SNAPSHOT_INTERVAL: Duration = Duration::from_millis(50);

/// The measurements of a generator that has ended.
pub(crate) struct Ran {
    pub(crate) stdout: String,
    /// CPU time of its whole process, in microseconds.
    pub(crate) cpu_us: f64,
    /// CPU during the middle half of its run, as a share of a core.
    pub(crate) own_share: f64,
    /// The server's CPU in the same period, as a share of a core.
    pub(crate) server_share: f64,
    /// Its maximum memory, in MiB.
    pub(crate) memory_mib: f64,
}

/// Kills a generator when a panic leaves it running.
struct KilledAtEnd(Child);

impl Drop for KilledAtEnd {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a generator to its end. Its output goes to files, which cannot fill up as pipes do.
pub(crate) fn run(command: &mut Command, cores: Cores, server: &Server, folder: &Path) -> Ran {
    let [stdout, stderr] = ["stdout", "stderr"].map(|name| folder.join(name));
    command.current_dir(folder).stdin(Stdio::null());
    command.stdout(File::create(&stdout).unwrap()).stderr(File::create(&stderr).unwrap());
    let cpu_before = children_cpu_us();
    let mut child = KilledAtEnd(cores.start_generator(command));
    let mut snapshots = Vec::new();
    let status = loop {
        snapshots.extend(Snapshot::at(child.0.id(), server.process.pid()));
        if let Some(status) = child.0.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(SNAPSHOT_INTERVAL);
    };
    let cpu_us = children_cpu_us() - cpu_before;
    let [stdout, stderr] = [stdout, stderr].map(|file| std::fs::read_to_string(file).unwrap());
    // With exit code 5, `seckill bench` reports that it was the bottleneck, which is intended here.
    let is_ours = command.get_program() == env!("CARGO_BIN_EXE_seckill");
    let ran = status.success() || is_ours && status.code() == Some(5);
    assert!(ran, "{command:?} ended with {status}:\n{stdout}{stderr}");
    let (from, to) = (&snapshots[snapshots.len() / 4], &snapshots[snapshots.len() * 3 / 4]);
    let share = |cpu: fn(&Snapshot) -> f64| (cpu(to) - cpu(from)) / (to.at - from.at).as_secs_f64();
    Ran {
        stdout,
        cpu_us,
        own_share: share(|look| look.own_cpu),
        server_share: share(|look| look.server_cpu),
        memory_mib: snapshots.iter().map(|snapshot| snapshot.memory_mib).fold(0.0, f64::max),
    }
}

/// The state of both processes at a moment.
struct Snapshot {
    at: Instant,
    /// CPU time so far, in seconds.
    own_cpu: f64,
    server_cpu: f64,
    /// The generator's maximum memory so far.
    memory_mib: f64,
}

impl Snapshot {
    /// `None` if the generator has just ended.
    fn at(generator: u32, server: u32) -> Option<Self> {
        let [own, server] = [generator, server].map(|id| Process::new(id as i32).ok());
        let (own, server) = (own?, server?);
        let cpu = |process: &Process| {
            let stat = process.stat().ok()?;
            Some((stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64)
        };
        Some(Self {
            at: Instant::now(),
            own_cpu: cpu(&own)?,
            server_cpu: cpu(&server)?,
            memory_mib: own.status().ok()?.vmhwm? as f64 / 1024.0,
        })
    }
}

/// CPU time of the children that have ended so far, in microseconds.
fn children_cpu_us() -> f64 {
    let stat = Process::myself().unwrap().stat().unwrap();
    (stat.cutime + stat.cstime) as f64 / procfs::ticks_per_second() as f64 * 1e6
}
