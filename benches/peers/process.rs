//! The processes that are compared: started on their cores, watched while they run, ended on every
//! way out.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use procfs::process::Process;
use seckill::lab::{ChildProcess, Scope};

use super::cores::Cores;

/// How often a generator and its server are looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// How long a server may take until it listens.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// A server that lives as long as this value, and not longer than this process.
pub(crate) struct Server {
    process: ChildProcess,
    pub(crate) url: String,
}

impl Server {
    /// Starts it on the core of this process, and waits until it says where it listens.
    pub(crate) fn start(program: &Path, configure: impl FnOnce(&mut Command)) -> Self {
        let mut process = ChildProcess::new(Scope::Group, None).unwrap();
        let started = process.start(program, |command| {
            configure(command.stdin(Stdio::null()).stdout(Stdio::piped()));
        });
        started.unwrap();
        let line = process.first_line(START_TIMEOUT).unwrap();
        Self { process, url: line.strip_prefix("listening on ").unwrap().to_owned() }
    }
}

/// What is known of a generator that has ended.
pub(crate) struct Ran {
    pub(crate) stdout: String,
    /// CPU of its whole life, in microseconds.
    pub(crate) cpu_us: f64,
    /// CPU during the middle half of its life, as a share of a core.
    pub(crate) own_share: f64,
    /// The server's in the same time.
    pub(crate) server_share: f64,
    /// The most memory that it had, in MiB.
    pub(crate) memory_mib: f64,
}

/// Ends a generator that a panic left behind.
struct KilledAtEnd(Child);

impl Drop for KilledAtEnd {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a generator to its end. Its output goes to files, which never have to be emptied.
pub(crate) fn run(command: &mut Command, cores: Cores, server: &Server, folder: &Path) -> Ran {
    let [stdout, stderr] = ["stdout", "stderr"].map(|name| folder.join(name));
    command.current_dir(folder).stdin(Stdio::null());
    command.stdout(File::create(&stdout).unwrap()).stderr(File::create(&stderr).unwrap());
    let cpu_before = children_cpu_us();
    let mut child = KilledAtEnd(cores.start_generator(command));
    let mut looks = Vec::new();
    let status = loop {
        looks.extend(Look::at(child.0.id(), server.process.pid()));
        if let Some(status) = child.0.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(LOOK_INTERVAL);
    };
    let cpu_us = children_cpu_us() - cpu_before;
    let [stdout, stderr] = [stdout, stderr].map(|file| std::fs::read_to_string(file).unwrap());
    // With 5, `seckill bench` says that it was itself the limit, as each is meant to be here.
    let is_ours = command.get_program() == env!("CARGO_BIN_EXE_seckill");
    let ran = status.success() || is_ours && status.code() == Some(5);
    assert!(ran, "{command:?} ended with {status}:\n{stdout}{stderr}");
    let (from, to) = (&looks[looks.len() / 4], &looks[looks.len() * 3 / 4]);
    let share = |cpu: fn(&Look) -> f64| (cpu(to) - cpu(from)) / (to.at - from.at).as_secs_f64();
    Ran {
        stdout,
        cpu_us,
        own_share: share(|look| look.own_cpu),
        server_share: share(|look| look.server_cpu),
        memory_mib: looks.iter().map(|look| look.memory_mib).fold(0.0, f64::max),
    }
}

/// How far both were at a moment.
struct Look {
    at: Instant,
    /// CPU used, in seconds.
    own_cpu: f64,
    server_cpu: f64,
    /// The most that it ever had.
    memory_mib: f64,
}

impl Look {
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

/// CPU of the children that have ended so far, in microseconds.
fn children_cpu_us() -> f64 {
    let stat = Process::myself().unwrap().stat().unwrap();
    (stat.cutime + stat.cstime) as f64 / procfs::ticks_per_second() as f64 * 1e6
}
