//! The plan: every check of what was asked happens here, before anything is started.

use std::time::Duration;

use serde::Serialize;

use crate::ids::ItemId;
use crate::settings::RetryOn;
use crate::units::{Count, Share, Span};

use crate::settings::Buyers;

use super::{Arrival, BenchFlags, Level, Levels, Stage, Think};

/// Most virtual users: far above what one machine's ports allow to one address.
const THREADS_MAX: u64 = 1 << 20;

/// Users of the open model at the most, when nobody says.
pub const MAX_THREADS_DEFAULT: u64 = 10_000;

/// Most attempts a second: far above what one machine can send.
const RATE_MAX: u64 = 10_000_000;

/// Most stages.
const STAGES_MAX: usize = 1_000;

/// How long the open model goes on, when nobody says.
const OPEN_DURATION_DEFAULT: Duration = Duration::from_secs(10);

/// Longest time-out, so that every latency is told apart in the histograms.
const TIMEOUT_MAX: Duration = Duration::from_secs(300);

/// Longest ramp, duration and think time.
const TIME_MAX: Duration = Duration::from_secs(7 * 24 * 3600);

/// Most attempts of one user: request ids count them in 36 bits.
const LOOPS_MAX: u64 = 1 << 36;

/// Most retries of one attempt, and the longest pause before the first one.
const RETRIES_MAX: u64 = 100;
const BACKOFF_MAX: Duration = Duration::from_secs(10);

/// What is to be run, checked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// How the attempts come.
    #[serde(flatten)]
    pub model: Model,
    /// Virtual users at the most; at least 1.
    pub threads: u64,
    /// No attempt is to begin after this time.
    #[serde(serialize_with = "optional_span")]
    pub duration: Option<Duration>,
    /// Attempts that were to begin within this time are left out of the figures.
    #[serde(serialize_with = "span")]
    pub warmup: Duration,
    /// Who buys.
    pub buyers: Buyers,
    /// Share of the attempts that are sent twice at once.
    #[serde(serialize_with = "share")]
    pub double_click: Share,
    /// What a buyer does about a refusal.
    pub retry: Retry,
    /// Whether each accepted buyer waits for the decision.
    pub follow: bool,
    /// What, if it was said.
    #[serde(serialize_with = "item")]
    pub item: Option<ItemId>,
    /// Whether a user keeps its connection.
    pub keepalive: bool,
    /// Longest time for a connection to open.
    #[serde(serialize_with = "span")]
    pub connect_timeout: Duration,
    /// Longest time for an answer, once connected.
    #[serde(serialize_with = "span")]
    pub timeout: Duration,
    /// Longest wait until all that was accepted is decided.
    #[serde(serialize_with = "span")]
    pub settle_timeout: Duration,
    /// What buyers, request ids, arrivals and pauses are made from.
    pub seed: u64,
}

/// How the attempts come.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "model", rename_all = "lowercase")]
pub enum Model {
    /// Each user makes one attempt after the other, each after the answer to the one before.
    Closed {
        /// Time over which the users start, where there are no stages.
        #[serde(serialize_with = "span")]
        ramp: Duration,
        /// How many users there are, as it was given.
        stages: Vec<Stage>,
        /// How many users there are.
        #[serde(skip)]
        users: Levels,
        /// Attempts of each; no limit when `None`.
        loops: Option<u64>,
        /// Pause between an answer and the next attempt.
        think: Think,
        /// Whether all connections are opened before the first attempt.
        stampede: bool,
    },
    /// Attempts come by the clock; whichever user is free makes them.
    Open {
        /// How they come.
        arrival: Arrival,
        /// How many come in a second at the most.
        #[serde(rename = "rate_max")]
        highest: u64,
        /// How many come in a second, as it was given.
        stages: Vec<Stage>,
        /// How many come in a second.
        #[serde(skip)]
        rate: Levels,
    },
}

/// When and how often an attempt is sent again, with the same request id.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Retry {
    /// How often at the most.
    pub max: u64,
    /// After what.
    pub on: Vec<RetryOn>,
    /// Pause before the first retry; doubled for each further one.
    #[serde(serialize_with = "span")]
    pub backoff: Duration,
    /// Retries as a share of the attempts.
    #[serde(serialize_with = "share")]
    pub budget: Share,
}

