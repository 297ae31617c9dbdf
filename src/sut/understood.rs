//! The meaning of the answers of a tested system, independent of its API.

use crate::history::{Answered, OrderStatus, Refused};
use crate::settings::RetryOn;
use crate::stats::{ErrorKind, Outcome};

/// The meaning of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Understood {
    /// The outcome, for the figures.
    pub outcome: Outcome,
    /// What it says about the attempt.
    pub meaning: Meaning,
    /// The class of retries that the answer calls for.
    pub retry: Option<RetryOn>,
}

/// What an answer says about the attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// The attempt had an effect, or may have had one.
    Answered(Answered),
    /// This request had no effect.
    Refused(Refused),
}

/// What a result shows of the attempt's order, as far as it does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ShownOrder {
    /// What has become of it.
    pub status: Option<OrderStatus>,
    /// Until when it is or was held, by the tested system's clock, in microseconds since the Unix
    /// epoch.
    pub held_until_us: Option<u64>,
}

/// An answer that is not valid in the API of the tested system: it is unknown whether its request
/// had an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unusable {
    /// The error, for the figures.
    pub kind: ErrorKind,
    /// Whether it consists of words of the API that do not belong together: no proxy makes that up.
    pub is_contradictory: bool,
}

impl From<ErrorKind> for Unusable {
    /// An answer that is none of the API's.
    fn from(kind: ErrorKind) -> Self {
        Self { kind, is_contradictory: false }
    }
}
