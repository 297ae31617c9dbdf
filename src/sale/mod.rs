//! The domain: who buys what, and the one rule by which stock goes down. No I/O, no clock, no
//! wire format.

mod outcome;
mod record;
mod reserve;

pub use outcome::Decision;
pub use record::{Fields, RecordError};
pub use reserve::{Attempt, NewAttempt, Phase, Sale, Terms};
