//! Compares `seckill bench` as a load generator with wrk, shb, oha, hey, ab and JMeter, as far as
//! they are installed: with the same request, the same connections, one core and one thread each.
//!
//! A rate compares generators only if the generator's core is the bottleneck. With `seckill serve`
//! on the other core, the server is the bottleneck: every generator except hey waits for it, and
//! all rates are the same. The rates are therefore measured on a server that replays, with less CPU
//! than any generator needs, the bytes that `seckill serve` answered before: 410 for a sale that is
//! sold out. Each row shows the CPU shares of both.
//!
//! For latencies it is the reverse. A generator whose own core is saturated measures how long
//! answers wait for the generator, or omits this time, as wrk does, which starts its clock only
//! when it sends. Latencies are therefore compared on `seckill serve`, where the server is the
//! bottleneck.
//!
//! The CPU time is that of a generator's whole process: it includes the start, which for JMeter is
//! that of a JVM, and the audit of `seckill bench`. JMeter runs longer than the others, and its
//! rate is measured at the end, when the JVM is warm.
//!
//! Rounds are interleaved, in a different order each time, so that a drift of the machine affects
//! all generators.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[macro_use]
mod support;
#[path = "peers/jmeter.rs"]
mod jmeter;
#[path = "peers/process.rs"]
mod process;
#[path = "peers/record.rs"]
mod record;
#[path = "peers/replay.rs"]
mod replay;
#[path = "peers/table.rs"]
mod table;
#[path = "peers/tools.rs"]
mod tools;

use std::path::Path;
use std::process::Stdio;

use support::cores::Cores;
use support::server::Server;
use table::{Goal, Runs};
use tools::{Load, Tool};

/// The body of each attempt. A sale that is sold out ignores the buyer.
const BODY: &str = concat!(
    r#"{"uid":"7c9e6679-7425-40de-944b-e07fc1f90ae7","#,
    r#""request_id":"7c9e6679-7425-40de-944b-e07fc1f90ae7","item":"default"}"#
);

/// The first argument that turns this program into the replay server.
const REPLAY: &str = "replay";

/// Connections of the comparison of latencies.
const LATENCY_CONNECTIONS: u64 = 64;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let [_, word, folder] = &args[..]
        && word == REPLAY
    {
        replay::serve(Path::new(folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::new(folder.path());
    let mut goals = Vec::new();

    let server = bench.start_sale();
    record::write(&server.url, folder.path());
    figure!("Latency, where the server is the limit (seckill serve)");
    bench.latencies(&server, &mut goals);
    drop(server);

    let server = bench.start_replay();
    figure!("\nRate, where the generator is the limit (the replay server)");
    let connections: &[u64] = if support::is_test() { &[64] } else { &[64, 350] };
    for connections in connections {
        bench.rates(*connections, &server, &mut goals);
    }
    // Without optimization, and after one second, the ratios mean nothing.
    if !support::is_test() {
        figure!("\nGoals");
        table::goals(&goals);
    }
}

struct Bench<'a> {
    cores: Cores,
    folder: &'a Path,
    /// The installed tools, `seckill bench` first.
    tools: Vec<Tool>,
    rounds: usize,
    seconds: u64,
}

impl<'a> Bench<'a> {
    fn new(folder: &'a Path) -> Self {
        let cores = Cores::take();
        if cores.are_one() {
            figure!("only one core: the server limits every generator's rate");
        }
        // A test runs only the tools that have goals and start immediately.
        let known = if support::is_test() { &Tool::ALL[..3] } else { &Tool::ALL[..] };
        let is_installed = |tool: &Tool| {
            let missing = tool.missing();
            if let Some(cure) = missing {
                figure!("{} is not installed ({cure})", tool.name());
            }
            missing.is_none()
        };
        let tools = known.iter().copied().filter(is_installed).collect();
        tools::write_files(folder);
        let (rounds, seconds) = if support::is_test() { (1, 1) } else { (support::ROUNDS, 4) };
        Self { cores, folder, tools, rounds, seconds }
    }

    /// A sale that is sold out from the beginning.
    fn start_sale(&self) -> Server {
        Server::start(env!("CARGO_BIN_EXE_seckill").as_ref(), |command| {
            command.args(["serve", "--listen", "127.0.0.1:0", "--stock", "0"]);
            command.arg("--data").arg(self.folder.join("data"));
            // The log is discarded.
            command.stderr(Stdio::null());
        })
    }

    fn start_replay(&self) -> Server {
        Server::start(&std::env::current_exe().unwrap(), |command| {
            command.arg(REPLAY).arg(self.folder);
        })
    }

    /// Runs each of these tools once in each round, each time with a different one first.
    fn run(&self, tools: &[Tool], connections: u64, server: &Server) -> Vec<Runs> {
        let (folder, seconds) = (self.folder, self.seconds);
        let load = Load { url: &server.url, folder, connections, seconds };
        let runs_of = |tool: &Tool| Runs { tool: *tool, runs: Vec::new() };
        let mut runs: Vec<Runs> = tools.iter().map(runs_of).collect();
        for round in 0..self.rounds {
            for turn in 0..tools.len() {
                let of = &mut runs[(round + turn) % tools.len()];
                let ran = process::run(&mut of.tool.command(&load), self.cores, server, folder);
                of.runs.push((of.tool.read(&ran.stdout), ran));
            }
        }
        runs
    }

    fn latencies(&self, server: &Server, goals: &mut Vec<Goal>) {
        let tools: Vec<_> =
            self.tools.iter().copied().filter(|tool| tool.reports_median()).collect();
        let runs = self.run(&tools, LATENCY_CONNECTIONS, server);
        table::latencies(LATENCY_CONNECTIONS, &runs);
        if let [ours, wrk] = &runs[..] {
            goals.push(Goal {
                what: "median latency within 10 % of what wrk sees".into(),
                ratio: ours.median_us() / wrk.median_us(),
                wanted: 0.9..=1.1,
                // A generator whose core is full measures its own queue, or omits it.
                is_clear: !ours.is_full() && !wrk.is_full(),
            });
        }
    }

    fn rates(&self, connections: u64, server: &Server, goals: &mut Vec<Goal>) {
        let runs = self.run(&self.tools, connections, server);
        table::rates(connections, &runs);
        let of = |tool: Tool| runs.iter().find(|runs| runs.tool == tool);
        let ours = &runs[0];
        for (tool, factor) in [(Tool::Wrk, 1.25), (Tool::Shb, 1.05), (Tool::Ab, 1.05)] {
            let Some(its) = of(tool) else { continue };
            let name = tool.name();
            goals.push(Goal {
                what: format!("{connections} connections: rate >= {factor} x {name}"),
                ratio: ours.per_second() / its.per_second(),
                wanted: factor..=f64::INFINITY,
                // The rate of a generator that had to wait is not limited by the generator.
                is_clear: ours.is_full() && its.is_full(),
            });
            goals.push(Goal {
                what: format!("{connections} connections: CPU per request, {name}'s >= {factor} x"),
                ratio: its.cpu_us_per_request() / ours.cpu_us_per_request(),
                wanted: factor..=f64::INFINITY,
                is_clear: true,
            });
        }
    }
}
