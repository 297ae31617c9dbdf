//! The API of `seckill serve`, as its clients use it: requests, answers, results, the ledger.

mod answer;
mod control;
mod ledger;
mod request;

pub(super) use answer::{refusals, sample_refusal, understand, understand_result};
pub(super) use control::TIMEOUT;
pub use control::{Control, local_token};
pub(super) use ledger::write_ledger;
pub use ledger::{LedgerError, LedgerReader};
pub(super) use request::{PURCHASE_PATH, purchase, result};
