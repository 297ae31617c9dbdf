//! The domain: attempts, sales, and the one rule by which stock goes down. No I/O, no clock, no
//! wire format.

mod attempt;
mod decision;
mod record;
mod reserve;
mod terms;

pub use attempt::{Attempt, NewAttempt};
pub use decision::Decision;
pub use record::{Fields, RecordError};
pub use reserve::Sale;
pub use terms::{Phase, Terms};
