//! Telling people and scripts what a run found. Nothing is computed here that a figure depends
//! on.

#![allow(clippy::print_stdout, clippy::print_stderr)] // This is where output is written.

mod hdr;
mod json;
mod jtl;
mod outputs;
mod progress;
mod terminal;

use std::time::SystemTime;

use crate::audit::{Audit, Verdict};
use crate::monitor::{BrokerUsage, ProcessUsage, Usage};
use crate::profile::{Model, Plan, Target};
use crate::stats::{Quantiles, Series, Summary};

pub use json::json;
pub use outputs::{OutputError, Outputs};
pub use progress::Progress;
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
    /// The run second by second.
    pub series: Series,
    /// From acceptance to decision, by the server's clock, of this run's decided attempts.
    pub settle: Quantiles,
    /// CPU and memory.
    pub usage: Usage,
    /// The broker's connections, where its figures were read.
    pub broker: Option<BrokerUsage>,
    /// What the audit concludes.
    pub audit: Audit,
    /// Units that were left before the run.
    pub stock_left_before: i64,
    /// Why it ended before its plan did, if it did.
    pub stopped: Option<String>,
    /// Why the run does not count, if it does not.
    pub invalid: Vec<String>,
}

/// What a time to the decision is counted from, and to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// From the intended click until its buyer, who waited, knew.
    Followed,
    /// From acceptance to decision, by the server's clock.
    Ledger,
}

impl Report {
    /// What the errors come from, where the broker's figures tell.
    pub fn cause(&self) -> Option<String> {
        let BrokerUsage { connections_max, connections_limit, connections_opened } = self.broker?;
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
        match self.audit.verdict {
            Verdict::Fail => 3,
            Verdict::Unknown => 4,
            Verdict::Pass if !self.is_valid() => 5,
            Verdict::Pass => 0,
        }
    }

    /// Whether what was measured is the server, and not the generator.
    pub fn is_valid(&self) -> bool {
        self.invalid.is_empty()
    }

    /// The times to the decision: those of the buyers that waited for it, from the intended click,
    /// or else the ledger's.
    pub fn settle(&self) -> (Quantiles, Settled) {
        if self.plan.follow {
            (self.summary.settle, Settled::Followed)
        } else {
            (self.settle, Settled::Ledger)
        }
    }

    /// In a stampede, how long it took to let all loose: from the first request's bytes in the
    /// kernel to the last one's, in microseconds.
    pub fn stampede(&self) -> Option<u64> {
        let Model::Closed { stampede: true, .. } = self.plan.model else { return None };
        Some(self.summary.spread.unwrap_or_default().as_micros() as u64)
    }

    /// Microseconds of CPU for each request, those of the warm-up included.
    fn cpu_us_per_request(&self, usage: &ProcessUsage) -> f64 {
        let requests = self.summary.total + self.summary.counts.warmup;
        usage.cpu_us as f64 / requests.max(1) as f64
    }
}
