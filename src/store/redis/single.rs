//! Opening a connection to a single Redis, and checking what answers before it is used.

use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{AsyncConnectionConfig, Client, ConnectionInfo, IntoConnectionInfo, RedisResult};

use crate::secret::EngineUrl;

use super::connection::Connections;
use super::keys::Keys;
use super::layout::{self, FIRST_LAYOUT};
use super::problem::{CLUSTER, NOT_REDIS, REPLICA, explain};

/// Opens connections to one server.
#[derive(Debug)]
pub(super) struct Single {
    client: Client,
    buckets: Vec<Keys>,
}

impl Single {
    pub(super) fn new(url: &EngineUrl, buckets: Vec<Keys>) -> RedisResult<Self> {
        let info: ConnectionInfo = url.expose().into_connection_info()?;
        let info = info.set_tcp_settings(TcpSettings::default().set_nodelay(true));
        Ok(Self { client: Client::open(info)?, buckets })
    }

    /// Opens a connection to a server that can be the store.
    ///
    /// # Errors
    /// Returns what is wrong with the server.
    pub(super) async fn open(&self) -> Result<Connections, String> {
        // Every step and every call has a time limit of ours, so the client needs none.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None);
        let config = config.set_response_timeout(None);
        let opening = self.client.get_multiplexed_async_connection_with_config(&config);
        let mut connection = opening.await.map_err(|error| explain(&error))?;
        check(&mut connection).await?;
        // The first one decides how many there are, before anything of the others is written.
        for keys in &self.buckets {
            let other = if keys.number == 0 { FIRST_LAYOUT } else { keys.route() };
            let read = layout::read(keys, self.buckets.len(), other);
            let found: RedisResult<String> = read.query_async(&mut connection).await;
            let empty = "an empty database, such as redis://host:6379/1";
            layout::check(&found.map_err(|error| explain(&error))?, self.buckets.len(), empty)?;
        }
        Ok(Connections::single(connection, self.buckets.len()))
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
    Ok(())
}
