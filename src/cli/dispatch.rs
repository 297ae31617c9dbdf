//! Calls the subcommand of a parsed command line, and maps its result to the exit code.

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use clap::error::ErrorKind;

use super::args::{Cli, Command};
use super::console::say;
use super::failure::Failure;
use super::github::report_failure_to_job;
use super::parse::parse;
use super::signals::outlive_file_size_limit;
use super::sources::Sources;
use super::variables::{not_utf8, unknown_variables};
use super::{bench, docs, lab, recorded, self_test, serve, sut};

/// Runs a command line, whose first word is the program, and returns the exit code.
pub fn run(words: Vec<OsString>) -> ExitCode {
    if let Err(error) = outlive_file_size_limit() {
        say(format_args!("seckill: {error}"));
        return 1.into();
    }
    match parse(&words) {
        Ok((cli, sources)) => run_command(cli, &sources),
        Err(error) if error.kind() == ErrorKind::InvalidUtf8 => {
            say(format_args!("seckill: {}", not_utf8(&words)));
            2.into()
        }
        Err(error) => print_parse_error(&error),
    }
}

/// Prints help to stdout, and an error to stderr.
pub(super) fn print_parse_error(error: &clap::Error) -> ExitCode {
    match error.print() {
        Err(cause) if !error.use_stderr() && cause.kind() != io::ErrorKind::BrokenPipe => {
            say(format_args!("seckill: cannot write the help to stdout: {cause}"));
            1.into()
        }
        _ => u8::try_from(error.exit_code()).unwrap_or(2).into(),
    }
}

fn run_command(cli: Cli, sources: &Sources) -> ExitCode {
    #[cfg(feature = "tls")]
    crate::tls::install_provider();
    let colour = cli.color;
    let is_bench = matches!(cli.command, Command::Bench(_));
    if !cli.command.is_quiet() {
        unknown_variables().iter().for_each(|warning| say(format_args!("seckill: {warning}")));
    }
    let done = match cli.command {
        Command::Serve(args) => serve::serve(*args, sources, colour),
        Command::Bench(args) if args.self_test => self_test::self_test(&args.flags, sources),
        Command::Bench(args) => bench::bench(*args, sources, colour),
        Command::Sut(command) => sut::sut(command, sources),
        Command::Audit(args) => recorded::audit(&args, colour),
        Command::Report(args) => recorded::report(&args, colour),
        Command::StubServer => self_test::stub_server(),
        Command::Lab(args) => lab::lab(args, sources),
        Command::Completions { shell } => docs::completions(shell),
        Command::Man => docs::man(),
    };
    let failed = |message: &str, code: u8| {
        say(format_args!("seckill: {message}"));
        if is_bench {
            report_failure_to_job(message);
        }
        code.into()
    };
    match done {
        Ok(code) => code.into(),
        Err(Failure::Arguments(error)) => print_parse_error(&error),
        Err(Failure::Usage(message)) => failed(&message, 2),
        Err(Failure::Run(error)) => failed(&format!("{error:#}"), 1),
        // This is how shells report a command that SIGINT ended.
        Err(Failure::Interrupted) => 130.into(),
    }
}
