//! The plan of a run. Every check of the flags happens here, before anything is started.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::ItemId;
use crate::settings::{Buyers, Io, RetryOn};
use crate::units::{Share, optional_span, span};

use super::check::{FlagError, check_token, invalid, refuse, time, timeout, too_long};
use super::fault::{self, Fault};
use super::flags::BenchFlags;
use super::levels::Levels;
use super::model::{Checked, Model, is_open, model};
use super::pay::Pay;
use super::workload::{Level, Stage};

/// Maximum number of retries of one attempt.
const RETRIES_MAX: u64 = 100;

/// Longest pause before the first retry.
const BACKOFF_MAX: Duration = Duration::from_secs(10);

/// Maximum number of thresholds of one flag: more than there are metrics.
const THRESHOLDS_MAX: usize = 200;

/// A checked plan of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The load model.
    #[serde(flatten)]
    pub model: Model,
    /// Maximum number of virtual users; at least 1.
    pub threads: u64,
    /// No attempt begins after this time.
    #[serde(with = "optional_span")]
    pub duration: Option<Duration>,
    /// Attempts that are due within this time are excluded from the figures.
    #[serde(with = "span")]
    pub warmup: Duration,
    /// How buyers are assigned to attempts.
    pub buyers: Buyers,
    /// Share of the attempts that are sent as two simultaneous requests.
    pub double_click: Share,
    /// The retries.
    pub retry: Retry,
    /// Whether each accepted buyer waits for the decision.
    pub follow: bool,
    /// The buyers who pay for their orders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay: Option<Pay>,
    /// The item to buy; `None` if no flag names one.
    pub item: Option<ItemId>,
    /// Whether a user keeps its connection for its next attempt.
    pub keepalive: bool,
    /// How the load generator talks to the kernel.
    #[serde(default)]
    pub io: Io,
    /// Time-out for opening a connection.
    #[serde(with = "span")]
    pub connect_timeout: Duration,
    /// Time-out for an answer, once connected.
    #[serde(with = "span")]
    pub timeout: Duration,
    /// Maximum wait, after the run, until every accepted attempt is decided.
    #[serde(with = "span")]
    pub settle_timeout: Duration,
    /// Largest share of requests without a usable answer, if a flag names one.
    #[serde(default)]
    pub max_errors: Option<Share>,
    /// Conditions that mean the failure of the run, as they were given.
    #[serde(default)]
    pub fail_if: Vec<String>,
    /// Conditions that end the load, as they were given.
    #[serde(default)]
    pub abort_on: Vec<String>,
    /// What breaks during the load, as it was given.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// The seed of further faults, if random ones are drawn.
    #[serde(default)]
    pub nemesis: Option<u64>,
    /// The stock of the fresh sale that is opened before the run, if one is.
    #[serde(default)]
    pub stock: Option<u64>,
    /// The stock that the sale must have been opened with, if that was said.
    #[serde(default)]
    pub expect_stock: Option<u64>,
    /// Whether the stock of a described shop is restored before the run.
    #[serde(default)]
    pub reset: bool,
    /// The file of a described shop's buyers.
    #[serde(default)]
    pub buyers_from: Option<PathBuf>,
    /// The folder of the recorded run that relative thresholds refer to, as it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<String>,
    /// Whether nothing is read for an audit.
    #[serde(default)]
    pub no_audit: bool,
    /// Whether every certificate of the tested system is accepted.
    #[serde(default)]
    pub insecure: bool,
    /// The seed of buyers, request ids, arrivals and pauses.
    pub seed: u64,
}

/// When and how often an attempt is sent again, with the same request id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Retry {
    /// Maximum number of retries of one attempt.
    pub max: u64,
    /// The results after which an attempt is retried.
    pub on: Vec<RetryOn>,
    /// Pause before the first retry; doubled for each further one.
    #[serde(with = "span")]
    pub backoff: Duration,
    /// Maximum number of retries as a share of the attempts.
    pub budget: Share,
}

