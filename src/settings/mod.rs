//! Settings that a flag selects and that several rooms understand: closed sets of words, and who
//! buys. A setting that only one room needs lives in that room.

mod buyers;
mod retry_on;
mod server;

pub use buyers::{Buyers, Skew};
pub use retry_on::RetryOn;
pub use server::{Durability, LogFormat, QueueType, Role};
