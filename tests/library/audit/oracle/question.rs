//! The question that a history asks: is there any right sale that does these steps at these times?

use seckill::history::Loss;
use seckill::ids::RequestId;

/// The end of all times.
pub(super) const NEVER: u64 = u64::MAX;

#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) stock: u64,
    /// Orders that one buyer may have.
    pub(super) limit: u32,
    pub(super) buyers: usize,
    /// Whether anybody was told that the sale is not open.
    pub(super) has_hours: bool,
    pub(super) attempts: Vec<Attempt>,
    pub(super) steps: Vec<Step>,
}

/// An attempt that the sale knew, or may have known.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub(super) id: RequestId,
    pub(super) buyer: usize,
    pub(super) is_known_before: bool,
    pub(super) is_decided_before: bool,
    /// The decision, wherever it was told; `None` if it was told nowhere.
    pub(super) fate: Option<Fate>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Won,
    Lost(Loss),
}

/// What the sale does at one moment of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) from_us: u64,
    pub(super) to_us: u64,
    /// Whether it was certainly done.
    pub(super) is_required: bool,
    pub(super) what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Open,
    Close,
    Accept(usize),
    Decide(usize),
    /// Reasons of refusals. The sale may look at the reason at another moment than at the attempt.
    SoldOut,
    AlreadyBought(usize),
    NotOpen,
    Closed,
    /// The attempt, when one of its requests is refused, and when its result is read.
    Refused(usize),
    NotKnown(usize),
    Queued(usize),
    Decided(usize),
    /// A state of the sale: both numbers are of one moment. One that the audit does not look at is
    /// left out.
    State {
        orders: Option<u64>,
        queued: Option<u64>,
        is_last: bool,
    },
    /// Nothing is queued.
    Settled,
    /// The ledger has these attempts, of which these are decided.
    Ledger {
        known: u128,
        decided: u128,
    },
}

impl What {
    /// Whether it leaves the sale as it is.
    pub(super) fn is_read(self) -> bool {
        !matches!(self, Self::Open | Self::Close | Self::Accept(_) | Self::Decide(_))
    }
}