/// What is wrong with what was asked, by flag, with the cure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("--{flag}: {problem}")]
pub struct FlagError {
    /// The flag, without its dashes.
    pub flag: &'static str,
    /// What is wrong, and what would be right.
    pub problem: String,
}

impl FlagError {
    /// Something is wrong with a flag.
    pub fn new(flag: &'static str, problem: impl Into<String>) -> Self {
        Self { flag, problem: problem.into() }
    }
}

fn wrong(flag: &'static str, problem: impl Into<String>) -> FlagError {
    FlagError::new(flag, problem)
}

impl Plan {
    /// Checks flags; `random_seed` is used where none was given.
    ///
    /// # Errors
    /// The first flag that is wrong.
    pub fn new(flags: &BenchFlags, random_seed: u64) -> Result<Self, FlagError> {
        if flags.spawn == Some(true) && flags.target.is_some() {
            return Err(wrong("spawn", "starts a server of its own: leave out --target"));
        }
        let (model, duration) = model(flags)?;
        let threads = match &model {
            Model::Closed { users, .. } => users.highest() as u64,
            Model::Open { .. } => {
                count("max-threads", flags.max_threads, THREADS_MAX)?.unwrap_or(MAX_THREADS_DEFAULT)
            }
        };
        let warmup = time("warmup", flags.warmup)?.unwrap_or_default();
        if duration.is_some_and(|duration| warmup >= duration) {
            return Err(wrong("warmup", "must be shorter than the run: nothing would be left"));
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
            follow: flags.follow.unwrap_or(false),
            item: item.map_err(|error| wrong("item", error.to_string()))?,
            keepalive: !flags.no_keepalive.unwrap_or(false),
            connect_timeout: timeout("connect-timeout", flags.connect_timeout, 5)?,
            timeout: timeout("timeout", flags.timeout, 30)?,
            settle_timeout: timeout("settle-timeout", flags.settle_timeout, 30)?,
            seed: flags.seed.unwrap_or(random_seed),
        })
    }

    /// Whether these flags ask for the open model.
    pub fn is_open(flags: &BenchFlags) -> bool {
        let is_rate = |stage: &Stage| matches!(stage.to, Level::PerSecond(_));
        flags.rate.is_some() || flags.stage.iter().flatten().any(is_rate)
    }

    /// Connections that each user may have, when such a share clicks twice.
    pub fn connections_each(double_click: Share) -> u64 {
        if double_click == Share::default() { 1 } else { 2 }
    }

    /// Connections at the most.
    pub fn connections(&self) -> u64 {
        self.threads.saturating_mul(Self::connections_each(self.double_click))
    }
}

fn count(flag: &'static str, given: Option<Count>, max: u64) -> Result<Option<u64>, FlagError> {
    match given {
        Some(Count(0)) => Err(wrong(flag, "must be at least 1")),
        Some(Count(n)) if n > max => Err(wrong(flag, format!("{n} is over {max}"))),
        given => Ok(given.map(|count| count.0)),
    }
}

fn time(flag: &'static str, given: Option<Span>) -> Result<Option<Duration>, FlagError> {
    match given {
        Some(Span(time)) if time > TIME_MAX => Err(too_long(flag, time, TIME_MAX)),
        given => Ok(given.map(|span| span.0)),
    }
}

fn too_long(flag: &'static str, time: Duration, max: Duration) -> FlagError {
    wrong(flag, format!("{} is over {}", Span(time), Span(max)))
}

fn timeout(flag: &'static str, given: Option<Span>, default_s: u64) -> Result<Duration, FlagError> {
    match given.map_or(Duration::from_secs(default_s), |span| span.0) {
        Duration::ZERO => Err(wrong(flag, "must be above 0")),
        time if time > TIMEOUT_MAX => Err(too_long(flag, time, TIMEOUT_MAX)),
        time => Ok(time),
    }
}

