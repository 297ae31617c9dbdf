//! The intake: accepting attempts over a queue, and finding those that wait.
//!
//! It depends on one capability of the queue, whether it can look up an attempt that waits. If it
//! cannot, the store keeps a register of the attempts, in this order: announce, publish, confirm;
//! withdraw what the queue did not take; republish what the queue does not have (orphans). It
//! knows neither the brands of queues nor HTTP.

mod accept;
mod accepted;
mod confirm_batcher;
mod decided_rate;
mod durable;
mod lookup;
mod orphans;
mod progress;
mod tasks;

pub(super) use accept::{accept, publish, republish};
pub(super) use accepted::Accepted;
pub use confirm_batcher::ConfirmBatcher;
pub use decided_rate::DecidedRate;
pub(super) use durable::durable;
pub(super) use lookup::{
    backlog, can_announce_with_lookup, known, known_since_lookup, place, waiting_attempts,
    waiting_count,
};
pub use progress::Progress;
pub(super) use tasks::{Orphans, spawn_tasks};
