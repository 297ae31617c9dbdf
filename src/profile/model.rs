//! The load model of a plan, closed or open, and the checks of its flags.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::settings::Buyers;
use crate::units::{Span, span};

use super::check::{FlagError, TIME_MAX, count, invalid, refuse, time, too_long};
use super::flags::BenchFlags;
use super::workload::{Arrival, Level, Stage, Think};

/// Maximum number of virtual users: far above the number of ports of one machine.
const THREADS_MAX: u64 = 1 << 20;

/// The default of `--max-threads`.
pub const MAX_THREADS_DEFAULT: u64 = 10_000;

/// Maximum number of attempts per second: far above the capacity of one machine.
const RATE_MAX: u64 = 10_000_000;

/// Maximum number of stages.
const STAGES_MAX: usize = 1_000;

/// The default duration of a run of the open model.
const OPEN_DURATION_DEFAULT: Duration = Duration::from_secs(10);

/// Maximum number of attempts of one user: request ids count them in 36 bits.
const LOOPS_MAX: u64 = 1 << 36;

/// The load model: what determines when attempts begin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "model", rename_all = "lowercase")]
pub enum Model {
    /// The closed model: each user makes its next attempt after the answer to the previous one.
    Closed {
        /// Time over which the users start, where there are no stages.
        #[serde(with = "span")]
        ramp: Duration,
        /// Users at the start, where there are stages.
        #[serde(default)]
        users_at_start: u64,
        /// The number of users over time.
        stages: Vec<Stage>,
        /// Attempts of each user; no limit when `None`.
        loops: Option<u64>,
        /// Pause between an answer and the next attempt.
        think: Think,
        /// Whether all connections are opened before the first attempt.
        stampede: bool,
    },
    /// The open model: attempts begin at scheduled moments, and any free user makes them.
    Open {
        /// The distribution of the attempts.
        arrival: Arrival,
        /// The highest rate, in attempts per second.
        rate_max: u64,
        /// Attempts per second at the start.
        #[serde(default)]
        rate_at_start: u64,
        /// Attempts per second over time.
        stages: Vec<Stage>,
    },
}

/// A checked model.
pub(super) struct Checked {
    pub(super) model: Model,
    /// Maximum number of virtual users; at least 1.
    pub(super) threads: u64,
    pub(super) duration: Option<Duration>,
}

/// Whether these flags select the open model.
pub(super) fn is_open(flags: &BenchFlags) -> bool {
    let is_rate = |stage: &Stage| matches!(stage.to, Level::PerSecond(_));
    flags.rate.is_some() || flags.stage.iter().flatten().any(is_rate)
}

/// Checks the load model and the duration of the run.
pub(super) fn model(flags: &BenchFlags) -> Result<Checked, FlagError> {
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
        Some(Duration::ZERO) => return Err(invalid("duration", "must be above 0")),
        Some(_) if !stages.is_empty() => {
            return Err(invalid("duration", "the stages say how long the run is: leave it out"));
        }
        duration => duration,
    };
    let length = stages.iter().fold(Duration::ZERO, |sum, stage| sum.saturating_add(stage.over));
    if stages.len() > STAGES_MAX {
        return Err(invalid("stage", format!("{} are over {STAGES_MAX}", stages.len())));
    } else if length > TIME_MAX {
        return Err(too_long("stage", length, TIME_MAX));
    } else if length.is_zero() && !stages.is_empty() {
        return Err(invalid("stage", "all together must last longer than 0"));
    } else if !rates.is_empty() && !threads.is_empty() {
        return Err(invalid(
            "stage",
            "either all lead to threads (10s:350) or all to rates (10s:5k/s)",
        ));
    }
    let duration = if stages.is_empty() { duration } else { Some(length) };
    if is_open(flags) {
        let duration = duration.unwrap_or(OPEN_DURATION_DEFAULT);
        if flags.rate.is_some() && !threads.is_empty() {
            return Err(invalid("stage", "with --rate it must lead to a rate, such as 10s:5k/s"));
        }
        let threads = count("max-threads", flags.max_threads, THREADS_MAX)?;
        let threads = threads.unwrap_or(MAX_THREADS_DEFAULT);
        let model = open(flags, stages, rates)?;
        Ok(Checked { model, threads, duration: Some(duration) })
    } else {
        let (model, threads) = closed(flags, stages, threads, duration)?;
        Ok(Checked { model, threads, duration })
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
        (
            "think",
            flags.think.is_some(),
            "has no effect with a rate, at which users do not pause: leave it out",
        ),
        ("stampede", flags.stampede == Some(true), "starts threads and not a rate: leave out one"),
        (
            "buyers",
            flags.buyers == Some(Buyers::Thread),
            "with a rate any thread makes any attempt: give a number of buyers",
        ),
    ];
    refuse(&closed_only)?;
    let rate_at_start = flags.rate.map_or(0, |rate| rate.per_second);
    let rate_max = rates.iter().map(|(_, to)| *to).fold(rate_at_start, u64::max);
    let flag = if rates.is_empty() { "rate" } else { "stage" };
    match rate_max {
        0 => Err(invalid(flag, "must lead to more than 0/s")),
        1..=RATE_MAX => {
            let arrival = flags.arrival.unwrap_or_default();
            Ok(Model::Open { arrival, rate_max, rate_at_start, stages })
        }
        _ => Err(invalid(flag, format!("{rate_max}/s is over {RATE_MAX}/s"))),
    }
}

fn closed(
    flags: &BenchFlags,
    stages: Vec<Stage>,
    threads: Vec<(Duration, u64)>,
    duration: Option<Duration>,
) -> Result<(Model, u64), FlagError> {
    let stampede = flags.stampede.unwrap_or(false);
    let ramp = time("ramp", flags.ramp)?;
    refuse(&[
        ("arrival", flags.arrival.is_some(), "applies only to a --rate: add one"),
        ("max-threads", flags.max_threads.is_some(), "applies only to a --rate: use --threads"),
        ("ramp", ramp.is_some() && !stages.is_empty(), "the stages are the ramp: leave out one"),
        (
            "ramp",
            ramp.is_some_and(|r| !r.is_zero()) && stampede,
            "cannot be combined with --stampede: leave it out",
        ),
        (
            "stage",
            stampede && !stages.is_empty(),
            "cannot be combined with --stampede: leave it out",
        ),
    ])?;
    let given = count("threads", flags.threads, THREADS_MAX)?;
    let (users_at_start, users_max) = if stages.is_empty() {
        (0, given.unwrap_or(1))
    } else {
        let at_start = given.unwrap_or(0);
        (at_start, threads.iter().map(|(_, to)| *to).fold(at_start, u64::max))
    };
    match users_max {
        0 => return Err(invalid("stage", "must lead to at least 1 thread")),
        threads if threads > THREADS_MAX => {
            return Err(invalid("stage", format!("{threads} is over {THREADS_MAX}")));
        }
        _ => {}
    }
    let think = flags.think.unwrap_or_default();
    time("think", Some(Span(think.longest())))?;
    let loops = count("loops", flags.loops, LOOPS_MAX)?;
    let loops = if duration.is_none() { loops.or(Some(1)) } else { loops };
    let ramp = ramp.unwrap_or_default();
    let closed = Model::Closed { ramp, users_at_start, stages, loops, think, stampede };
    Ok((closed, users_max))
}
