//! `seckill bench` as a load generator, against wrk, oha, hey, ab and JMeter, each where it is
//! installed: the same request, the same connections, one core and one thread each.
//!
//! A rate compares generators only when the generator's core is the one that is full. With
//! `seckill serve` on the other core, alike, it is the server's: every generator but hey waits for
//! it, and all rates come out the same. So the rates are taken on a server that replays, for less
//! CPU than any of them needs, the bytes that `seckill serve` answered before: a sale that is sold
//! out, 410. Both shares stand in each row.
//!
//! With latency it is the other way round. A generator whose own core is full measures how long
//! its answers wait for itself, or leaves that out, as wrk does, which starts its clock only when
//! it comes to send. So that is compared on `seckill serve`, where the server is the limit.
//!
//! CPU is that of a generator's whole life: with its start, which for JMeter is that of a JVM, and
//! for `seckill bench` with the audit. JMeter runs longer than the others, and its rate is that of
//! the end, when it is warm.
//!
//! Rounds are interleaved, in another order each time, so that a drift of the machine meets all.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[macro_use]
mod support;
#[path = "peers/cores.rs"]
mod cores;
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

use cores::Cores;
use process::Server;
use table::{Goal, Runs};
use tools::{Load, Tool};

/// What each attempt sends. A sale that is sold out does not look at who asks.
const BODY: &str = concat!(
    r#"{"uid":"7c9e6679-7425-40de-944b-e07fc1f90ae7","#,
    r#""request_id":"7c9e6679-7425-40de-944b-e07fc1f90ae7","item":"default"}"#
);

/// The admin's, for the audit.
const TOKEN: &str = "token";

/// The first argument with which this program is the server that replays.
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
    figure!("\nRate, where the generator is the limit (a server that replays)");
    let connections: &[u64] = if support::is_test() { &[64] } else { &[64, 350] };
    for connections in connections {
        bench.rates(*connections, &server, &mut goals);
    }
    // Without optimization, and after a second, they say nothing.
    if !support::is_test() {
        figure!("\nGoals");
        table::goals(&goals);
    }
}

struct Bench<'a> {
    cores: Cores,
    folder: &'a Path,
    /// Those that are here, `seckill bench` first.
    tools: Vec<Tool>,
    rounds: usize,
    seconds: u64,
}

impl<'a> Bench<'a> {
    fn new(folder: &'a Path) -> Self {
        let cores = Cores::take();
        if cores.are_one() {
            figure!("one core only: server and generator share it, and no rate is a generator's");
        }
        // In a test, those that have goals of their own and start at once.
        let known = if support::is_test() { &Tool::ALL[..2] } else { &Tool::ALL[..] };
        let is_here = |tool: &Tool| {
            let missing = tool.missing();
            if let Some(cure) = missing {
                figure!("{} is not installed ({cure})", tool.name());
            }
            missing.is_none()
        };
        let tools = known.iter().copied().filter(is_here).collect();
        tools::write_files(folder);
        let (rounds, seconds) = if support::is_test() { (1, 1) } else { (support::ROUNDS, 4) };
        Self { cores, folder, tools, rounds, seconds }
    }

    /// A sale that is sold out from the beginning.
    fn start_sale(&self) -> Server {
        Server::start(env!("CARGO_BIN_EXE_seckill").as_ref(), |command| {
            command.args(["serve", "--listen", "127.0.0.1:0", "--stock", "0"]);
            command.args(["--admin-token", TOKEN, "--data"]).arg(self.folder.join("data"));
            // Its log.
            command.stderr(Stdio::null());
        })
    }

    fn start_replay(&self) -> Server {
        Server::start(&std::env::current_exe().unwrap(), |command| {
            command.arg(REPLAY).arg(self.folder);
        })
    }

    /// Every one of these tools once in each round, each time another one first.
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
        let tools: Vec<_> = self.tools.iter().copied().filter(|tool| tool.tells_median()).collect();
        let runs = self.run(&tools, LATENCY_CONNECTIONS, server);
        table::latencies(LATENCY_CONNECTIONS, &runs);
        if let [ours, wrk] = &runs[..] {
            goals.push(Goal {
                what: "median latency within 10 % of what wrk sees".into(),
                ratio: ours.median_us() / wrk.median_us(),
                wanted: 0.9..=1.1,
                is_clear: true,
            });
        }
    }

    fn rates(&self, connections: u64, server: &Server, goals: &mut Vec<Goal>) {
        let runs = self.run(&self.tools, connections, server);
        table::rates(connections, &runs);
        let of = |tool: Tool| runs.iter().find(|runs| runs.tool == tool);
        let ours = &runs[0];
        for (tool, factor) in [(Tool::Wrk, 1.0), (Tool::Oha, 1.3), (Tool::JMeter, 10.0)] {
            let Some(its) = of(tool) else { continue };
            goals.push(Goal {
                what: format!("{connections} connections: rate >= {factor} x {}", tool.name()),
                ratio: ours.per_second() / its.per_second(),
                wanted: factor..=f64::INFINITY,
                // The rate of a generator that was kept from sending is not its own.
                is_clear: ours.is_full() && its.is_full(),
            });
        }
        if let Some(wrk) = of(Tool::Wrk) {
            goals.push(Goal {
                what: format!("{connections} connections: CPU per request <= 1 x wrk"),
                ratio: ours.cpu_us_per_request() / wrk.cpu_us_per_request(),
                wanted: 0.0..=1.0,
                is_clear: true,
            });
        }
    }
}
