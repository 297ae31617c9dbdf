//! Calls the subcommand of a parsed command line, and maps its result to the exit code.

use std::process::ExitCode;

use super::args::{Cli, Command};
use super::console::say;
use super::failure::Failure;
use super::{bench, docs, lab, recorded, self_test, serve};

/// Runs a command line, and returns the exit code.
pub fn run(cli: Cli) -> ExitCode {
    #[cfg(feature = "tls")]
    crate::tls::install_provider();
    let colour = cli.color;
    let done = match cli.command {
        Command::Serve(args) => serve::serve(*args, colour),
        Command::Bench(args) if args.self_test => {
            self_test::self_test(args.flags.json.unwrap_or(false))
        }
        Command::Bench(args) => bench::bench(*args, colour),
        Command::Audit(args) => recorded::audit(&args, colour),
        Command::Report(args) => recorded::report(&args, colour),
        Command::StubServer => self_test::stub_server(),
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
        // This is how shells report a command that SIGINT ended.
        Err(Failure::Interrupted) => 130.into(),
    }
}
