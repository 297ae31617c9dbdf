//! Opening a store: which one, and why that failed.

use std::path::Path;

use crate::flaws::Flaws;
use crate::journal::{Durability, JournalError, SystemDisk};
use crate::secret::EngineUrl;

use super::{Embedded, Redis, RedisError, RedisOptions, Store, embedded};

/// Which store holds sales and decisions.
#[derive(Debug, Clone)]
pub enum StoreAt {
    /// The store in this process, which decides in this way.
    Embedded(embedded::Ways),
    /// A Redis server or cluster.
    Redis(RedisOptions),
}

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The journal of the embedded store cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The Redis server cannot be used.
    #[error(transparent)]
    Redis(#[from] RedisError),
}

impl StoreAt {
    /// The store that a plan names by the URL of a Redis server, if it names one.
    pub fn new(redis: Option<EngineUrl>, flaws: &Flaws) -> Self {
        match redis {
            None => Self::Embedded(embedded::flaws::ways(flaws)),
            Some(url) => Self::Redis(RedisOptions { url, flaws: flaws.clone() }),
        }
    }

    /// Whether other processes can use the same store.
    pub fn is_shared(&self) -> bool {
        match self {
            Self::Embedded(_) => false,
            Self::Redis(_) => true,
        }
    }
}

impl Store {
    /// Opens the store. The embedded one keeps its journal at `journal`.
    ///
    /// # Errors
    /// Returns an error when the journal or the server cannot be used.
    pub async fn open(
        at: &StoreAt,
        journal: &Path,
        durability: Durability,
    ) -> Result<Self, OpenError> {
        Ok(match at {
            StoreAt::Embedded(ways) => {
                let store = Embedded::open_with(&SystemDisk, journal, durability, *ways)?;
                let cut_bytes = store.cut_bytes();
                if cut_bytes > 0 {
                    tracing::warn!(
                        journal = "store",
                        cut_bytes,
                        "removed an unfinished write from the end of the journal"
                    );
                }
                Self::Embedded(Box::new(store))
            }
            StoreAt::Redis(options) => Self::Redis(Redis::open(options).await?),
        })
    }
}
