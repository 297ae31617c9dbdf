//! How a server is to be run, and why it cannot.

use std::io;
use std::path::PathBuf;

use crate::flaws::Flaws;
use crate::journal::{Durability, JournalError};
use crate::queue;
use crate::sale::Terms;
use crate::secret::Secret;
use crate::store::{RedisError, RedisOptions, StoreError};
use crate::units::Rate;

use super::DataError;

/// Attempts that one consumer takes at a time, at the most: their decisions and those of all
/// consumers beside it fit what may wait for one commit.
pub const PREFETCH_MAX: usize = 400;

/// How a server is to be run. Checked where it was made.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address to listen on; port 0 takes a free one.
    pub listen: String,
    /// Folder of the embedded queue and store, and of the token that is made.
    pub data: PathBuf,
    /// Where attempts wait.
    pub queue: QueueAt,
    /// Where they are decided.
    pub store: StoreAt,
    /// When an attempt counts as accepted in an embedded engine.
    pub durability: Durability,
    /// Whether attempts are accepted here.
    pub accepts: bool,
    /// Consumers side by side; none where attempts are only accepted.
    pub consumers: usize,
    /// Attempts that one consumer takes at a time; 1 to [`PREFETCH_MAX`].
    pub prefetch: usize,
    /// Attempts that may wait.
    pub queue_max: usize,
    /// Connections at a time.
    pub connections_max: usize,
    /// Attempts accepted per second.
    pub rate_limit: Option<Rate>,
    /// The admin token; one is made and kept in the data folder where none is given.
    pub admin_token: Option<Secret>,
    /// The sale to open where the store has none of this item.
    pub sale: Terms,
    /// Whether to open it even where the store has one.
    pub fresh_sale: bool,
    /// What is wrong with the server besides its engines.
    pub flaws: Flaws,
    /// Whether attempts are admitted without a look, as in the article.
    pub blind: bool,
}

/// Where attempts wait.
#[derive(Debug, Clone)]
pub enum QueueAt {
    /// In this process.
    Embedded,
    /// In a broker.
    RabbitMq(queue::Options),
}

/// Where attempts are decided.
#[derive(Debug, Clone)]
pub enum StoreAt {
    /// In this process.
    Embedded,
    /// In a Redis server.
    Redis(RedisOptions),
}

/// Why a server cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The data folder cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The broker cannot be used.
    #[error(transparent)]
    Broker(#[from] queue::ConnectError),
    /// The Redis server cannot be used.
    #[error(transparent)]
    Redis(#[from] RedisError),
    /// One of the two journals is gone.
    #[error(
        "{} is missing though {} is there: restore it from a copy, or give another --data",
        lost.display(),
        left.display()
    )]
    Half {
        /// The one that is gone.
        lost: PathBuf,
        /// The one that is there.
        left: PathBuf,
    },
    /// The sale could not be opened.
    #[error("cannot open the sale")]
    Store(#[from] StoreError),
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: {cause}; give another address with --listen, or port 0 \
         for a free one"
    )]
    Listen {
        /// The address.
        address: String,
        /// What the system said.
        cause: io::Error,
    },
    /// The disk failed while serving.
    #[error(
        "stopped, because what is accepted can no longer be written: {0}. Everything that was \
         answered is safe; make room or repair the disk, then start again on the same folder"
    )]
    Disk(String),
}
