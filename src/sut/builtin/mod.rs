//! The API of `seckill serve`, as its clients use it: requests, answers, results, the ledger.

mod answer;
mod control;
mod last_refusal;
mod ledger;
mod payment;
mod request;
mod written_ledger;

pub(super) use answer::{refusals, sample_refusal, understand_result};
pub(super) use control::Control;
pub use control::local_token;
pub(super) use last_refusal::LastRefusal;
pub use ledger::{LedgerError, LedgerReader};
pub(super) use payment::{PAYMENT_LABEL, Payments, understand_payment};
pub(super) use request::{PURCHASE_PATH, purchase, result};
pub use written_ledger::write_ledger;
