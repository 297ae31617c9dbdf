//! The node that has the keys, reached by the crate's cluster client.

use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{Route, RoutingInfo, SingleNodeRoutingInfo, SlotAddr};
use redis::{Cmd, Pipeline, RedisResult, Value};

use super::super::keys::Keys;

/// The primary of the slot of a bucket's keys, whichever node that is.
#[derive(Clone)]
pub(super) struct Node {
    connection: ClusterConnection,
    keys: Keys,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node").finish_non_exhaustive()
    }
}

impl Node {
    pub(super) fn new(connection: ClusterConnection, keys: Keys) -> Self {
        Self { connection, keys }
    }

    fn route(&self) -> SingleNodeRoutingInfo {
        let route = Route::with_key(self.keys.route(), SlotAddr::Master);
        SingleNodeRoutingInfo::SpecificNode(route)
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
        let (count, route) = (commands.len(), self.route());
        self.connection.route_pipeline(commands, 0, count, route).await
    }

    /// Sends one command that needs no key.
    pub(super) async fn ask(&mut self, command: Cmd) -> RedisResult<Value> {
        let route = RoutingInfo::SingleNode(self.route());
        self.connection.route_command(command, route).await?.extract_error()
    }

    /// Adds the two commands that confirm all commands before them. The answer to the second one is
    /// the number of replicas that have everything.
    ///
    /// `WAIT` waits for what its own connection has written. What others have written, and commands
    /// of this connection have read, comes before the fence in the stream of replication, so a
    /// replica that has the fence has that too.
    pub(super) fn add_fence(&self, commands: &mut Pipeline, replicas: usize, within_ms: u64) {
        commands.cmd("SET").arg(self.keys.key("fence")).arg(1);
        commands.cmd("WAIT").arg(replicas).arg(within_ms);
    }
}
