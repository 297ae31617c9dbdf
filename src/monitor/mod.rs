//! What a run costs: CPU and memory of processes and of the machine, which process listens on an
//! address, and the figures of a broker from its Prometheus page.
//!
//! It only reads. It knows neither the load nor how processes and services are started, and it
//! prints nothing: what cannot be read is an error or an absent figure.

mod broker;
mod listener;
mod prometheus;
mod sample;
mod usage;
mod watcher;

pub use broker::{BrokerMonitor, BrokerUsage};
pub use listener::listener_pid;
pub use prometheus::{PageError, PrometheusPage, metric};
pub use usage::{ProcessUsage, Usage};
pub use watcher::Monitor;
