//! The matrix of the faults: each on each set of engines, with what was lost, doubled, oversold and
//! told wrongly, and how long it took until service was normal again. Prints the table of
//! docs/reliability.md.
//!
//! `cargo bench --bench faults` runs all of them. `-- --only client,disk` runs those of some parts,
//! and `--engines clusters` those on one set of engines. `-- --campaign 200 --seed 1` draws so many
//! random faults for each set of engines instead, and `--flaw NAME` builds a flaw into the servers.
//! `--io epoll,uring` does all of it with each I/O driver of the load generator.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr)]

#[path = "faults/lab.rs"]
mod lab;
#[path = "faults/matrix.rs"]
mod matrix;

use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use lab::{Engines, Lab};
use matrix::{FAULTS, Outcome, run};

/// The average time that a random fault and the pause after it take, in milliseconds.
const DRAWN_MS: u64 = 2_900;

#[derive(Parser)]
struct Flags {
    /// Only faults of these parts
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Only these sets of engines
    #[arg(long, value_delimiter = ',')]
    engines: Vec<Engines>,
    /// How the load generator talks to the kernel: with each of these in turn
    #[arg(long, value_delimiter = ',', default_value = "epoll")]
    io: Vec<String>,
    /// Draw about this many random faults for each set of engines
    #[arg(long)]
    campaign: Option<u64>,
    /// The seed of the random faults; each further campaign takes the next one
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
        flags.engines = vec![Engines::Embedded];
    }
    let is_wanted =
        |engines: &&Engines| flags.engines.is_empty() || flags.engines.contains(engines);
    let engines = Engines::value_variants().iter().filter(is_wanted);
    let labs: Vec<_> = engines.filter_map(|engines| Lab::start(*engines)).collect();
    let each_io = |lab| flags.io.iter().map(move |io| Column { lab, io });
    let columns: Vec<_> = labs.iter().flat_map(each_io).collect();
    let is_right = match flags.campaign {
        Some(faults) => campaigns(&columns, faults, &flags),
        None => table(&columns, &flags),
    };
    if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What a load runs on.
struct Column<'a> {
    lab: &'a Lab,
    io: &'a str,
}

impl Column<'_> {
    fn run(&self, load: &[&str], flags: &Flags) -> Outcome {
        run(self.lab, &[load, &["--io", self.io]].concat(), flags.flaw.as_deref())
    }
}

/// Prints a row for each fault. Returns whether no run found anything wrong.
fn table(columns: &[Column], flags: &Flags) -> bool {
    println!(
        "Each cell: lost · doubled · oversold · told wrongly, time until service was normal.\n"
    );
    let name = |column: &Column| match flags.io.len() {
        1 => column.lab.engines.name().to_owned(),
        _ => format!("{}, `{}`", column.lab.engines.name(), column.io),
    };
    println!("| fault | {} |", columns.iter().map(name).collect::<Vec<_>>().join(" | "));
    println!("| --- |{}", " --- |".repeat(columns.len()));
    let is_wanted = |fault: &&&str| {
        flags.only.is_empty()
            || flags.only.iter().any(|part| fault.contains(&format!("what={part} ")))
    };
    let mut is_right = true;
    for fault in FAULTS.iter().filter(is_wanted) {
        let cells = columns.iter().map(|column| match column.lab.has(fault) {
            false => "–".to_owned(),
            true => {
                let planned = format!("at=1500ms for=1500ms {fault}");
                let load = ["--duration", column.lab.length(fault), "--fault", &planned];
                let outcome = column.run(&load, flags);
                is_right &= outcome.is_right();
                outcome.cell()
            }
        });
        let cells: Vec<_> = cells.collect();
        println!("| `{fault}` | {} |", cells.join(" | "));
    }
    is_right
}

/// Prints a line for each campaign. Returns whether none of them found anything wrong.
fn campaigns(columns: &[Column], faults: u64, flags: &Flags) -> bool {
    println!("| engines | `--io` | seed | faults | accepted | {} | verdict |", Outcome::COLUMNS);
    println!("|{}", " --- |".repeat(10));
    let mut is_right = true;
    for (column, seed) in columns.iter().zip(flags.seed..) {
        let (length, seed) = (format!("{}ms", faults * DRAWN_MS), seed.to_string());
        let load = ["--duration", &length, "--nemesis", &seed];
        let outcome = column.run(&load, flags);
        is_right &= outcome.is_right();
        let Column { lab, io } = column;
        println!("| {} | {io} | {seed} | {} |", lab.engines.name(), outcome.row());
    }
    is_right
}
