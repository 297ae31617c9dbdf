//! What happened of a planned fault, and what buyers saw of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A fault of a run. Moments are since the beginning of the load, in microseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRecord {
    /// The fault, as `--fault` has it.
    pub fault: String,
    /// When it began; `None` if the load ended before.
    pub began_us: Option<u64>,
    /// When it was over.
    pub ended_us: Option<u64>,
    /// Why it could not be carried out, or could not be ended.
    pub problem: Option<String>,
    /// The requests that were under way while it lasted.
    pub requests: u64,
    /// Of these, those without a usable answer.
    pub errors: u64,
    /// The usable answers to them, by outcome.
    pub by_outcome: BTreeMap<String, u64>,
    /// The others, by kind of error.
    pub by_error: BTreeMap<String, u64>,
    /// The longest latency of them.
    pub latency_max_us: u64,
    /// The time from its end until service was normal again; `None` if it was not before the load
    /// ended.
    pub normal_after_us: Option<u64>,
    /// Attempts that were accepted until its end, and since the end of the fault before, and are
    /// not in the ledger or were never decided; `None` without a ledger.
    pub lost: Option<u64>,
}
