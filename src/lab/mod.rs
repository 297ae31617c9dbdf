//! Throwaway Redis, Redis Cluster, RabbitMQ and nginx from the system's own binaries: for tests,
//! for demonstrations, and for `seckill lab`.
//!
//! Also child processes of any kind: started, signalled, and never left behind. A service runs in a
//! temporary folder, on free ports of 127.0.0.1 below 32768, in its own process group. All calls
//! block, except [`ChildProcess::ended`]. This module knows neither sales nor measurements.

mod binary;
mod broker;
mod child;
mod control;
mod error;
mod group;
mod log;
mod nginx;
mod port_mapper;
mod ports;
mod rabbitmq;
mod rabbitmq_cluster;
mod reaper;
mod recipe;
mod redis;
mod redis_cluster;
mod service;
mod small_disk;

pub use binary::{check_installed, find, is_installed};
pub use broker::Broker;
pub use child::{ChildProcess, Scope};
pub use control::{ControlSocket, Order, order};
pub use error::LabError;
pub use log::last_lines;
pub use nginx::Nginx;
pub use ports::one as free_port;
pub use rabbitmq::{RabbitMq, RabbitMqOptions};
pub use rabbitmq_cluster::RabbitMqCluster;
pub use redis::Redis;
pub use redis_cluster::RedisCluster;
pub use service::Service;
pub use small_disk::SmallDisk;
