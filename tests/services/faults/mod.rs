//! Services and processes fail during a load: no accepted attempt is lost or decided twice, every
//! request is answered in time, and the service recovers by itself.

mod alarm;
mod broker;
mod delivery_limit;
pub(crate) mod drill;
pub(crate) mod held_orders;
mod lost_queue;
mod processes;
mod queue_process;
mod rabbitmq_cluster;
mod redelivery;
pub(crate) mod redis_cluster;
mod redis_cluster_link;
mod right_runs;
mod store;
mod store_link;
mod suspended;
