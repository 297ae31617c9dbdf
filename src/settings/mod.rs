//! Settings that a flag selects and that several modules need: closed sets of words, and the
//! assignment of buyers. A setting that only one module needs belongs to that module.

mod buyers;
mod cluster;
mod io;
mod retry_on;
mod server;

pub use buyers::{Buyers, Skew};
pub use cluster::Nodes;
pub use io::Io;
pub use retry_on::RetryOn;
pub use server::{Durability, LogFormat, QueueType, Role, RoomOrder};
