//! Compares a normal load alone with the same load beside clients that never read, read or send
//! slowly, or keep idle connections: latency, refusals, and the memory of server and kernel.
//!
//! The hostile clients run in this process, on a thread of their own, and connect again when they
//! are cut. `HOSTILE=NEVER_READING,SLOW,IDLE` gives other numbers of them.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[macro_use]
mod support;
#[path = "hostile_clients/hostile.rs"]
mod hostile;

use std::process::{Command, Stdio};
use std::time::Duration;

use procfs::process::Process;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use seckill::lab::{ChildProcess, Scope};
use seckill::stats::{Outcome, Reason, Summary};

use hostile::{Hostile, Kind};

const THREADS: u64 = 64;

/// Time-out until the server listens, and until all hostile clients are connected.
const TIMEOUT: Duration = Duration::from_secs(60);

fn main() {
    raise_file_limit();
    let [never_reading, slow, idle] = numbers();
    let loops = if support::is_test() { 5 } else { 2_000 };
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut server = ChildProcess::new(Scope::Group, None).unwrap();
    let started = server.start(env!("CARGO_BIN_EXE_seckill").as_ref(), |command: &mut Command| {
        command.args(["serve", "--listen", "127.0.0.1:0", "--stock", "1M", "--max-queue", "1M"]);
        command.args(["--per-buyer", "1000000", "--log", "error"]);
        command.arg("--data").arg(folder.path().join("data"));
        command.stdin(Stdio::null()).stdout(Stdio::piped());
    });
    started.unwrap();
    let line = server.first_line(TIMEOUT).unwrap();
    let url = line.strip_prefix("listening on ").unwrap();
    let address = url.strip_prefix("http://").unwrap().parse().unwrap();
    let process = Process::new(server.pid() as i32).unwrap();

    let mut rows = vec![Row::measure("alone", url, loops, 1, &process)];
    let before = Memory::now(&process);
    let mut clients = vec![Hostile::start(address, Kind::Idle, idle, TIMEOUT)];
    let idle_cost = (Memory::now(&process).resident as f64 - before.resident as f64) / idle as f64;
    rows.push(Row::measure("beside idle", url, loops, 2, &process));
    clients.push(Hostile::start(address, Kind::NeverReading, never_reading, TIMEOUT));
    clients.push(Hostile::start(address, Kind::Slow, slow, TIMEOUT));
    rows.push(Row::measure("beside all", url, loops, 3, &process));
    let connected: u64 = clients.iter().map(Hostile::connected).sum();
    drop(clients);
    rows.push(Row::measure("after them", url, loops, 4, &process));

    figure!("{THREADS} buyers beside {never_reading} never-reading, {slow} slow, {idle} idle");
    figure!("               p50 us    p99 us    ratio  refused  errors   RSS MiB  kernel MiB");
    for row in &rows {
        row.print(&rows[0]);
    }
    figure!("connections of hostile clients, those after a cut included: {connected}");
    figure!("RSS for each idle connection that has made a request: {idle_cost:.0} B");
}

/// The numbers of never-reading, slow and idle clients.
fn numbers() -> [usize; 3] {
    let default = if support::is_test() { "10,10,50" } else { "1000,1000,10000" };
    let given = std::env::var("HOSTILE").unwrap_or_else(|_| default.into());
    let numbers: Vec<usize> = given.split(',').map(|number| number.parse().unwrap()).collect();
    numbers.try_into().unwrap()
}

fn raise_file_limit() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
}

/// Bytes of the server, and of all TCP buffers of this machine.
struct Memory {
    resident: u64,
    kernel: u64,
}

impl Memory {
    fn now(process: &Process) -> Self {
        let sockets = std::fs::read_to_string("/proc/net/sockstat").unwrap();
        let tcp = sockets.lines().find(|line| line.starts_with("TCP:")).unwrap();
        let pages: u64 = tcp.split(' ').next_back().unwrap().parse().unwrap();
        let resident = process.stat().unwrap().rss * procfs::page_size();
        Self { resident, kernel: pages * procfs::page_size() }
    }
}

/// One measured load.
struct Row {
    name: &'static str,
    summary: Summary,
    memory: Memory,
}

impl Row {
    fn measure(name: &'static str, url: &str, loops: u64, seed: u64, process: &Process) -> Self {
        let summary = support::load(url, THREADS, loops, seed);
        Self { name, summary, memory: Memory::now(process) }
    }

    fn print(&self, alone: &Self) {
        let Self { name, summary, memory } = self;
        let full = Outcome::Refused(Reason::intern("queue_full"));
        let refused = summary.by_outcome.iter().find(|(outcome, _)| *outcome == full);
        let (p50, p99) = (summary.latency.p50, summary.latency.p99);
        figure!(
            "{name:<12} {p50:>8.0} {p99:>9.0} {:>8.2} {:>8} {:>7} {:>9.1} {:>11.1}",
            p99 as f64 / alone.summary.latency.p99 as f64,
            refused.map_or(0, |(_, count)| *count),
            summary.errors,
            memory.resident as f64 / f64::from(1 << 20),
            memory.kernel as f64 / f64::from(1 << 20),
        );
    }
}
