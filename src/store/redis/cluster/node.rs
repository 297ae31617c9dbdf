//! The node that has the keys, reached by the crate's cluster client.

use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{Route, RoutingInfo, SingleNodeRoutingInfo, SlotAddr};
use redis::{Cmd, Pipeline, RedisResult, Value};

use super::super::keys::{FENCE, ROUTE};

/// The primary of the keys' slot, whichever node that is.
#[derive(Clone)]
pub(super) struct Node(ClusterConnection);

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node").finish_non_exhaustive()
    }
}

impl Node {
    pub(super) fn new(connection: ClusterConnection) -> Self {
        Self(connection)
    }

    /// Sends commands at once on one connection to one node, and returns the answer to each.
    ///
    /// At least one command must name a key, so that a node which does not have the slot refuses
    /// it.
    ///
    /// # Errors
    /// Returns an error if a node did not take one of them. Others may have had an effect: it is
    /// not known which one was refused.
    pub(super) async fn send(&mut self, commands: Pipeline) -> RedisResult<Vec<Value>> {
        let route = SingleNodeRoutingInfo::SpecificNode(Route::with_key(ROUTE, SlotAddr::Master));
        let count = commands.len();
        self.0.route_pipeline(commands, 0, count, route).await
    }

    /// Sends one command that needs no key.
    pub(super) async fn ask(&mut self, command: Cmd) -> RedisResult<Value> {
        let route = SingleNodeRoutingInfo::SpecificNode(Route::with_key(ROUTE, SlotAddr::Master));
        self.0.route_command(command, RoutingInfo::SingleNode(route)).await?.extract_error()
    }
}

/// Adds the two commands that confirm all commands before them. The answer to the second one is
/// the number of replicas that have everything.
///
/// `WAIT` waits for what its own connection has written. What others have written, and commands of
/// this connection have read, comes before the fence in the stream of replication, so a replica
/// that has the fence has that too.
pub(super) fn add_fence(commands: &mut Pipeline, replicas: usize, within_ms: u64) {
    commands.cmd("SET").arg(FENCE).arg(1);
    commands.cmd("WAIT").arg(replicas).arg(within_ms);
}
