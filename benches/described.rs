//! What a description costs the load generator: CPU time for each request of the built-in API, and
//! of the same API described by a profile, side by side.
//!
//! `cargo bench --bench described` prints the medians and their ratio, at most 1.15.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[macro_use]
mod support;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use seckill::history::Beginning;
use seckill::load::{self, Job};
use seckill::profile::{BenchFlags, Plan};
use seckill::stats::Live;
use seckill::sut::{Description, Setting, Sut, Target};
use seckill::units::Count;
use tokio_util::sync::CancellationToken;

use support::{ROUNDS, is_test, median};

/// Connections, as in the other measurements of the generator.
const THREADS: u64 = 64;

/// Attempts of each virtual user: some seconds of CPU time.
const LOOPS: u64 = 3_000;

/// A server in a process of its own, which is sold out: each attempt is refused.
struct SoldOut {
    process: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl SoldOut {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_seckill"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--stock", "1", "--data"]);
        let mut process = command.arg(folder.path()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        Self { process, url, _folder: folder }
    }
}

impl Drop for SoldOut {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The built-in API without what the audit reads, which has no part in the load.
fn described() -> Sut {
    let profile = std::fs::read_to_string("profiles/seckill-api.toml").unwrap();
    let requests = profile.split("[truth.orders]").next().unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(requests.as_bytes()).unwrap();
    let setting = Setting { item: "default".parse().ok(), seed: 1, repeats: false, accounts: None };
    Sut::Described(Arc::new(Description::read(file.path(), setting).unwrap()))
}

/// CPU time of this process.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Microseconds of CPU time for each request.
fn load(url: &str, sut: &Sut, seed: u64) -> f64 {
    let loops = if is_test() { 10 } else { LOOPS };
    let (threads, loops) = (Some(Count(THREADS)), Some(Count(loops)));
    let flags = BenchFlags { threads, loops, ..BenchFlags::default() };
    let plan = Plan::new(&flags, seed).unwrap();
    let live = Arc::new(Live::new(load::workers(THREADS)));
    let job = Job {
        plan: &plan,
        sut,
        target: &Target::new(Some(url)).unwrap(),
        item: &"default".parse().unwrap(),
        epoch: 1,
        beginning: Beginning::now(),
        live: &live,
        stop: &CancellationToken::new(),
        wants_samples: false,
    };
    let before = cpu();
    let ran = load::run(&job, &mut ()).unwrap();
    let took = cpu() - before;
    let summary = ran.recorder.finish();
    let refused: u64 = summary.by_outcome.iter().map(|(_, count)| count).sum();
    assert_eq!(refused, summary.total, "no request fails");
    took.as_secs_f64() * 1e6 / summary.total as f64
}

fn main() {
    let server = SoldOut::start();
    let sides = [Sut::Seckill, described()];
    // The first attempt buys the only unit, and both sides reach their memory.
    for side in &sides {
        load(&server.url, side, 1);
    }
    let mut figures = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS as u64 {
        for (side, figures) in sides.iter().zip(&mut figures) {
            figures.push(load(&server.url, side, 2 + round));
        }
    }
    let [built_in, described] = figures.map(median);
    figure!("CPU time for each refused attempt, {THREADS} connections, medians of {ROUNDS} rounds");
    figure!("  built-in API   {built_in:.2} us");
    figure!("  described API  {described:.2} us, {:.2} times as much", described / built_in);
}