impl Plan {
    /// Checks flags; `random_seed` is used if they give no seed.
    ///
    /// # Errors
    /// The first invalid flag.
    pub fn new(flags: &BenchFlags, random_seed: u64) -> Result<Self, FlagError> {
        if flags.spawn == Some(true) && flags.target.is_some() {
            return Err(invalid("target", "--spawn starts its own server: leave one out"));
        }
        check_token(flags.admin_token.as_ref())?;
        let Checked { model, threads, duration } = model(flags)?;
        let warmup = time("warmup", flags.warmup)?.unwrap_or_default();
        if duration.is_some_and(|duration| warmup >= duration) {
            return Err(invalid(
                "warmup",
                "must be shorter than the run, or nothing would be measured",
            ));
        }
        let item = flags.item.as_deref().map(str::parse::<ItemId>).transpose();
        Ok(Self {
            model,
            threads,
            duration,
            warmup,
            buyers: flags.buyers.unwrap_or(Buyers::New),
            double_click: flags.double_click.unwrap_or_default(),
            retry: retry(flags)?,
            follow: flags.follow.unwrap_or(false) || flags.pay.is_some(),
            pay: Pay::new(flags)?,
            item: item.map_err(|error| invalid("item", error.to_string()))?,
            keepalive: !flags.no_keepalive.unwrap_or(false),
            io: flags.io.unwrap_or_default(),
            connect_timeout: timeout("connect-timeout", flags.connect_timeout, 5)?,
            timeout: timeout("timeout", flags.timeout, 30)?,
            settle_timeout: timeout("settle-timeout", flags.settle_timeout, 30)?,
            max_errors: flags.max_errors,
            fail_if: thresholds("fail-if", flags.fail_if.as_deref())?,
            abort_on: thresholds("abort-on", flags.abort_on.as_deref())?,
            faults: fault::check(flags, duration)?,
            nemesis: flags.nemesis,
            stock: stock(flags)?,
            expect_stock: flags.expect_stock.map(|count| count.0),
            reset: flags.reset == Some(true),
            buyers_from: flags.buyers_from.clone(),
            baseline: flags.baseline.as_ref().map(|folder| folder.display().to_string()),
            no_audit: flags.no_audit.unwrap_or(false),
            insecure: flags.insecure.unwrap_or(false),
            seed: flags.seed.unwrap_or(random_seed),
        })
    }

    /// Whether these flags select the open model.
    pub fn is_open(flags: &BenchFlags) -> bool {
        is_open(flags)
    }

    /// The number of users over time; 0 in the open model, which adds users on demand.
    pub fn users(&self) -> Levels {
        match &self.model {
            Model::Closed { ramp, stages, .. } if stages.is_empty() => {
                Levels::new(0.0, [(*ramp, self.threads as f64)])
            }
            Model::Closed { users_at_start, stages, .. } => levels(*users_at_start, stages),
            Model::Open { .. } => Levels::new(0.0, []),
        }
    }

    /// Attempts per second over time; `None` in the closed model.
    pub fn rate(&self) -> Option<Levels> {
        match &self.model {
            Model::Open { rate_at_start, stages, .. } => Some(levels(*rate_at_start, stages)),
            Model::Closed { .. } => None,
        }
    }

    /// Connections that each user may have, if this share of the attempts is a double click.
    pub fn connections_each(double_click: Share) -> u64 {
        if double_click == Share::default() { 1 } else { 2 }
    }

    /// Maximum number of connections.
    pub fn connections(&self) -> u64 {
        self.threads.saturating_mul(Self::connections_each(self.double_click))
    }
}

/// The stock of the fresh sale, checked against the flags that contradict it.
fn stock(flags: &BenchFlags) -> Result<Option<u64>, FlagError> {
    let (stock, expected) = (flags.stock.map(|count| count.0), flags.expect_stock);
    if stock.is_some_and(|stock| stock > u64::from(u32::MAX)) {
        return Err(invalid("stock", format!("is over {}", u32::MAX)));
    }
    let contradicts = expected.is_some_and(|expected| stock.is_some_and(|n| n != expected.0));
    refuse(&[
        ("expect-stock", contradicts, "contradicts --stock, which opens the sale: leave it out"),
        (
            "expect-stock",
            expected.is_some() && flags.no_audit == Some(true),
            "is checked by the audit: leave out --no-audit",
        ),
    ])?;
    Ok(stock)
}

/// Checks the number of thresholds; the judge reads them.
fn thresholds(flag: &'static str, given: Option<&[String]>) -> Result<Vec<String>, FlagError> {
    let given = given.unwrap_or_default();
    match given.len() {
        0..=THRESHOLDS_MAX => Ok(given.to_vec()),
        count => Err(invalid(flag, format!("{count} are over {THRESHOLDS_MAX}"))),
    }
}

