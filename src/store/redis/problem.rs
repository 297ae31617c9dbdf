//! Why a Redis cannot be the store, in words that name the cure.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::escape::printable;
use crate::secret::EngineUrl;

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address is not a Redis address.
    #[error("not a Redis address: {0}")]
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
        problem: String,
    },
    /// The server does not answer, or is not a Redis that can be the store.
    #[error(
        "cannot use the store at {url}: {problem}; start Redis there, give another one (--store or \
         SECKILL_STORE), or run under `seckill lab --`"
    )]
    Server {
        /// The server's address, without credentials.
        url: String,
        /// The client's error, explained.
        problem: String,
    },
}

/// The problem of a server that knows neither the user nor the password.
const WRONG_PASSWORD: &str = "the user or the password: put those that it knows into its address";

/// The problem of a server that asks for a password.
const NO_PASSWORD: &str = "requests without a password: put it into its address";

/// The problem of a database that the server does not have.
const NO_DATABASE: &str = "the number of the database: it has as many as its `databases` says, 0 \
                           to 15 by default";

impl OpenError {
    /// The error for a server with this problem.
    pub(super) fn of_server(engine: &EngineUrl, problem: String) -> Self {
        let url = engine.to_string();
        let with_form = |login: &str| {
            let hosts = match engine.is_redis_cluster() {
                true => "host1:6379,host2:6379",
                false => "host:6379/0",
            };
            let scheme = engine.scheme();
            format!("{problem}, {scheme}://{login}@{hosts} (--store or SECKILL_STORE)")
        };
        match problem.as_str() {
            WRONG_PASSWORD => Self::Login { url, problem: with_form("user:password") },
            NO_PASSWORD => Self::Login { url, problem: with_form(":password") },
            _ if is_of_login(&problem) => Self::Login { url, problem },
            _ => Self::Server { url, problem },
        }
    }
}

/// The problem of a server that does not answer as Redis does.
pub(super) const NOT_REDIS: &str = "what answers there is not Redis";

/// The problem of a node of a cluster that is given as a single server.
pub(super) const CLUSTER: &str = "it is a node of a Redis Cluster: write --store \
                                  redis+cluster://host:port, with the address of one node or more";

/// The problem of a single server that is given as a cluster.
pub(super) const NO_CLUSTER: &str = "it is no node of a Redis Cluster, since it runs with \
                                     `cluster-enabled no`: write --store redis://host:port";

/// The problem of a cluster that serves nobody.
const CLUSTER_DOWN: &str = "its cluster is down (`cluster_state` of CLUSTER INFO is not `ok`): \
                            start the nodes that CLUSTER NODES marks as `fail`, and see that each \
                            slot has a primary";

/// The problem of a slot whose primary is away: another node has been asked, which names it.
const NO_PRIMARY: &str = "the primary that has its keys does not answer, and no replica has taken \
                          over yet";

/// The problem of a slot on its way from one node to another.
const MOVING: &str = "the slot of its keys is being moved to another node: the store can be used \
                      again when that is done";

/// The problem of a replica.
pub(super) const REPLICA: &str = "it is a replica, which takes no writes: use its primary";

/// Whether it is a problem that another server process would not solve.
pub(super) fn is_of_login(problem: &str) -> bool {
    [WRONG_PASSWORD, NO_PASSWORD, NO_DATABASE].contains(&problem)
}

/// What an error means, on one line.
pub(super) fn explain(error: &RedisError) -> String {
    let text = error.to_string();
    let login = match error.kind() {
        _ if text.contains("NOAUTH") => Some(NO_PASSWORD),
        _ if text.contains("WRONGPASS") => Some(WRONG_PASSWORD),
        _ if text.contains("AuthenticationFailed") => Some(WRONG_PASSWORD),
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
        _ if text.contains("not allowed in cluster mode") => CLUSTER.to_owned(),
        _ if text.contains("cluster support disabled") => NO_CLUSTER.to_owned(),
        // The second one is that of a cluster in which no node has a slot.
        ErrorKind::Server(ServerErrorKind::ClusterDown) | ErrorKind::ClusterConnectionNotFound => {
            CLUSTER_DOWN.to_owned()
        }
        ErrorKind::Server(ServerErrorKind::Moved) => NO_PRIMARY.to_owned(),
        ErrorKind::Server(ServerErrorKind::Ask | ServerErrorKind::TryAgain) => MOVING.to_owned(),
        _ => printable(&text).into_owned(),
    }
}
