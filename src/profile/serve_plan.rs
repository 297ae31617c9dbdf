//! The plan of a server. Every check of its flags happens here, before anything is started.

use std::path::PathBuf;
use std::time::Duration;

use crate::flaws::{Design, Flaws};
use crate::ids::{IdError, ItemId};
use crate::secret::{EngineUrl, Secret};
use crate::settings::{Durability, Role};
use crate::units::{Count, Rate};

use super::admission_plan::AdmissionPlan;
use super::check::{FlagError, check_token, time};
use super::engines::{BrokerPlan, broker, check_engines, flaws, redis};
use super::flags::ServeFlags;
use super::hold::HoldTime;
use super::listen::listen_address;
use super::open_files::check_open_files;
use super::waiting_room_plan::check_rate;

/// The data dir where none is given.
pub const DATA_DEFAULT: &str = "seckill-data";

/// Maximum number of consumers: more than the cores of any machine.
pub const CONSUMERS_MAX: usize = 64;

/// Maximum number of buckets: several for each node of a large cluster. Whoever finds its bucket
/// empty asks all of them.
const STOCK_BUCKETS_MAX: u64 = 64;

/// The largest prefetch: the decisions of so many attempts of each of [`CONSUMERS_MAX`] consumers
/// fit into what may wait for one commit.
pub const PREFETCH_MAX: usize = 400;

/// How long a replaced sale is kept where nothing else is said: a retry of yesterday's attempt is
/// still known.
const KEEP_REPLACED_DEFAULT: Duration = Duration::from_secs(24 * 3600);

/// The shortest such time: longer than an attempt takes to be accepted and decided.
const KEEP_REPLACED_MIN: Duration = Duration::from_secs(60);

/// A checked plan of a server.
#[derive(Debug, Clone)]
pub struct ServePlan {
    /// Address to listen on; port 0 selects a free port.
    pub listen: String,
    /// The data dir: it holds the embedded queue and store, and the generated token.
    pub data: PathBuf,
    /// The broker; `None` for the embedded queue.
    pub broker: Option<BrokerPlan>,
    /// The Redis server; `None` for the embedded store.
    pub redis: Option<EngineUrl>,
    /// Over how many buckets the stock in Redis is spread; 1 to 64.
    pub stock_buckets: usize,
    /// When an attempt counts as accepted in an embedded engine.
    pub durability: Durability,
    /// Whether this process accepts attempts.
    pub accepts: bool,
    /// Number of concurrent consumers; 0 in a process that only accepts attempts.
    pub consumers: usize,
    /// Attempts that one consumer takes at a time; 1 to [`PREFETCH_MAX`].
    pub prefetch: usize,
    /// Maximum number of queued attempts.
    pub queue_max: usize,
    /// Maximum number of open connections.
    pub connections_max: usize,
    /// Maximum number of attempts accepted per second.
    pub rate_limit: Option<Rate>,
    /// Maximum number of attempts of one buyer per second.
    pub buyer_rate_limit: Option<Rate>,
    /// The other limits on what is admitted.
    pub admission: AdmissionPlan,
    /// The admin token; without one, the server generates one.
    pub admin_token: Option<Secret>,
    /// The item on sale.
    pub item: ItemId,
    /// Units on sale.
    pub stock: u32,
    /// Maximum number of orders of one buyer.
    pub per_buyer: u32,
    /// When the sale opens, in microseconds since the Unix epoch.
    pub opens_us: Option<u64>,
    /// When the sale closes, in microseconds since the Unix epoch.
    pub closes_us: Option<u64>,
    /// How long an order is held until it is paid for, in microseconds.
    pub hold_us: Option<u64>,
    /// Whether to open the sale even if the store has one of this item.
    pub fresh_sale: bool,
    /// How long the embedded store keeps a sale that was replaced, with its results.
    pub keep_replaced: Duration,
    /// The flaws of the server.
    pub flaws: Flaws,
    /// Whether attempts are admitted without any check, as in the article.
    pub blind: bool,
}

