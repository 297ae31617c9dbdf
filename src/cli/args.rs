//! What can be written on the command line.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::bench::STUB_SERVER;
use crate::profile::{BenchFlags, ServeFlags};
use crate::units::Count;

/// Serves a flash sale, loads it like JMeter, and judges whether it oversold
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// Colours
    #[arg(long, global = true, value_enum, default_value_t, env = "SECKILL_COLOR")]
    pub color: Colour,
    #[command(subcommand)]
    pub(super) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
   0  ran, and every invariant held
   1  could not run: target unreachable, no such file, server died
   2  a flag or a profile is wrong
   3  the audit failed: oversold, or another invariant broken
   4  the audit could not find out: never a pass
   5  the run is invalid: the generator could not keep up, or failed its self-test
 130  interrupted: told to stop before the run began, or twice";

const LAB_EXIT_CODES: &str = "\
Without a command it prints the variables that it would have set, a line each, and waits for Ctrl-C.
A second Ctrl-C, SIGTERM or SIGHUP kills the command. Whatever happens, nothing stays behind.

Exit codes:
   N  the command's own; 128 and the signal's number if a signal ended it
   0  told to stop, without a command
   1  a service could not be started, or the command was not found
   2  a flag is wrong
 130  told to stop before the services were ready";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve a sale from an embedded, durable queue and store, or from RabbitMQ and Redis
    Serve(Box<ServeArgs>),
    /// Load a server with buyers, then audit what it sold
    #[command(after_help = EXIT_CODES)]
    Bench(Box<BenchArgs>),
    /// Run a command on throwaway Redis, RabbitMQ and nginx from this system's own binaries
    #[command(after_help = LAB_EXIT_CODES)]
    Lab(LabArgs),
    /// Judge a recorded run again, offline, from its history and its ledger
    #[command(after_help = EXIT_CODES)]
    Audit(RecordedArgs),
    /// Print a recorded run again, as it was judged then
    Report(RecordedArgs),
    /// Print completions for a shell
    Completions {
        /// For which shell
        shell: Shell,
    },
    /// Print the manual page
    Man,
    /// Started by the self-test; not a command for people.
    #[command(name = STUB_SERVER, hide = true)]
    StubServer,
}

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    pub(super) flags: ServeFlags,
    /// Print each flaw, what it does and what it breaks
    #[arg(long)]
    pub(super) list_flaws: bool,
}

#[derive(Debug, Args)]
pub(super) struct BenchArgs {
    #[command(flatten)]
    pub(super) flags: BenchFlags,
    /// Test the generator itself, against a server of its own that freezes for 2 s of 6 s, and
    /// measure its precision and its ceiling here
    #[arg(long, conflicts_with_all = ["target", "spawn", "profile"])]
    pub(super) self_test: bool,
    /// Read flags from a TOML file; those on the command line and in the environment win
    #[arg(long, env = "SECKILL_PROFILE", value_name = "FILE")]
    pub(super) profile: Option<PathBuf>,
    /// Flags of `seckill serve`, for the server that --spawn starts
    #[arg(last = true, value_name = "SERVE FLAGS")]
    pub(super) server: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct RecordedArgs {
    /// Folder that --out gave the run
    #[arg(value_name = "DIR")]
    pub(super) dir: PathBuf,
    /// Print the result as JSON
    #[arg(long)]
    pub(super) json: bool,
    /// Print the verdict and nothing else
    #[arg(long, short = 'q')]
    pub(super) quiet: bool,
}

#[derive(Debug, Args)]
pub(super) struct LabArgs {
    /// What to start; nginx is a load balancer over the ports 7001 and 7002
    #[arg(long, env = "SECKILL_WITH", value_name = "SERVICES")]
    #[arg(value_enum, value_delimiter = ',', default_value = "redis,rabbitmq")]
    pub(super) with: Vec<Engine>,
    /// RabbitMQ's limit of open files, of which each connection is one [default: the system's]
    #[arg(long, env = "SECKILL_BROKER_FILES", value_name = "N")]
    pub(super) broker_files: Option<Count>,
    /// What to run, with SECKILL_QUEUE (RabbitMQ), SECKILL_STORE (Redis) and SECKILL_TARGET
    /// (nginx) set; `seckill` is this very program
    #[arg(last = true, value_name = "COMMAND")]
    pub(super) command: Vec<OsString>,
}

/// A service that `lab` starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Engine {
    Redis,
    Rabbitmq,
    Nginx,
}

/// Flags of the server that --spawn starts
#[derive(Debug, Parser)]
#[command(name = "seckill serve", no_binary_name = true)]
pub(super) struct ServerFlags {
    #[command(flatten)]
    pub(super) flags: ServeFlags,
}

/// When to colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Colour {
    /// Whether to colour what goes to `stream`.
    pub(super) fn on(self, stream: &impl IsTerminal) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            // https://no-color.org: set and not empty.
            Self::Auto => {
                stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::profile::env_name;

    #[test]
    fn every_flag_reads_the_variable_that_env_name_gives() {
        let cli = Cli::command();
        let subcommands = cli.get_subcommands().flat_map(clap::Command::get_arguments);
        let mut flags_with_variable = 0;
        for flag in cli.get_arguments().chain(subcommands) {
            let Some(variable) = flag.get_env() else { continue };
            assert_eq!(variable.to_str(), flag.get_long().map(env_name).as_deref(), "{flag}");
            flags_with_variable += 1;
        }
        assert!(flags_with_variable > 50, "{flags_with_variable}");
    }
}
