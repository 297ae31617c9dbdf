//! A connection to the store's Redis, of whichever kind it is.

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Cmd, Pipeline, RedisFuture, RedisResult, Value};

use crate::secret::EngineUrl;

use super::cluster::Batches;
use super::keys::Keys;

/// The connections by which the buckets reach their keys, in the order of the buckets.
#[derive(Debug, Clone)]
pub(super) struct Connections(Vec<Connection>);

impl Connections {
    /// One connection to a single server, for this many buckets.
    pub(super) fn single(connection: MultiplexedConnection, buckets: usize) -> Self {
        Self(vec![Connection::Single(connection); buckets])
    }

    /// The connections to the nodes that have the buckets' keys.
    pub(super) fn cluster(batches: Vec<Batches>) -> Self {
        Self(batches.into_iter().map(Connection::Cluster).collect())
    }

    /// The connection of the bucket with these keys.
    pub(super) fn of(&mut self, keys: &Keys) -> &mut Connection {
        &mut self.0[keys.number]
    }
}

/// An open and checked connection. Clones share it.
#[derive(Debug, Clone)]
pub(super) enum Connection {
    /// To a single server.
    Single(MultiplexedConnection),
    /// To the node of a cluster that has the keys.
    Cluster(Batches),
}

impl Connection {
    /// The servers that have the data: the single one, or the primary without its address and its
    /// replicas with theirs.
    pub(super) fn servers(&self) -> Vec<Option<EngineUrl>> {
        let replicas = match self {
            Self::Single(_) => &[],
            Self::Cluster(batches) => batches.replicas(),
        };
        std::iter::once(None).chain(replicas.iter().cloned().map(Some)).collect()
    }

    /// Asks one of these servers for something else than data.
    pub(super) async fn ask(
        &mut self,
        server: Option<&EngineUrl>,
        command: Cmd,
    ) -> RedisResult<Value> {
        match self {
            Self::Single(connection) => command.query_async(connection).await,
            Self::Cluster(batches) => batches.ask_node(server, command).await,
        }
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Single(connection) => connection.req_packed_command(command),
            Self::Cluster(batches) => Box::pin(batches.command(command)),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        commands: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Single(connection) => connection.req_packed_commands(commands, offset, count),
            Self::Cluster(batches) => Box::pin(batches.commands(commands, offset, count)),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Single(connection) => connection.get_db(),
            Self::Cluster(_) => 0,
        }
    }
}
