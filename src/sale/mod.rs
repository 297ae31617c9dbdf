//! The domain: attempts, sales, and the one rule by which stock goes down. No I/O, no clock, no
//! wire format.

mod attempt;
mod buyers;
mod decision;
mod flaws;
mod hold;
mod order;
mod record;
mod reserve;
mod rule;
mod terms;

pub use attempt::{Attempt, NewAttempt};
pub use decision::Decision;
pub use flaws::{check_then_act, rule as rule_with};
pub use order::{Ended, Ending, Order};
pub use record::{Fields, RecordError};
pub use reserve::Sale;
pub use rule::Rule;
pub use terms::{HOLD_MAX_US, Phase, Terms};
