//! The command-line arguments, defined with clap.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::bench::STUB_SERVER;
use crate::profile::{BenchFlags, ServeFlags};
use crate::units::Count;

use super::sut::SutCommand;

/// The exit codes as text, for several helps.
macro_rules! exit_codes {
    () => {
        "Exit codes:\n\
\x20  0  ran, and every invariant held\n\
\x20  1  the run failed: target unreachable, no such file, server died\n\
\x20  2  a flag or a profile is invalid\n\
\x20  3  the audit failed: oversold, or another invariant broken\n\
\x20  4  the audit has no conclusion, which is never a pass\n\
\x20  5  the run is invalid: the generator could not keep up, or failed its self-test\n\
\x20 99  a threshold of --fail-if or --abort-on was crossed; errors>1% is one by default\n\
\x20130  stopped by a signal before the end of its plan, or by a second one at once"
    };
}

/// Serves a flash sale, loads it like JMeter, and judges whether it oversold
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = EXIT_CODES)]
pub(super) struct Cli {
    /// When to colour the output
    #[arg(long, global = true, value_enum, default_value_t, env = "SECKILL_COLOR")]
    pub(super) color: Colour,
    #[command(subcommand)]
    pub(super) command: Command,
}

const BENCH_EXAMPLES: &str = "\
Examples:
  seckill bench --spawn -c 350 --ramp 20s --loops 10    JMeter's closed model, on an own server
  seckill bench --spawn -r 5k/s -d 30s                  a fixed rate
  seckill bench --spawn --stampede -c 1k -- --stock 100 all at once; what follows -- is for `serve`
  seckill bench -t http://127.0.0.1:7001 -o run         a running server; keeps the run in ./run";

const SERVE_EXAMPLES: &str = "\
Examples:
  seckill serve --stock 100                             on 127.0.0.1:7001, with ./seckill-data
  seckill serve --listen 8080 --durability os           another port; safe from kill -9 only
  seckill serve --queue amqp://127.0.0.1 --store redis://127.0.0.1";

const BENCH_LONG: &str = concat!(
    "Examples:\n",
    "  seckill bench --spawn -c 350 --ramp 20s --loops 10\n",
    "  seckill bench --spawn -r 5k/s -d 30s\n",
    "  seckill bench --spawn --stampede -c 1k -- --stock 100\n",
    "  seckill bench -t http://127.0.0.1:7001 -o run\n\n",
    exit_codes!(),
);

const EXIT_CODES: &str = exit_codes!();

const LAB_EXIT_CODES: &str = "\
Without a command it prints the variables that it would set, one per line, and waits for Ctrl-C.
A second Ctrl-C, SIGTERM or SIGHUP kills the command. All services are removed in any case.

Exit codes:
   N  the command's own; 128 plus the signal's number if a signal ended it
   0  stopped by a signal, without a command
   1  a service could not be started, or the command was not found
   2  a flag is invalid
 130  stopped by a signal before the services were ready";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve a sale from an embedded, durable queue and store, or from RabbitMQ and Redis
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(Box<ServeArgs>),
    /// Load a server with virtual buyers, then audit what it sold
    #[command(after_help = BENCH_EXAMPLES, after_long_help = BENCH_LONG)]
    Bench(Box<BenchArgs>),
    /// Run a command on throwaway Redis, RabbitMQ and nginx from this system's own binaries
    #[command(after_help = LAB_EXIT_CODES)]
    Lab(LabArgs),
    /// Describe somebody else's shop, for `bench`: write a description, and try it out
    #[command(subcommand)]
    Sut(SutCommand),
    /// Judge a recorded run again, offline, from its history and its ledger
    #[command(after_help = EXIT_CODES)]
    Audit(RecordedArgs),
    /// Print recorded runs again, as they were judged then, or write their reports; the exit code
    /// is 0
    Report(ReportArgs),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    Man,
    /// The server of the self-test, which starts it; hidden from users.
    #[command(name = STUB_SERVER, hide = true)]
    StubServer,
}