/// How the attempts come, and for how long.
fn model(flags: &BenchFlags) -> Result<(Model, Option<Duration>), FlagError> {
    let stages = flags.stage.clone().unwrap_or_default();
    let levels = stages.iter().map(|stage| (stage.over, stage.to));
    let rates = levels.clone().filter_map(|(over, level)| match level {
        Level::PerSecond(rate) => Some((over, rate)),
        Level::Threads(_) => None,
    });
    let threads = levels.filter_map(|(over, level)| match level {
        Level::Threads(threads) => Some((over, threads)),
        Level::PerSecond(_) => None,
    });
    let (rates, threads): (Vec<_>, Vec<_>) = (rates.collect(), threads.collect());
    let duration = match time("duration", flags.duration)? {
        Some(Duration::ZERO) => return Err(wrong("duration", "must be above 0")),
        Some(_) if !stages.is_empty() => {
            return Err(wrong("duration", "the stages say how long the run is: leave it out"));
        }
        duration => duration,
    };
    let length = stages.iter().fold(Duration::ZERO, |sum, stage| sum.saturating_add(stage.over));
    if stages.len() > STAGES_MAX {
        return Err(wrong("stage", format!("{} are over {STAGES_MAX}", stages.len())));
    } else if length > TIME_MAX {
        return Err(too_long("stage", length, TIME_MAX));
    } else if length.is_zero() && !stages.is_empty() {
        return Err(wrong("stage", "all together must last longer than 0"));
    } else if !rates.is_empty() && !threads.is_empty() {
        return Err(wrong(
            "stage",
            "either all lead to threads (10s:350) or all to rates (10s:5k/s)",
        ));
    }
    let duration = if stages.is_empty() { duration } else { Some(length) };
    if Plan::is_open(flags) {
        let duration = duration.unwrap_or(OPEN_DURATION_DEFAULT);
        if flags.rate.is_some() && !threads.is_empty() {
            return Err(wrong("stage", "with --rate it must lead to a rate, such as 10s:5k/s"));
        }
        Ok((open(flags, stages, rates)?, Some(duration)))
    } else {
        Ok((closed(flags, stages, threads, duration)?, duration))
    }
}

fn open(
    flags: &BenchFlags,
    stages: Vec<Stage>,
    rates: Vec<(Duration, u64)>,
) -> Result<Model, FlagError> {
    let closed_only = [
        ("threads", flags.threads.is_some(), "with a rate it is --max-threads"),
        ("ramp", flags.ramp.is_some(), "with a rate it is --stage, such as --stage 10s:5k/s"),
        ("loops", flags.loops.is_some(), "with a rate it is --duration that ends the run"),
        ("think", flags.think.is_some(), "with a rate nobody waits for an answer: leave it out"),
        ("stampede", flags.stampede == Some(true), "lets threads loose, not a rate: leave out one"),
        (
            "buyers",
            flags.buyers == Some(Buyers::Thread),
            "with a rate any thread makes any attempt: give a number of buyers",
        ),
    ];
    refuse(&closed_only)?;
    let start = flags.rate.map_or(0, |rate| rate.per_second);
    let rate = Levels::new(start as f64, rates.iter().map(|(over, to)| (*over, *to as f64)));
    let highest = rate.highest() as u64;
    let flag = if rates.is_empty() { "rate" } else { "stage" };
    match highest {
        0 => Err(wrong(flag, "must lead to more than 0/s")),
        1..=RATE_MAX => {
            let arrival = flags.arrival.unwrap_or_default();
            Ok(Model::Open { arrival, highest, stages, rate })
        }
        _ => Err(wrong(flag, format!("{highest}/s is over {RATE_MAX}/s"))),
    }
}

fn closed(
    flags: &BenchFlags,
    stages: Vec<Stage>,
    threads: Vec<(Duration, u64)>,
    duration: Option<Duration>,
) -> Result<Model, FlagError> {
    let stampede = flags.stampede.unwrap_or(false);
    let ramp = time("ramp", flags.ramp)?;
    refuse(&[
        ("arrival", flags.arrival.is_some(), "says how attempts come at a --rate: add that"),
        ("max-threads", flags.max_threads.is_some(), "bounds a --rate: without, it is --threads"),
        ("ramp", ramp.is_some() && !stages.is_empty(), "the stages are the ramp: leave out one"),
        (
            "ramp",
            ramp.is_some_and(|r| !r.is_zero()) && stampede,
            "a stampede has none: leave it out",
        ),
        ("stage", stampede && !stages.is_empty(), "a stampede has none: leave it out"),
    ])?;
    let given = count("threads", flags.threads, THREADS_MAX)?;
    let (ramp, users) = if stages.is_empty() {
        let (ramp, threads) = (ramp.unwrap_or_default(), given.unwrap_or(1));
        (ramp, Levels::new(0.0, [(ramp, threads as f64)]))
    } else {
        let levels = threads.iter().map(|(over, to)| (*over, *to as f64));
        (Duration::ZERO, Levels::new(given.unwrap_or(0) as f64, levels))
    };
    match users.highest() as u64 {
        0 => return Err(wrong("stage", "must lead to at least 1 thread")),
        threads if threads > THREADS_MAX => {
            return Err(wrong("stage", format!("{threads} is over {THREADS_MAX}")));
        }
        _ => {}
    }
    let think = flags.think.unwrap_or_default();
    time("think", Some(Span(think.longest())))?;
    let loops = count("loops", flags.loops, LOOPS_MAX)?;
    let loops = if duration.is_none() { loops.or(Some(1)) } else { loops };
    Ok(Model::Closed { ramp, stages, users, loops, think, stampede })
}

