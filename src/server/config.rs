//! The configuration of a server.

use std::path::PathBuf;

use crate::flaws::Flaws;
use crate::profile::{FlagError, ServePlan};
use crate::queue::QueueAt;
use crate::sale::Terms;
use crate::secret::Secret;
use crate::settings::Durability;
use crate::store::StoreAt;
use crate::units::Rate;

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
    /// Attempts that one consumer takes at a time; 1 to [`crate::profile::PREFETCH_MAX`].
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

impl Config {
    /// The configuration for a plan.
    ///
    /// # Errors
    /// When the sale that is planned cannot be held.
    pub fn new(plan: ServePlan) -> Result<Self, FlagError> {
        let ServePlan { item, stock, per_buyer, opens_us, closes_us, flaws, .. } = plan;
        let sale = Terms { item, stock, per_buyer, opens_us, closes_us };
        sale.check().map_err(|problem| FlagError::new("closes-at", problem))?;
        let queue = QueueAt::new(plan.broker, plan.queue_max, &flaws);
        let store = StoreAt::new(plan.redis, &flaws);
        Ok(Self {
            listen: plan.listen,
            data: plan.data,
            queue,
            store,
            durability: plan.durability,
            accepts: plan.accepts,
            consumers: plan.consumers,
            prefetch: plan.prefetch,
            queue_max: plan.queue_max,
            connections_max: plan.connections_max,
            rate_limit: plan.rate_limit,
            admin_token: plan.admin_token,
            sale,
            fresh_sale: plan.fresh_sale,
            flaws,
            blind: plan.blind,
        })
    }
}