fn levels(start: u64, stages: &[Stage]) -> Levels {
    let reached = |level: Level| match level {
        Level::Threads(level) | Level::PerSecond(level) => level as f64,
    };
    Levels::new(start as f64, stages.iter().map(|stage| (stage.over, reached(stage.to))))
}

fn retry(flags: &BenchFlags) -> Result<Retry, FlagError> {
    let max = flags.retry.map_or(0, |count| count.0);
    if max > RETRIES_MAX {
        return Err(invalid("retry", format!("{max} is over {RETRIES_MAX}")));
    }
    let without = "configures retries: add --retry N";
    refuse(&[
        ("retry-on", max == 0 && flags.retry_on.is_some(), without),
        ("retry-backoff", max == 0 && flags.retry_backoff.is_some(), without),
        ("retry-budget", max == 0 && flags.retry_budget.is_some(), without),
    ])?;
    let backoff = flags.retry_backoff.map_or(Duration::from_millis(100), |span| span.0);
    if backoff > BACKOFF_MAX {
        return Err(too_long("retry-backoff", backoff, BACKOFF_MAX));
    }
    let default_causes = [RetryOn::RateLimited, RetryOn::Unavailable, RetryOn::Unknown];
    let on = flags.retry_on.clone().unwrap_or_else(|| default_causes.to_vec());
    Ok(Retry { max, on, backoff, budget: flags.retry_budget.unwrap_or(Share::percent(20)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Count;

    fn loops(plan: &Plan) -> Option<u64> {
        match plan.model {
            Model::Closed { loops, .. } => loops,
            Model::Open { .. } => panic!("an open model"),
        }
    }

    #[test]
    fn loops_default_to_one_unless_a_duration_is_given() {
        let plan = Plan::new(&BenchFlags::default(), 1).unwrap();
        assert_eq!((loops(&plan), plan.duration, plan.threads), (Some(1), None, 1));
        let flags = BenchFlags { duration: "5s".parse().ok(), ..BenchFlags::default() };
        assert_eq!(loops(&Plan::new(&flags, 1).unwrap()), None);
    }

    #[test]
    fn stages_lead_to_threads_or_to_rates() {
        let stages = |stages: &[&str]| {
            let stage = stages.iter().map(|stage| stage.parse().unwrap()).collect();
            Plan::new(&BenchFlags { stage: Some(stage), ..BenchFlags::default() }, 1)
        };
        let closed = stages(&["10s:350", "5s:0"]).unwrap();
        assert_eq!((closed.threads, closed.duration), (350, Some(Duration::from_secs(15))));
        let open = stages(&["10s:5k/s", "5s:0/s"]).unwrap();
        assert!(matches!(open.model, Model::Open { rate_max: 5_000, .. }));
        for bad in [&["10s:350", "5s:5/s"][..], &["0s:350"], &["10s:0"], &["10s:0/s"]] {
            let error = stages(bad).unwrap_err();
            assert_eq!(error.flag, "stage", "{bad:?}: {error}");
        }
    }

    #[test]
    fn error_names_the_flag() {
        let count = |n| Some(Count(n));
        let rate = || BenchFlags { rate: "5/s".parse().ok(), ..BenchFlags::default() };
        let cases = [
            (BenchFlags { threads: count(0), ..BenchFlags::default() }, "--threads"),
            (BenchFlags { timeout: "0s".parse().ok(), ..BenchFlags::default() }, "--timeout"),
            (BenchFlags { ramp: "30days".parse().ok(), ..BenchFlags::default() }, "--ramp"),
            (BenchFlags { item: Some("a b".into()), ..BenchFlags::default() }, "--item"),
            (BenchFlags { max_threads: count(1), ..BenchFlags::default() }, "--max-threads"),
            (BenchFlags { retry_on: Some(vec![]), ..BenchFlags::default() }, "--retry-on"),
            (BenchFlags { threads: count(5), ..rate() }, "--threads: with a rate"),
            (BenchFlags { loops: count(5), ..rate() }, "--loops"),
            (BenchFlags { buyers: Some(Buyers::Thread), ..rate() }, "--buyers"),
            (BenchFlags { warmup: "10s".parse().ok(), ..rate() }, "--warmup"),
            (
                BenchFlags {
                    stampede: Some(true),
                    ramp: "1s".parse().ok(),
                    ..BenchFlags::default()
                },
                "--ramp",
            ),
        ];
        for (flags, named) in cases {
            let error = Plan::new(&flags, 1).unwrap_err().to_string();
            assert!(error.starts_with(named), "{error}");
        }
    }
}
