//! The flags of `seckill bench`.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use serde::{Deserialize, Serialize};

use crate::secret::Secret;
use crate::settings::{Buyers, Io, RetryOn};
use crate::units::{Count, Rate, Share, Span};

use super::super::fault::Fault;
use super::super::pay_after::PayAfter;
use super::super::workload::{Arrival, Stage, Think};

layered! {
    /// The flags of `seckill bench`: the load and the tested system.
    pub struct BenchFlags {
        /// URL of the tested server [default: http://127.0.0.1:7001]
        ///
        /// https:// needs a build with `--features tls`, and trusts the system's certificates, or
        /// instead those in the PEM file that SSL_CERT_FILE names
        #[arg(long, short = 't', env = "SECKILL_TARGET", value_name = "URL")]
        pub target: Option<String>,
        /// Description of a shop that is not `seckill serve`: its requests, what its answers mean,
        /// and where its orders are. `seckill sut init` writes one; a profile may hold it as well
        #[arg(long, env = "SECKILL_SUT", value_name = "FILE")]
        pub sut: Option<PathBuf>,
        /// Restore the stock of a described shop before the run, as its `[[reset]]` says
        #[arg(long, env = "SECKILL_RESET", num_args = 0..=1, require_equals = true,
              default_missing_value = "true", value_parser = BoolishValueParser::new(),
              value_name = "BOOL")]
        pub reset: Option<bool>,
        /// Trust the certificates in this PEM file instead of the system's, as curl does; a
        /// self-signed one of the server may be in it
        #[arg(long, env = "SECKILL_CACERT", value_name = "FILE")]
        pub cacert: Option<PathBuf>,
        /// Accept every certificate of an https:// target, whoever shows it
        #[arg(long, env = "SECKILL_INSECURE", num_args = 0..=1, require_equals = true,
              default_missing_value = "true", value_parser = BoolishValueParser::new(),
              value_name = "BOOL")]
        pub insecure: Option<bool>,
        /// Start a server for this run and stop it afterwards; flags after -- are passed to it
        #[arg(long, env = "SECKILL_SPAWN", num_args = 0..=1, require_equals = true,
              default_missing_value = "true", value_parser = BoolishValueParser::new(),
              value_name = "BOOL")]
        pub spawn: Option<bool>,
        /// Number of virtual users [default: 1]
        #[arg(long, short = 'c', visible_short_alias = 'n', env = "SECKILL_THREADS",
              value_name = "N")]
        pub threads: Option<Count>,
        /// Time over which the users start: user i of n at ramp × i / n [default: 0s]
        #[arg(long, env = "SECKILL_RAMP", value_name = "TIME")]
        pub ramp: Option<Span>,
        /// Number of attempts of each user [default: 1, or no limit with --duration]
        #[arg(long, env = "SECKILL_LOOPS", value_name = "N")]
        pub loops: Option<Count>,
        /// Begin no attempt after this time from the start of the run [default with --rate: 10s]
        #[arg(long, short = 'd', env = "SECKILL_DURATION", value_name = "TIME")]
        pub duration: Option<Span>,
        /// Pause of a user between an answer and its next attempt: 2s, uniform:1s..3s, or
        /// exponential:2s with a mean of 2 s [default: 0s]
        #[arg(long, env = "SECKILL_THINK", value_name = "TIME")]
        pub think: Option<Think>,
        /// Ramp linearly, within a time, to a number of threads (10s:350) or to a rate (10s:5k/s).
        /// Repeat the flag for further stages; the run ends with the last one. The first stage
        /// starts from --threads or --rate, or from 0
        #[arg(long, env = "SECKILL_STAGE", value_delimiter = ',', value_name = "TIME:LEVEL")]
        pub stage: Option<Vec<Stage>>,
        /// Attempts per second, independent of the answers to earlier attempts: the open model
        #[arg(long, short = 'r', env = "SECKILL_RATE", value_name = "N/s")]
        pub rate: Option<Rate>,
        /// Distribution of the attempts at a --rate [default: constant]
        #[arg(long, env = "SECKILL_ARRIVAL", value_enum, value_name = "constant|poisson")]
        pub arrival: Option<Arrival>,
        /// Maximum number of users, and so of connections, in the open model; an attempt for which
        /// no user is free waits for one [default: 10k, or fewer if the limit of open files is
        /// lower]
        #[arg(long, env = "SECKILL_MAX_THREADS", value_name = "N")]
        pub max_threads: Option<Count>,
        /// Open all connections beforehand, then start all users at the same instant
        #[arg(long, env = "SECKILL_STAMPEDE", num_args = 0..=1, require_equals = true,
              default_missing_value = "true", value_parser = BoolishValueParser::new(),
              value_name = "BOOL")]
        pub stampede: Option<bool>,
        /// Exclude the attempts of the first TIME from the figures; the audit includes them
        #[arg(long, env = "SECKILL_WARMUP", value_name = "TIME")]
        pub warmup: Option<Span>,
        /// Buyers: a new one for every attempt, one per thread, or N in total; with N:S, some click
        /// more often, by Zipf's law with exponent S [default: new]
        #[arg(long, env = "SECKILL_BUYERS", value_name = "new|thread|N[:S]")]
        pub buyers: Option<Buyers>,
        /// Buyers of a described shop: a CSV file with a header, whose columns are {{csv.NAME}} in
        /// its requests. Each virtual user is the buyer of its own row
        #[arg(long, env = "SECKILL_BUYERS_FROM", value_name = "FILE")]
        pub buyers_from: Option<PathBuf>,
        /// Share of the attempts that are sent as two simultaneous requests with the same request
        /// id [default: 0%]
        #[arg(long, env = "SECKILL_DOUBLE_CLICK", value_name = "P%")]
        pub double_click: Option<Share>,
        /// Maximum number of retries of an attempt, each with the same request id [default: 0]
        #[arg(long, env = "SECKILL_RETRY", value_name = "N")]
        pub retry: Option<Count>,
        /// Results after which an attempt is retried [default: 429,503,unknown]
        #[arg(long, env = "SECKILL_RETRY_ON", value_enum, value_delimiter = ',', num_args = 1..,
              hide_possible_values = true, value_name = "429|503|unknown|connect")]
        pub retry_on: Option<Vec<RetryOn>>,
        /// Pause before the first retry, doubled for each further one up to 10s; it is multiplied
        /// by a random factor from 0.5 to 1, and added to Retry-After [default: 100ms]
        #[arg(long, env = "SECKILL_RETRY_BACKOFF", value_name = "TIME")]
        pub retry_backoff: Option<Span>,
        /// Maximum number of retries as a share of the attempts, in addition to ten for each core
        /// [default: 20%]
        #[arg(long, env = "SECKILL_RETRY_BUDGET", value_name = "P%")]
        pub retry_budget: Option<Share>,
        /// Make each accepted buyer wait for the decision, and measure how long that takes
        #[arg(long, env = "SECKILL_FOLLOW", num_args = 0..=1, require_equals = true,
              default_missing_value = "true", value_parser = BoolishValueParser::new(),
              value_name = "BOOL")]
        pub follow: Option<bool>,
        /// Share of the won orders that their buyers pay for, at a sale that holds its orders
        /// (`serve --hold`); nobody pays for the others. Each accepted buyer waits for the decision
        /// then, as with --follow
        #[arg(long, env = "SECKILL_PAY", value_name = "P%")]
        pub pay: Option<Share>,
        /// Pause between the decision and the payment: 1s..30s, or 5s [default: 0s]
        #[arg(long, env = "SECKILL_PAY_AFTER", value_name = "TIME..TIME")]
        pub pay_after: Option<PayAfter>,
        /// Item to buy; required when several are on sale
        #[arg(long, env = "SECKILL_ITEM", value_name = "NAME")]
        pub item: Option<String>,
        /// Open a new connection for every attempt
        #[arg(long, env = "SECKILL_NO_KEEPALIVE", num_args = 0..=1, require_equals = true,
              default_missing_value = "true", value_parser = BoolishValueParser::new(),
              value_name = "BOOL")]
        pub no_keepalive: Option<bool>,
        /// How the load generator talks to the kernel; uring needs Linux 6.1 and an http:// target
        /// [default: uring where it can be used]
        #[arg(long, env = "SECKILL_IO", value_enum, hide_possible_values = true,
              value_name = "epoll|uring")]
        pub io: Option<Io>,
        /// Time-out for opening a connection [default: 5s]
        #[arg(long, env = "SECKILL_CONNECT_TIMEOUT", value_name = "TIME")]
        pub connect_timeout: Option<Span>,
        /// Time-out for an answer, once connected [default: 30s]
        #[arg(long, env = "SECKILL_TIMEOUT", value_name = "TIME")]
        pub timeout: Option<Span>,
        /// Maximum wait, after the run, until every accepted attempt is decided [default: 30s]
        #[arg(long, env = "SECKILL_SETTLE_TIMEOUT", value_name = "TIME")]
        pub settle_timeout: Option<Span>,
        /// Fail the run (exit code 99) if this holds after it: p99>50ms, accepted.p99>20ms,
        /// errors>0.1%, rate<2000/s, outcome.queue_full>5%, or p99>1.2x, a multiple of the
        /// --baseline. The condition describes a failure; a threshold of k6 describes a success.
        /// A figure that was not measured fails the run. May be repeated [default: errors>1%]
        #[arg(long, env = "SECKILL_FAIL_IF", value_delimiter = ',', value_name = "EXPR")]
        pub fail_if: Option<Vec<String>>,
        /// Stop sending if this holds during the run, evaluated once a second on the totals so far,
        /// from one second and 100 requests after the warm-up on; then audit and exit with 99. It
        /// takes errors, error.…, outcome.…, rate, lag and any latency but settle and payment. May
        /// be repeated
        #[arg(long, env = "SECKILL_ABORT_ON", value_delimiter = ',', value_name = "EXPR")]
        pub abort_on: Option<Vec<String>>,
        /// Break a part of the system during the load: 'at=5s for=10s what=broker do=blackhole'.
        /// `at` may be stock<50%. `what` is client, broker or store for connections, server,
        /// consumer, broker or store for a process, or disk. Without `for`, it lasts until the load
        /// ends. May be repeated; a profile has a table `[[fault]]` for each
        #[arg(long, env = "SECKILL_FAULT", value_delimiter = ',', value_name = "FAULT")]
        pub fault: Option<Vec<Fault>>,
        /// Break random parts, one after the other, until the --duration is over. The same seed
        /// breaks the same parts at the same times
        #[arg(long, env = "SECKILL_NEMESIS", value_parser = seed, value_name = "SEED")]
        pub nemesis: Option<u64>,
        /// Socket by which the processes of broker and store are reached; `seckill lab` sets it
        #[arg(long, env = "SECKILL_LAB", value_name = "SOCKET")]
        pub lab: Option<PathBuf>,
        /// Recorded run whose figures relative thresholds (p99>1.2x) are multiples of
        #[arg(long, env = "SECKILL_BASELINE", value_name = "DIR")]
        pub baseline: Option<PathBuf>,
        /// Largest share of requests without a usable answer: short for --fail-if 'errors>P%'
        #[arg(long, env = "SECKILL_MAX_ERRORS", value_name = "P%")]
        pub max_errors: Option<Share>,
        /// Open a fresh sale of the item with this stock before the run; needs the admin token
        ///
        /// SECKILL_STOCK is a variable of `serve` and does not do that
        #[arg(long, value_name = "N")]
        pub stock: Option<Count>,
        /// Stock that the sale must have been opened with; any other fails the audit
        #[arg(long, env = "SECKILL_EXPECT_STOCK", value_name = "N")]
        pub expect_stock: Option<Count>,
        /// Load only: read no ledger and no results, and come to no verdict
        #[arg(long, env = "SECKILL_NO_AUDIT", num_args = 0..=1, require_equals = true,
              default_missing_value = "true", value_parser = BoolishValueParser::new(),
              value_name = "BOOL")]
        pub no_audit: Option<bool>,
        /// Seed that reproduces the ids, arrivals and pauses of a run; the ids also depend on the
        /// sale [default: random, and reported]
        #[arg(long, env = "SECKILL_SEED", value_parser = seed, value_name = "N")]
        pub seed: Option<u64>,
        /// Admin token, with which the ledger is read [default: that in ./seckill-data/admin-token,
        /// for a target on this machine]
        #[arg(long, env = "SECKILL_ADMIN_TOKEN", hide_env_values = true, value_name = "TOKEN")]
        pub admin_token: Option<Secret>,
        /// Page of RabbitMQ's Prometheus plugin, from which the broker's connections are reported
        /// [`seckill lab` sets it]
        #[arg(long, env = "SECKILL_BROKER_METRICS", value_name = "URL")]
        pub broker_metrics: Option<String>,
        /// Record the run in this folder: run.json, the history, the ledgers, the histograms and
        /// the reports
        #[arg(long, short = 'o', env = "SECKILL_OUT", value_name = "DIR")]
        pub out: Option<PathBuf>,
        /// Write every request to this new or empty file, in JMeter's CSV format
        #[arg(long, short = 'l', env = "SECKILL_JTL", value_name = "FILE")]
        pub jtl: Option<PathBuf>,
        /// Write the report for people to this new or empty file: one HTML page that needs
        /// no script. --out writes it as well
        #[arg(long, env = "SECKILL_HTML", value_name = "FILE")]
        pub html: Option<PathBuf>,
        /// Write every invariant and every threshold as a test to this new or empty file,
        /// in JUnit's XML format. --out writes it as well
        #[arg(long, env = "SECKILL_JUNIT", value_name = "FILE")]
        pub junit: Option<PathBuf>,
        /// Write a short summary in Markdown to this new or empty file. --out writes it
        /// as well
        #[arg(long, env = "SECKILL_SUMMARY", value_name = "FILE")]
        pub summary: Option<PathBuf>,
        /// Print the full report: JMeter's table, all times, the histogram, CPU and memory, and the
        /// witnesses of what is broken
        #[arg(long, env = "SECKILL_FULL", num_args = 0..=1, require_equals = true,
              default_missing_value = "true", value_parser = BoolishValueParser::new(),
              value_name = "BOOL")]
        pub full: Option<bool>,
        /// Print the result as JSON
        #[arg(long, env = "SECKILL_JSON", num_args = 0..=1, require_equals = true,
              default_missing_value = "true", value_parser = BoolishValueParser::new(),
              value_name = "BOOL")]
        pub json: Option<bool>,
        /// Print only the verdict, after the thresholds that were crossed
        #[arg(long, short = 'q', env = "SECKILL_QUIET", num_args = 0..=1, require_equals = true,
              default_missing_value = "true", value_parser = BoolishValueParser::new(),
              value_name = "BOOL")]
        pub quiet: Option<bool>,
    }
}

fn seed(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no seed: write a whole number from 0, such as 42");
    text.parse().map_err(|_| wrong())
}