impl ServePlan {
    /// Checks flags; `room` is the number of connections that fit the limit of open files.
    ///
    /// # Errors
    /// The first invalid flag.
    pub fn new(flags: &ServeFlags, room: u64) -> Result<Self, FlagError> {
        check_engines(flags)?;
        check_rate(flags)?;
        Self::of_profile(flags, room)
    }

    /// Checks the flags of a profile, which may leave the addresses of the engines to the
    /// environment.
    ///
    /// # Errors
    /// The first invalid flag.
    pub fn of_profile(flags: &ServeFlags, room: u64) -> Result<Self, FlagError> {
        let u32_max = u64::from(u32::MAX);
        let name = flags.item.as_deref().unwrap_or("default");
        let item = name.parse().map_err(|error: IdError| FlagError::new("item", error.to_string()));
        let connections = within("max-connections", flags.max_connections, room, 1, u32_max)?;
        check_open_files("max-connections", connections, room)?;
        check_token(flags.admin_token.as_ref())?;
        let (opens_us, closes_us) =
            (flags.opens_at.map(|moment| moment.0), flags.closes_at.map(|moment| moment.0));
        if closes_us.is_some_and(|closes_us| opens_us.unwrap_or(0) >= closes_us) {
            return Err(FlagError::new("closes-at", "the sale closes before it opens"));
        }
        let consumers = within("consumers", flags.consumers, 1, 1, CONSUMERS_MAX as u64)? as usize;
        let role = flags.role.unwrap_or_default();
        let listen = match role {
            Role::Consumer => "127.0.0.1:0",
            Role::All | Role::Api => "127.0.0.1:7001",
        };
        Ok(Self {
            listen: listen_address(flags.listen.as_deref().unwrap_or(listen))?,
            data: flags.data.clone().unwrap_or_else(|| PathBuf::from(DATA_DEFAULT)),
            broker: broker(flags)?,
            redis: redis(flags)?,
            stock_buckets: within("stock-buckets", flags.stock_buckets, 1, 1, STOCK_BUCKETS_MAX)?
                as usize,
            durability: flags.durability.unwrap_or_default(),
            accepts: role != Role::Consumer,
            consumers: if role == Role::Api { 0 } else { consumers },
            prefetch: within("prefetch", flags.prefetch, 256, 1, PREFETCH_MAX as u64)? as usize,
            queue_max: within("max-queue", flags.max_queue, 100_000, 1, u32_max)? as usize,
            connections_max: connections as usize,
            rate_limit: flags.rate_limit,
            buyer_rate_limit: flags.buyer_rate_limit,
            admission: AdmissionPlan::new(flags)?,
            admin_token: flags.admin_token.clone(),
            item: item?,
            stock: within("stock", flags.stock, 10, 0, u32_max)? as u32,
            per_buyer: within("per-buyer", flags.per_buyer, 1, 1, u32_max)? as u32,
            opens_us,
            closes_us,
            hold_us: flags.hold.map(HoldTime::us),
            fresh_sale: flags.fresh_sale.unwrap_or(false),
            keep_replaced: keep_replaced(flags)?,
            flaws: flaws(flags),
            blind: flags.design == Some(Design::Article),
        })
    }
}

fn keep_replaced(flags: &ServeFlags) -> Result<Duration, FlagError> {
    let time = time("keep-replaced", flags.keep_replaced)?.unwrap_or(KEEP_REPLACED_DEFAULT);
    if time < KEEP_REPLACED_MIN {
        return Err(FlagError::new("keep-replaced", "must be at least 1m"));
    }
    Ok(time)
}

fn within(
    flag: &'static str,
    given: Option<Count>,
    default: u64,
    min: u64,
    max: u64,
) -> Result<u64, FlagError> {
    let count = given.map_or(default, |count| count.0);
    if (min..=max).contains(&count) {
        Ok(count)
    } else {
        Err(FlagError::new(flag, format!("{count} is not between {min} and {max}")))
    }
}
