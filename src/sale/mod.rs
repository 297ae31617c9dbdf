//! The domain: who buys what, and the one rule by which stock goes down. No I/O, no clock, no
//! wire format.

mod ids;
mod outcome;
mod record;
mod reserve;

pub use ids::{BuyerId, IdError, ItemId, OrderId, RequestId};
pub use outcome::{Decision, LostReason, Refusal};
pub use record::{Fields, RecordError};
pub use reserve::{Attempt, NewAttempt, Phase, Sale, Terms};
