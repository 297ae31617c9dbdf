//! The broker of a lab: one node, or a cluster.

use crate::settings::Nodes;

use super::control::Order;
use super::error::LabError;
use super::rabbitmq::RabbitMq;
use super::rabbitmq_cluster::RabbitMqCluster;

/// A running RabbitMQ.
#[derive(Debug)]
pub enum Broker {
    /// One node.
    One(RabbitMq),
    /// Several, which are a cluster.
    Cluster(RabbitMqCluster),
}

impl Broker {
    /// What it is called in messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::One(_) => "rabbitmq",
            Self::Cluster(_) => "rabbitmq-cluster",
        }
    }

    /// Its address, which has the hosts of all nodes.
    pub fn url(&self) -> String {
        match self {
            Self::One(broker) => broker.url(),
            Self::Cluster(cluster) => cluster.url(),
        }
    }

    /// The address of its metrics page. Each node of a cluster has one of its own figures only, so
    /// there is none of the cluster.
    pub fn prometheus_url(&self) -> Option<String> {
        match self {
            Self::One(broker) => Some(broker.prometheus_url()),
            Self::Cluster(_) => None,
        }
    }

    /// Whether queues should be replicated over its nodes.
    pub fn is_cluster(&self) -> bool {
        matches!(self, Self::Cluster(_))
    }

    /// The ids of its processes.
    pub fn pids(&self) -> Vec<u32> {
        match self {
            Self::One(broker) => vec![broker.service().pid()],
            Self::Cluster(cluster) => {
                cluster.nodes().iter().map(|node| node.service().pid()).collect()
            }
        }
    }

    /// Carries out an order on it; on a cluster, on these nodes.
    ///
    /// # Errors
    /// When a process cannot be signalled or started.
    pub fn carry_out(&mut self, order: Order, nodes: Nodes) -> Result<(), LabError> {
        match self {
            Self::One(broker) => order.carry_out(broker.service_mut()),
            Self::Cluster(cluster) => cluster.carry_out(order, nodes),
        }
    }
}
