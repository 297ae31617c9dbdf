//! The command line: each subcommand in a file of its own.

#![allow(clippy::print_stdout, clippy::print_stderr)] // This is where people are talked to.

mod args;
mod bench;
mod bench_config;
mod docs;
mod engines;
mod lab;
mod limits;
mod recorded;
mod serve;
mod signals;

use std::io::{self, Write};
use std::process::ExitCode;

pub use args::Cli;
use args::Command;

/// Why a subcommand did not get to a result, and with which exit code.
#[derive(Debug)]
pub enum Failure {
    /// A flag or profile is wrong.
    Usage(String),
    /// It could not run.
    Run(anyhow::Error),
    /// Told to stop before there was anything to report, or twice.
    Interrupted,
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Run(error.into())
    }
}

/// Runs a command line and gives the exit code.
pub fn run(cli: Cli) -> ExitCode {
    #[cfg(feature = "tls")]
    crate::tls::install_provider();
    let colour = cli.color;
    let done = match cli.command {
        Command::Serve(args) => serve::serve(*args, colour),
        Command::Bench(args) if args.self_test => self_test(args.flags.json.unwrap_or(false)),
        Command::Bench(args) => bench::bench(*args, colour),
        Command::Audit(args) => recorded::audit(&args, colour),
        Command::Report(args) => recorded::report(&args, colour),
        Command::StubServer => stub_server(),
        Command::Lab(args) => lab::lab(args),
        Command::Completions { shell } => docs::completions(shell),
        Command::Man => docs::man(),
    };
    match done {
        Ok(code) => code.into(),
        Err(Failure::Usage(message)) => {
            say(format_args!("seckill: {message}"));
            2.into()
        }
        Err(Failure::Run(error)) => {
            say(format_args!("seckill: {error:#}"));
            1.into()
        }
        // As shells report a command that SIGINT ended.
        Err(Failure::Interrupted) => 130.into(),
    }
}

/// Tests the generator itself; the exit code is 5 when it cannot be trusted here.
fn self_test(as_json: bool) -> Result<u8, Failure> {
    say("self-test: pacing, the ceiling, and a server that freezes; some 13 s");
    let result = crate::bench::self_test()?;
    print(&if as_json { format!("{:#}\n", result.json()) } else { result.text() })?;
    Ok(if result.passed() { 0 } else { 5 })
}

/// Runs the server that the self-test starts.
fn stub_server() -> Result<u8, Failure> {
    crate::bench::stub_server(|line| drop(print(line)))?;
    Ok(0)
}

/// Prints to stdout. A reader that has gone is no error: it has seen what it wanted.
fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// Prints to stderr, unless it has gone.
fn say(text: impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "{text}");
}
