//! The matrix of the faults: each on each set of engines, with what was lost, doubled, oversold and
//! told wrongly, and how long it took until service was normal again. Prints the table of
//! docs/reliability.md.
//!
//! `cargo bench --bench faults` runs all of them. `-- --only client,disk` runs those of some parts.
//! `-- --campaign 200 --seed 1` draws so many random faults for each set of engines instead, and
//! `--flaw NAME` builds a flaw into the servers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr)]

#[path = "faults/lab.rs"]
mod lab;
#[path = "faults/matrix.rs"]
mod matrix;

use std::process::ExitCode;

use clap::Parser;

use lab::{Engines, Lab};
use matrix::{FAULTS, Outcome, run};

/// The average time that a random fault and the pause after it take, in milliseconds.
const DRAWN_MS: u64 = 2_900;

#[derive(Parser)]
struct Flags {
    /// Only faults of these parts
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Draw about this many random faults for each set of engines
    #[arg(long)]
    campaign: Option<u64>,
    /// The seed of the random faults; the second set of engines takes the next one
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Build this flaw into the servers
    #[arg(long)]
    flaw: Option<String>,
    /// `cargo bench` gives it
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let mut flags = Flags::parse();
    if !flags.bench {
        // A smoke run, as in `cargo test --benches`: it needs no services.
        flags.only = vec!["disk".to_owned()];
    }
    let labs = Engines::ALL.into_iter().filter_map(|engines| match (flags.bench, engines) {
        (false, Engines::RabbitMqAndRedis | Engines::Mixed) => None,
        (_, engines) => Lab::start(engines),
    });
    let labs: Vec<_> = labs.collect();
    let is_right = match flags.campaign {
        Some(faults) => campaigns(&labs, faults, &flags),
        None => table(&labs, &flags),
    };
    if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints a row for each fault. Returns whether no run found anything wrong.
fn table(labs: &[Lab], flags: &Flags) -> bool {
    println!(
        "Each cell: lost · doubled · oversold · told wrongly, time until service was normal.\n"
    );
    let names: Vec<_> = labs.iter().map(|lab| lab.engines.name()).collect();
    println!("| fault | {} |", names.join(" | "));
    println!("| --- |{}", " --- |".repeat(labs.len()));
    let is_wanted = |fault: &&&str| {
        flags.only.is_empty()
            || flags.only.iter().any(|part| fault.contains(&format!("what={part} ")))
    };
    let mut is_right = true;
    for fault in FAULTS.iter().filter(is_wanted) {
        let cells = labs.iter().map(|lab| match lab.has(fault) {
            false => "–".to_owned(),
            true => {
                let planned = format!("at=1500ms for=1500ms {fault}");
                let load = ["--duration", length(fault), "--fault", &planned];
                let outcome = run(lab, &load, flags.flaw.as_deref());
                is_right &= outcome.is_right();
                outcome.cell()
            }
        });
        let cells: Vec<_> = cells.collect();
        println!("| `{fault}` | {} |", cells.join(" | "));
    }
    is_right
}

/// The length of a load with a fault. RabbitMQ takes some ten seconds to start.
fn length(fault: &str) -> &'static str {
    if ["what=broker do=kill", "what=broker do=wipe"].contains(&fault) { "20s" } else { "6s" }
}

/// Prints a line for each set of engines. Returns whether no campaign found anything wrong.
fn campaigns(labs: &[Lab], faults: u64, flags: &Flags) -> bool {
    println!("| engines | seed | faults | accepted | {} | verdict |", Outcome::COLUMNS);
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    let mut is_right = true;
    for (lab, seed) in labs.iter().zip(flags.seed..) {
        let (length, seed) = (format!("{}ms", faults * DRAWN_MS), seed.to_string());
        let load = ["--duration", &length, "--nemesis", &seed];
        let outcome = run(lab, &load, flags.flaw.as_deref());
        is_right &= outcome.is_right();
        println!("| {} | {seed} | {} |", lab.engines.name(), outcome.row());
    }
    is_right
}
