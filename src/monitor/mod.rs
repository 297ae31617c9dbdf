//! Measures CPU, memory and broker figures during a run: of processes and of the machine, and from
//! the broker's Prometheus page. It also finds which process listens on an address.
//!
//! It only reads. It knows neither the load nor how processes and services are started, and it
//! prints nothing: a value that cannot be read is an error or an absent figure.

mod broker;
mod listener;
mod prometheus;
mod sample;
mod track;
mod usage;
mod watcher;

pub use broker::{BrokerMonitor, BrokerUsage};
pub use listener::listener_pid;
pub use prometheus::{PageError, PrometheusPage, metric};
pub use track::{CpuShares, CpuTrack};
pub use usage::{ProcessUsage, Usage};
pub use watcher::Monitor;
