//! The built-in API, as its clients use it: requests, answers, results, the ledger.

mod answer;
mod control;
mod ledger;
mod request;

pub(super) use answer::{understand, understand_result};
pub use control::{Control, ControlError, token_nearby};
pub use ledger::{LedgerError, LedgerReader};
pub(super) use request::{PURCHASE_PATH, purchase, result};
