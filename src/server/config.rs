//! The configuration of a server.

use std::path::PathBuf;

use crate::flaws::Flaws;
use crate::journal::Durability;
use crate::queue::QueueAt;
use crate::sale::Terms;
use crate::secret::Secret;
use crate::store::StoreAt;
use crate::units::Rate;

/// The largest prefetch: the decisions of all consumers fit into what may wait for one commit.
pub const PREFETCH_MAX: usize = 400;

/// How to run a server. The caller has checked the values.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address to listen on; port 0 takes a free one.
    pub listen: String,
    /// The data dir: it holds the embedded queue and store, and the generated token.
    pub data: PathBuf,
    /// The queue.
    pub queue: QueueAt,
    /// The store.
    pub store: StoreAt,
    /// When an attempt counts as accepted in an embedded engine.
    pub durability: Durability,
    /// Whether this process accepts attempts.
    pub accepts: bool,
    /// Number of concurrent consumers; 0 in a process that only accepts attempts.
    pub consumers: usize,
    /// Attempts that one consumer takes at a time; 1 to [`PREFETCH_MAX`].
    pub prefetch: usize,
    /// Attempts that may wait in an embedded queue.
    pub queue_max: usize,
    /// Connections at a time.
    pub connections_max: usize,
    /// Attempts accepted per second.
    pub rate_limit: Option<Rate>,
    /// The admin token; if none is given, one is generated and kept in the data dir.
    pub admin_token: Option<Secret>,
    /// The sale to open if the store has none of this item.
    pub sale: Terms,
    /// Whether to open it even if the store has one.
    pub fresh_sale: bool,
    /// The flaws of the server; the options of its engines have their own.
    pub flaws: Flaws,
    /// Whether attempts are admitted without any check, as in the article.
    pub blind: bool,
}
