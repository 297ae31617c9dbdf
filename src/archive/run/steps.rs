//! The figures of the steps around the purchases of a described shop.

use serde::{Deserialize, Serialize};

use crate::stats::{Quantiles, StepSummary};
use crate::sut::Sut;

use super::tally::Tally;

/// A step that leads to a purchase or follows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Its label.
    pub label: String,
    /// Requests.
    pub total: u64,
    /// Requests that were no success.
    pub errors: u64,
    /// These, by kind.
    pub by_error: Tally,
    /// Time from begin to last byte.
    pub latency_us: Quantiles,
}

impl StepRecord {
    pub(super) fn new(sut: &Sut, step: &StepSummary) -> Self {
        Self {
            label: sut.steps().into_iter().nth(step.step).unwrap_or_default(),
            total: step.total,
            errors: step.errors.iter().map(|(_, count)| count).sum(),
            by_error: Tally::of(step.errors.iter().copied()),
            latency_us: step.latency,
        }
    }
}
