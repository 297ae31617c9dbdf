//! Opening a store: which one, and why that failed.

use crate::flaws::Flaws;
use crate::secret::EngineUrl;

use super::{Recovery, Redis, RedisError, RedisOptions, Store, embedded};

/// Which store holds sales and decisions.
#[derive(Debug)]
pub enum StoreAt {
    /// The store in this process.
    Embedded(Box<Recovery>),
    /// A Redis server or cluster.
    Redis(RedisOptions),
}

impl StoreAt {
    /// The store that a plan names by the URL of a Redis server, if it names one; its stock is
    /// spread over this many buckets.
    pub fn new(redis: Option<EngineUrl>, buckets: usize, flaws: &Flaws) -> Self {
        match redis {
            None => Self::Embedded(Box::new(Recovery::new(embedded::flaws::ways(flaws)))),
            Some(url) => Self::Redis(RedisOptions { url, buckets, flaws: flaws.clone() }),
        }
    }
}

impl Store {
    /// Opens the store in a Redis server or cluster.
    ///
    /// # Errors
    /// Returns an error when the server cannot be used.
    pub async fn connect(options: &RedisOptions) -> Result<Self, RedisError> {
        Ok(Self::Redis(Redis::open(options).await?))
    }
}
