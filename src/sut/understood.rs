//! The meaning of the answers of a tested system, independent of its API.

use crate::history::Answered;
use crate::settings::RetryOn;
use crate::stats::{Outcome, SaleNow};

/// The meaning of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Understood {
    /// The outcome, for the figures.
    pub outcome: Outcome,
    /// What the answer says about the attempt; `None` for a refusal, which says only that this
    /// request had no effect.
    pub answered: Option<Answered>,
    /// The class of retries that the answer calls for.
    pub retry: Option<RetryOn>,
}

/// The state of a sale, as the tested system publishes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleState {
    /// The item on sale.
    pub item: String,
    /// The epoch of the sale: each fresh sale of a server has a higher one.
    pub epoch: u64,
    /// Units not sold; negative when oversold.
    pub stock_left: i64,
    /// Attempts that are accepted and not decided.
    pub queued: u64,
}

impl SaleState {
    /// The part that is recorded during a run.
    pub fn now(&self) -> SaleNow {
        SaleNow { stock_left: self.stock_left, queued: self.queued }
    }
}
