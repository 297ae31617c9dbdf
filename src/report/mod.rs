//! Telling people and scripts what a run found. Nothing is computed here that a figure depends
//! on.

#![allow(clippy::print_stdout, clippy::print_stderr)] // This is where output is written.

mod json;
mod progress;
mod terminal;

use std::time::SystemTime;

use crate::audit::{Audit, Verdict};
use crate::load::{Consumer, Usage};
use crate::profile::{Plan, Target};
use crate::stats::{Quantiles, Summary};

pub use json::json;
pub use progress::{Progress, SaleNow};
pub use terminal::{terminal, verdict_line};

/// Everything that is known of a run.
#[derive(Debug, Clone)]
pub struct Report {
    /// When it began.
    pub started: SystemTime,
    /// What was run.
    pub plan: Plan,
    /// Against whom.
    pub target: Target,
    /// What was measured.
    pub summary: Summary,
    /// From acceptance to decision, by the server's clock, of this run's decided attempts.
    pub settle: Quantiles,
    /// CPU and memory.
    pub usage: Usage,
    /// The broker's connections, where its figures were read.
    pub broker: Option<Broker>,
    /// What the audit concludes.
    pub audit: Audit,
    /// Units that were left before the run.
    pub stock_left_before: i64,
    /// Why the run does not count, if it does not.
    pub invalid: Option<String>,
}

/// A broker's connections during a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Broker {
    /// Most that were open at a time.
    pub connections_max: u64,
    /// Most that it can have open, by its limit of open files.
    pub connections_limit: Option<u64>,
    /// How many were opened.
    pub connections_opened: u64,
}

impl Report {
    /// What the errors come from, where the broker's figures tell.
    pub fn cause(&self) -> Option<String> {
        let Broker { connections_max, connections_limit, connections_opened } = self.broker?;
        let limit = connections_limit.filter(|limit| connections_max >= *limit)?;
        let (kind, count) = self.summary.by_error.iter().max_by_key(|(_, count)| *count)?;
        Some(format!(
            "{count} of {} errors are {kind}: the broker's connections were at their limit, \
             {connections_max} of {limit}, after {connections_opened} had been opened",
            self.summary.errors
        ))
    }

    /// The exit code: the lowest that applies.
    pub fn exit_code(&self) -> u8 {
        match (self.audit.verdict, &self.invalid) {
            (Verdict::Fail, _) => 3,
            (Verdict::Unknown, _) => 4,
            (Verdict::Pass, Some(_)) => 5,
            (Verdict::Pass, None) => 0,
        }
    }

    /// Microseconds of CPU for each attempt.
    fn cpu_us_per_request(&self, consumer: &Consumer) -> f64 {
        consumer.cpu.as_secs_f64() * 1e6 / self.summary.total.max(1) as f64
    }
}
