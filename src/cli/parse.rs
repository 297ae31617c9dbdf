//! From the words of the command line to arguments, or to an error with advice.

use std::ffi::OsString;

use clap::builder::Resettable;
use clap::{ArgMatches, Command, CommandFactory, Error, FromArgMatches};

use crate::profile::ServeFlags;

use super::advice::advise;
use super::args::{Cli, ServerFlags};
use super::help::{with_headings, without_variables};
use super::sources::Sources;

/// The variables that reach a spawned server, which `seckill lab` sets. All others of `serve` would
/// make a run depend on what was meant for another server.
const FOR_SPAWNED: [&str; 3] = ["queue", "queue_type", "store"];

/// Parses a command line, whose first word is the program.
///
/// # Errors
/// When it is invalid, or asks for help.
pub(super) fn parse(words: &[OsString]) -> Result<(Cli, Sources), Error> {
    let command = with_headings(Cli::command()).mut_subcommands(with_negative_numbers);
    // `-h` is the short help, and `--help` the long one.
    let is_short = words.iter().any(|word| word == "-h");
    let command = if is_short { without_variables(command) } else { command };
    let parsed = command.clone().try_get_matches_from(words).and_then(|matches| {
        let cli = Cli::from_arg_matches(&matches)?;
        Ok((cli, Sources::of(&matches)))
    });
    parsed.map_err(|error| advise(error, &command, words))
}

/// Parses the flags of a spawned server.
///
/// # Errors
/// When they are invalid, or ask for help.
pub(super) fn parse_server(words: &[String]) -> Result<(ServeFlags, Sources), Error> {
    let without_variable = |arg: clap::Arg| match FOR_SPAWNED.contains(&arg.get_id().as_str()) {
        true => arg,
        false => arg.env(Resettable::Reset),
    };
    let command = with_negative_numbers(ServerFlags::command().mut_args(without_variable));
    let parsed = command.clone().try_get_matches_from(words).and_then(|matches: ArgMatches| {
        Ok((ServerFlags::from_arg_matches(&matches)?.flags, Sources::of(&matches)))
    });
    let before = ["seckill", "serve"].map(OsString::from);
    let words: Vec<_> = before.into_iter().chain(words.iter().map(OsString::from)).collect();
    parsed.map_err(|error| advise(error, &Cli::command(), &words))
}

/// Names the variables of `serve` that are set and do not reach a spawned server.
pub(super) fn not_for_spawned() -> Vec<String> {
    let command = ServerFlags::command();
    let flags = command.get_arguments().filter(|arg| {
        let of_bench = Cli::command();
        let of_bench = of_bench.find_subcommand("bench").is_some_and(|bench| {
            bench.get_arguments().any(|other| other.get_env() == arg.get_env())
        });
        !of_bench && !FOR_SPAWNED.contains(&arg.get_id().as_str())
    });
    let variables = flags.filter_map(|arg| arg.get_env()?.to_str().map(str::to_owned));
    variables.filter(|name| std::env::var_os(name).is_some()).collect()
}

/// Takes `-1` for a value, which its flag refuses, and not for an unknown flag.
fn with_negative_numbers(command: Command) -> Command {
    command.mut_args(|arg| match arg.is_positional() || !arg.get_action().takes_values() {
        true => arg,
        false => arg.allow_negative_numbers(true),
    })
}
