//! CPU and memory of processes, who listens on a port, the broker's figures.

mod broker;
mod listener;
mod resources;

pub use broker::{Broker, watch};
pub use listener::listener_pid;
pub use resources::{Consumer, Monitor, Usage};
