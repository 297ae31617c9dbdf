//! How a server is to be run.

use std::path::PathBuf;

use crate::flaws::Flaws;
use crate::journal::Durability;
use crate::queue::QueueAt;
use crate::sale::Terms;
use crate::secret::Secret;
use crate::store::StoreAt;
use crate::units::Rate;

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
