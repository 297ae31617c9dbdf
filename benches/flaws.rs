//! The matrix of the flaws: runs each under the load that brings it out, on the engines on which it
//! shows, on a store with one item and on one with several, and counts the runs in which
//! `seckill bench` found it and nothing else. Prints the table of docs/auditing.md.
//!
//! `cargo bench --bench flaws -- --runs 20 --flaw off-by-one,no-dedupe --out DIR` runs some of them
//! and keeps every run. `SECKILL_PROGRAM` names another program than the one that cargo builds.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr)]

#[path = "../tests/support/mod.rs"]
mod support;
#[path = "flaws/trial.rs"]
mod trial;

use std::panic::catch_unwind;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use seckill::flaws::Flaw;

use support::flaw_loads::{FLAW_LOADS, Fault, Finding, FlawLoad};
use support::skip::installed;
use trial::{Engines, Trial};

/// Items on sale in a store with several.
const SEVERAL: u32 = 3;

/// The flaws of a smoke run, as in `cargo test --benches`: each shows in seconds without services.
const SMOKE: [Flaw; 4] =
    [Flaw::CheckThenAct, Flaw::GlobalResult, Flaw::OffByOne, Flaw::StickySoldOut];

#[derive(Parser)]
struct Flags {
    /// Runs of each flaw on each store
    #[arg(long)]
    runs: Option<u32>,
    /// Only these flaws
    #[arg(long, value_delimiter = ',')]
    flaw: Vec<Flaw>,
    /// Folder for the files of every run
    #[arg(long)]
    out: Option<PathBuf>,
    /// `cargo bench` gives it
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let mut flags = Flags::parse();
    let is_smoke = !flags.bench && flags.runs.is_none();
    if is_smoke {
        flags.flaw = SMOKE.to_vec();
    }
    let matrix = Matrix {
        runs: flags.runs.unwrap_or(if is_smoke { 1 } else { 20 }),
        out: flags.out,
        has_services: !is_smoke && installed(&["rabbitmq-server", "redis-server"]),
    };
    let columns = ["flaw", "what the server does", "what breaks", "load", "finding"];
    println!("| {} | embedded | RabbitMQ, Redis |", columns.join(" | "));
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let is_wanted = |load: &&FlawLoad| flags.flaw.is_empty() || flags.flaw.contains(&load.flaw);
    let missed = FLAW_LOADS.iter().filter(is_wanted).filter(|load| !matrix.print(load)).count();
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Matrix {
    runs: u32,
    out: Option<PathBuf>,
    has_services: bool,
}

impl Matrix {
    /// Runs a flaw and prints its row. Returns whether it was caught in 19 of 20 runs.
    fn print(&self, load: &'static FlawLoad) -> bool {
        let on_embedded = FlawLoad::on_embedded(load.flaw);
        let embedded = on_embedded.map(|load| self.caught(load, Engines::Embedded));
        let services = self.has_services.then(|| self.caught(load, Engines::Services));
        let of_runs = |caught: Option<[u32; 2]>| match caught {
            Some([one, several]) => format!("{one}, {several} of {}", self.runs),
            None => "–".to_owned(),
        };
        let Describe { load: mut flags, mut finding } = Describe::of(load);
        if let Some(other) = on_embedded.filter(|other| !std::ptr::eq(*other, load)) {
            let other = Describe::of(other);
            flags = format!("{flags}. Embedded: {}", other.load);
            if other.finding != finding {
                finding = format!("{finding}. Embedded: {}", other.finding);
            }
        }
        let (name, does) = (load.flaw.name(), load.flaw.does());
        let breaks = load.flaw.breaks();
        let breaks = breaks.rsplit_once(" (").map_or(breaks, |(breaks, _)| breaks);
        let (on_embedded, on_services) = (of_runs(embedded), of_runs(services));
        println!(
            "| `{name}` | {does} | {breaks} | {flags} | {finding} | {on_embedded} | {on_services} |"
        );
        let mut counts = embedded.into_iter().chain(services).flatten();
        counts.all(|caught| caught * 20 >= self.runs * 19)
    }

    /// The number of runs in which the flaw was caught, with one item and with several.
    fn caught(&self, load: &'static FlawLoad, engines: Engines) -> [u32; 2] {
        [1, SEVERAL].map(|items| {
            let caught = (1..=self.runs).filter(|run| {
                let name = format!("{}-{engines}-{items}-{run}", load.flaw.name());
                let out = self.out.as_ref().map(|folder| folder.join(&name));
                let trial = Trial { load, engines, items, out };
                let found = catch_unwind(|| trial.run()).unwrap_or(Err("it panicked".to_owned()));
                found.inspect_err(|why| eprintln!("{name}: {why}")).is_ok()
            });
            caught.count() as u32
        })
    }
}

/// Two columns of the table.
struct Describe {
    load: String,
    finding: String,
}

impl Describe {
    fn of(load: &FlawLoad) -> Self {
        let mut flags = load.load.join(" ");
        let server = load.server_flags().join(" ");
        if !server.is_empty() {
            flags = format!("{flags} -- {server}");
        }
        let fault = match load.fault {
            Fault::None => String::new(),
            fault => format!("; {}", fault.describe()),
        };
        let words = |one: &seckill::judge::Invariant| format!("`{}`", one.as_str());
        let finding = match load.finding {
            Finding::Broken(invariant) => words(&invariant),
            Finding::BrokerFull => "exit 99; `Cause` names the connections".to_owned(),
        };
        let companions: Vec<_> = load.companions.iter().map(words).collect();
        let finding = match companions.is_empty() {
            true => finding,
            false => format!("{finding}, at times {}", companions.join(", ")),
        };
        Self { load: format!("`{flags}`{fault}"), finding }
    }
}
