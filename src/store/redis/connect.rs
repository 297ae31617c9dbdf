//! Opening connections to the store, whichever kind of Redis it is in.

use std::time::Duration;

use redis::RedisError;

use crate::secret::EngineUrl;

use super::cluster::Cluster;
use super::connection::Connections;
use super::keys::Keys;
use super::problem::{OpenError, explain};
use super::single::Single;

/// How long it may take to open a connection to a single server and to check it.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// The same for a cluster, where several nodes are asked, and one of them for its replicas.
const CLUSTER_TIMEOUT: Duration = Duration::from_secs(2);

/// Opens connections to the store.
#[derive(Debug)]
pub(super) enum Connector {
    Single(Single),
    Cluster(Cluster),
}

impl Connector {
    pub(super) fn new(url: &EngineUrl, buckets: Vec<Keys>) -> Result<Self, OpenError> {
        #[cfg(feature = "tls")]
        if url.scheme().starts_with("rediss") {
            crate::tls::check_cert_file().map_err(|error| OpenError::Trust(error.to_string()))?;
        }
        let problem = |error: RedisError| match error.kind() {
            redis::ErrorKind::InvalidClientConfig => OpenError::Address(error.to_string()),
            _ => OpenError::Server { url: url.to_string(), problem: explain(&error) },
        };
        Ok(match url.is_redis_cluster() {
            true => Self::Cluster(Cluster::new(url, buckets).map_err(problem)?),
            false => Self::Single(Single::new(url, buckets).map_err(problem)?),
        })
    }

    /// Opens a connection to a Redis that can be the store.
    ///
    /// # Errors
    /// Returns what is wrong with it.
    pub(super) async fn connect(&self) -> Result<Connections, String> {
        let within = match self {
            Self::Single(_) => CONNECT_TIMEOUT,
            Self::Cluster(_) => CLUSTER_TIMEOUT,
        };
        let opening = async {
            Ok(match self {
                Self::Single(single) => single.open().await?,
                Self::Cluster(cluster) => cluster.open().await?,
            })
        };
        match tokio::time::timeout(within, opening).await {
            Ok(opened) => opened,
            Err(_) => Err(format!("no answer within {within:?}")),
        }
    }
}
