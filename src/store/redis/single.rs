//! Opening a connection to a single Redis, and checking what answers before it is used.

use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{AsyncConnectionConfig, Client, ConnectionInfo, IntoConnectionInfo, RedisResult};

use crate::secret::EngineUrl;

use super::keys::FIRST_LAYOUT;
use super::layout;
use super::problem::{CLUSTER, NOT_REDIS, REPLICA, explain};

/// Opens connections to one server.
#[derive(Debug)]
pub(super) struct Single {
    client: Client,
}

impl Single {
    pub(super) fn new(url: &EngineUrl) -> RedisResult<Self> {
        let info: ConnectionInfo = url.expose().into_connection_info()?;
        let info = info.set_tcp_settings(TcpSettings::default().set_nodelay(true));
        Ok(Self { client: Client::open(info)? })
    }

    /// Opens a connection to a server that can be the store.
    ///
    /// # Errors
    /// Returns what is wrong with the server.
    pub(super) async fn open(&self) -> Result<MultiplexedConnection, String> {
        // Every step and every call has a time limit of ours, so the client needs none.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None);
        let config = config.set_response_timeout(None);
        let opening = self.client.get_multiplexed_async_connection_with_config(&config);
        let mut connection = opening.await.map_err(|error| explain(&error))?;
        check(&mut connection).await?;
        Ok(connection)
    }
}

/// What the store cannot use: a section of the server's information, a line in it, and the problem.
const UNUSABLE: [(&str, &str, &str); 2] =
    [("cluster", "cluster_enabled:1", CLUSTER), ("replication", "role:slave", REPLICA)];

/// Checks that a server can be the store.
///
/// # Errors
/// Returns what is wrong with the server.
async fn check(connection: &mut MultiplexedConnection) -> Result<(), String> {
    let pong: Result<String, _> = redis::cmd("PING").query_async(connection).await;
    if pong.map_err(|error| explain(&error))? != "PONG" {
        return Err(NOT_REDIS.to_owned());
    }
    for (section, line, problem) in UNUSABLE {
        // A server that hides this from its users is taken for what the store needs.
        let info = redis::cmd("INFO").arg(section).query_async::<String>(connection).await;
        if info.is_ok_and(|info| info.lines().any(|found| found == line)) {
            return Err(problem.to_owned());
        }
    }
    let found: RedisResult<String> = layout::read(FIRST_LAYOUT).query_async(connection).await;
    let empty = "an empty database, such as redis://host:6379/1";
    layout::check(&found.map_err(|error| explain(&error))?, empty)
}