impl Command {
    /// Whether stderr is to have nothing that is no error.
    pub(super) fn is_quiet(&self) -> bool {
        match self {
            Self::Bench(args) => args.flags.json == Some(true) || args.flags.quiet == Some(true),
            Self::Audit(RecordedArgs { print, .. }) | Self::Report(ReportArgs { print, .. }) => {
                print.json || print.quiet
            }
            Self::Serve(args) => args.list_flaws,
            Self::Lab(_) | Self::Sut(_) => false,
            Self::Completions { .. } | Self::Man | Self::StubServer => true,
        }
    }
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
    /// Test the load generator against a stub server that freezes for 2 s of 6 s, and measure its
    /// precision and its maximum rate on this machine
    #[arg(long)]
    pub(super) self_test: bool,
    /// Read flags from a TOML file; those on the command line and in the environment take
    /// precedence
    #[arg(long, env = "SECKILL_PROFILE", value_name = "FILE")]
    pub(super) profile: Option<PathBuf>,
    /// Flags of `seckill serve`, for the server that --spawn starts
    #[arg(last = true, value_name = "SERVE FLAGS")]
    pub(super) server: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct RecordedArgs {
    /// Folder of the run, as given to --out
    #[arg(value_name = "DIR")]
    pub(super) dir: PathBuf,
    #[command(flatten)]
    pub(super) print: PrintArgs,
}

/// How a recorded run is printed.
#[derive(Debug, Args)]
pub(super) struct PrintArgs {
    /// Print the full report: JMeter's table, all times, the histogram, CPU and memory, and the
    /// witnesses of what is broken
    #[arg(long)]
    pub(super) full: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub(super) json: bool,
    /// Print only the verdict, after the thresholds that were crossed
    #[arg(long, short = 'q')]
    pub(super) quiet: bool,
}

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// Folders of runs, as given to --out; the page compares several with the first, and --json
    /// prints the results one after the other
    #[arg(value_name = "DIR", required = true)]
    pub(super) dirs: Vec<PathBuf>,
    /// Write the report for people to this new or empty file: one HTML page that needs no
    /// script
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
    /// Write every invariant and every threshold as a test to this new or empty file, in
    /// JUnit's XML format
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<PathBuf>,
    /// Write a short summary in Markdown to this new or empty file
    #[arg(long, value_name = "FILE")]
    pub(super) summary: Option<PathBuf>,
    #[command(flatten)]
    pub(super) print: PrintArgs,
}

#[derive(Debug, Args)]
pub(super) struct LabArgs {
    /// Services to start; redis-cluster is a Redis Cluster of several nodes, rabbitmq-cluster has
    /// three nodes, nginx is a load balancer over the ports 7001 and 7002
    #[arg(long, env = "SECKILL_WITH", value_name = "SERVICES")]
    #[arg(value_enum, value_delimiter = ',', default_value = "redis,rabbitmq")]
    pub(super) with: Vec<Engine>,
    /// Limit of open files of RabbitMQ, or of each node of its cluster; each connection needs one
    /// [default: the system's]
    #[arg(long, env = "SECKILL_BROKER_FILES", value_name = "N")]
    pub(super) broker_files: Option<Count>,
    /// Command to run, with SECKILL_QUEUE (RabbitMQ), SECKILL_STORE (Redis or its cluster) and
    /// SECKILL_TARGET (nginx) set; `seckill` stands for this program
    #[arg(last = true, value_name = "COMMAND")]
    pub(super) command: Vec<OsString>,
}

/// A service that `lab` starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Engine {
    Redis,
    RedisCluster,
    Rabbitmq,
    RabbitmqCluster,
    Nginx,
}

/// Flags of the server that --spawn starts
#[derive(Debug, Parser)]
#[command(name = "seckill serve", no_binary_name = true)]
pub(super) struct ServerFlags {
    #[command(flatten)]
    pub(super) flags: ServeFlags,
}

/// When to colour the output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Colour {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Colour {
    /// Whether to colour the output to `stream`.
    pub(super) fn on(self, stream: &impl IsTerminal) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            // By https://no-color.org, the variable counts if it is set and not empty.
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
