//! Opening a connection to Redis, and checking what answers before it is used.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, ErrorKind, IntoConnectionInfo, RedisError,
};

use crate::escape::printable;
use crate::secret::EngineUrl;

use super::keys::{FIRST_LAYOUT, LAYOUT, key};

/// How long it may take to open a connection and to check it.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address is not a Redis address.
    #[error("--store: not a Redis address: write redis://user:password@host:6379/0 ({0})")]
    Address(String),
    /// The certificates to trust cannot be read.
    #[error("cannot connect to Redis: {0}")]
    Trust(String),
    /// The server answers, and refuses the user, the password or the database.
    #[error("the Redis at {url} refuses {problem}")]
    Login {
        /// The server's address, without credentials.
        url: String,
        /// What it refuses, and the cure.
        problem: &'static str,
    },
    /// The server does not answer, or is not a Redis that can be the store.
    #[error(
        "cannot use the store at {url}: {problem}; start Redis there, give another --store, or run \
         under `seckill lab --`"
    )]
    Server {
        /// The server's address, without credentials.
        url: String,
        /// The client's error, explained.
        problem: String,
    },
}

/// The problem of a server that knows neither the user nor the password.
const WRONG_PASSWORD: &str = "the user or the password: put those that it knows into --store \
                              redis://user:password@host:6379/0";

/// The problem of a server that asks for a password.
const NO_PASSWORD: &str = "requests without a password: put it into --store \
                           redis://:password@host:6379/0";

/// The problem of a database that the server does not have.
const NO_DATABASE: &str = "the number of the database: it has as many as its `databases` says, 0 \
                           to 15 by default";

/// Problems that another server process would not solve.
const OF_LOGIN: [&str; 3] = [WRONG_PASSWORD, NO_PASSWORD, NO_DATABASE];

impl OpenError {
    /// The error for a server with this problem.
    pub(super) fn of_server(url: &EngineUrl, problem: String) -> Self {
        let url = url.to_string();
        match OF_LOGIN.into_iter().find(|known| *known == problem) {
            Some(problem) => Self::Login { url, problem },
            None => Self::Server { url, problem },
        }
    }
}

/// Opens connections to one server.
#[derive(Debug)]
pub(super) struct Connector {
    client: Client,
}

impl Connector {
    pub(super) fn new(url: &EngineUrl) -> Result<Self, OpenError> {
        let address = |error: RedisError| OpenError::Address(error.to_string());
        let info: ConnectionInfo = url.expose().into_connection_info().map_err(address)?;
        let info = info.set_tcp_settings(TcpSettings::default().set_nodelay(true));
        #[cfg(feature = "tls")]
        if url.scheme() == "rediss" {
            crate::tls::check_cert_file().map_err(|error| OpenError::Trust(error.to_string()))?;
        }
        let problem = |error| OpenError::Server { url: url.to_string(), problem: explain(&error) };
        Ok(Self { client: Client::open(info).map_err(problem)? })
    }

    /// Opens a connection to a server that can be the store.
    ///
    /// # Errors
    /// Returns what is wrong with the server.
    pub(super) async fn connect(&self) -> Result<MultiplexedConnection, String> {
        match tokio::time::timeout(CONNECT_TIMEOUT, self.open()).await {
            Ok(opened) => opened,
            Err(_) => Err(format!("no answer within {CONNECT_TIMEOUT:?}")),
        }
    }

    async fn open(&self) -> Result<MultiplexedConnection, String> {
        // Every step and every call has a time limit of ours, so the client needs none.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None);
        let config = config.set_response_timeout(None);
        let opening = self.client.get_multiplexed_async_connection_with_config(&config);
        let mut connection = opening.await.map_err(|error| explain(&error))?;
        check(&mut connection).await?;
        Ok(connection)
    }
}

/// The problem of a server that does not answer as Redis does.
const NOT_REDIS: &str = "what answers there is not Redis";

/// The problem of a cluster.
const CLUSTER: &str = "it is a node of a Redis Cluster, which is not supported: use a single \
                       Redis, or a primary with replicas, which runs with `cluster-enabled no`";

/// The problem of a replica.
const REPLICA: &str = "it is a replica, which takes no writes: use its primary";

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
    check_layout(connection).await
}

/// Checks that the database has no sales that this version would misread.
async fn check_layout(connection: &mut MultiplexedConnection) -> Result<(), String> {
    let mut layout = redis::cmd("EVAL");
    layout.arg(include_str!("layout.lua")).arg(2).arg(key("layout")).arg(FIRST_LAYOUT).arg(LAYOUT);
    let layout: Result<String, _> = layout.query_async(connection).await;
    let layout = layout.map_err(|error| explain(&error))?;
    if layout == LAYOUT.to_string() {
        return Ok(());
    }
    let layout = printable(&layout);
    Err(format!(
        "its database has sales of another version of seckill (layout {layout}, and this version \
         reads layout {LAYOUT}): use an empty database, such as redis://host:6379/1"
    ))
}

/// What an error means, on one line.
fn explain(error: &RedisError) -> String {
    let text = error.to_string();
    let login = match error.kind() {
        _ if text.contains("NOAUTH") => Some(NO_PASSWORD),
        _ if text.contains("WRONGPASS") => Some(WRONG_PASSWORD),
        ErrorKind::AuthenticationFailed => Some(WRONG_PASSWORD),
        _ if text.contains("DB index") => Some(NO_DATABASE),
        _ => None,
    };
    if let Some(problem) = login {
        return problem.to_owned();
    }
    match error.kind() {
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType => NOT_REDIS.to_owned(),
        // It has no databases, so it may refuse the address before it can be asked what it is.
        _ if error.to_string().contains("not allowed in cluster mode") => CLUSTER.to_owned(),
        _ => printable(&error.to_string()).into_owned(),
    }
}