/// The first flag that was given and does not fit.
fn refuse(flags: &[(&'static str, bool, &str)]) -> Result<(), FlagError> {
    match flags.iter().find(|(_, given, _)| *given) {
        Some((flag, _, problem)) => Err(wrong(flag, *problem)),
        None => Ok(()),
    }
}

fn retry(flags: &BenchFlags) -> Result<Retry, FlagError> {
    let max = flags.retry.map_or(0, |count| count.0);
    if max > RETRIES_MAX {
        return Err(wrong("retry", format!("{max} is over {RETRIES_MAX}")));
    }
    let without = "says how to retry: add --retry N";
    refuse(&[
        ("retry-on", max == 0 && flags.retry_on.is_some(), without),
        ("retry-backoff", max == 0 && flags.retry_backoff.is_some(), without),
        ("retry-budget", max == 0 && flags.retry_budget.is_some(), without),
    ])?;
    let backoff = flags.retry_backoff.map_or(Duration::from_millis(100), |span| span.0);
    if backoff > BACKOFF_MAX {
        return Err(too_long("retry-backoff", backoff, BACKOFF_MAX));
    }
    let usual = [RetryOn::RateLimited, RetryOn::Unavailable, RetryOn::Unknown];
    let on = flags.retry_on.clone().unwrap_or(usual.to_vec());
    Ok(Retry { max, on, backoff, budget: flags.retry_budget.unwrap_or(Share::percent(20)) })
}

fn span<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    Span(*time).serialize(serializer)
}

fn optional_span<S: serde::Serializer>(
    time: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    time.map(Span).serialize(serializer)
}

fn share<S: serde::Serializer>(share: &Share, serializer: S) -> Result<S::Ok, S::Error> {
    share.serialize(serializer)
}

fn item<S: serde::Serializer>(item: &Option<ItemId>, serializer: S) -> Result<S::Ok, S::Error> {
    item.as_ref().map(ItemId::as_str).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loops(plan: &Plan) -> Option<u64> {
        match plan.model {
            Model::Closed { loops, .. } => loops,
            Model::Open { .. } => panic!("an open model"),
        }
    }

    #[test]
    fn loops_are_one_unless_a_duration_is_given() {
        let plan = Plan::new(&BenchFlags::default(), 1).unwrap();
        assert_eq!((loops(&plan), plan.duration, plan.threads), (Some(1), None, 1));
        let flags = BenchFlags { duration: "5s".parse().ok(), ..BenchFlags::default() };
        assert_eq!(loops(&Plan::new(&flags, 1).unwrap()), None);
    }

    #[test]
    fn stages_are_of_threads_or_of_rates() {
        let stages = |stages: &[&str]| {
            let stage = stages.iter().map(|stage| stage.parse().unwrap()).collect();
            Plan::new(&BenchFlags { stage: Some(stage), ..BenchFlags::default() }, 1)
        };
        let closed = stages(&["10s:350", "5s:0"]).unwrap();
        assert_eq!((closed.threads, closed.duration), (350, Some(Duration::from_secs(15))));
        let open = stages(&["10s:5k/s", "5s:0/s"]).unwrap();
        assert!(matches!(open.model, Model::Open { highest: 5_000, .. }));
        for bad in [&["10s:350", "5s:5/s"][..], &["0s:350"], &["10s:0"], &["10s:0/s"]] {
            let error = stages(bad).unwrap_err();
            assert_eq!(error.flag, "stage", "{bad:?}: {error}");
        }
    }

    #[test]
    fn a_wrong_flag_is_named() {
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
