//! The flags of `seckill serve`.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use serde::{Deserialize, Serialize};

use crate::flaws::{Design, Flaw};
use crate::secret::{EngineUrl, Secret};
use crate::settings::{Durability, LogFormat, QueueType, Role, RoomOrder};
use crate::units::{Count, Moment, Rate, Span};

use super::super::hold::HoldTime;
use super::super::network::Network;

layered! {
    /// The flags of `seckill serve`: the sale, and how it is served.
    pub struct ServeFlags {
        /// Address to listen on; port 0 selects a free port [default: 127.0.0.1:7001, or a free
        /// port for a consumer]
        #[arg(long, env = "SECKILL_LISTEN", value_name = "ADDR")]
        pub listen: Option<String>,
        /// Number of units on sale [default: 10]
        #[arg(long, env = "SECKILL_STOCK", value_name = "N")]
        pub stock: Option<Count>,
        /// Name of the item [default: default]
        #[arg(long, env = "SECKILL_ITEM", value_name = "NAME")]
        pub item: Option<String>,
        /// Maximum number of orders of one buyer [default: 1]
        #[arg(long, env = "SECKILL_PER_BUYER", value_name = "N")]
        pub per_buyer: Option<Count>,
        /// Hold each order for this time: it expires unless its buyer pays [default: orders need no
        /// payment]
        #[arg(long, env = "SECKILL_HOLD", value_name = "TIME")]
        pub hold: Option<HoldTime>,
        /// When the sale opens: RFC 3339, or +5s from now [default: immediately]
        #[arg(long, env = "SECKILL_OPENS_AT", value_name = "MOMENT")]
        pub opens_at: Option<Moment>,
        /// When the sale closes: RFC 3339, or +1h from now [default: never]
        #[arg(long, env = "SECKILL_CLOSES_AT", value_name = "MOMENT")]
        pub closes_at: Option<Moment>,
        /// Open a fresh sale even if the store has one of this item
        #[arg(long, env = "SECKILL_FRESH_SALE", num_args = 0..=1, require_equals = true,
              default_missing_value = "true", value_parser = BoolishValueParser::new(),
              value_name = "BOOL")]
        pub fresh_sale: Option<bool>,
        /// Queue of the attempts: embedded, or amqp://user:password@host:5672/vhost; several
        /// brokers, as host1:5672,host2:5672, are tried in turn [default: embedded]
        #[arg(long, env = "SECKILL_QUEUE", hide_env_values = true, value_name = "embedded|URL")]
        pub queue: Option<EngineUrl>,
        /// Store that decides the attempts: embedded, redis://user:password@host:6379/0, or a Redis
        /// Cluster, redis+cluster://user:password@host1:6379,host2:6379 [default: embedded]
        #[arg(long, env = "SECKILL_STORE", hide_env_values = true, value_name = "embedded|URL")]
        pub store: Option<EngineUrl>,
        /// Spread the stock in Redis over this many buckets, each in a slot of its own, so that
        /// several nodes of a Redis Cluster share the work of one item [default: 1]
        #[arg(long, env = "SECKILL_STOCK_BUCKETS", value_name = "N")]
        pub stock_buckets: Option<Count>,
        /// Whether this process accepts attempts, decides them, or both [default: all]
        #[arg(long, env = "SECKILL_ROLE", value_enum, value_name = "all|api|consumer")]
        pub role: Option<Role>,
        /// Name of the broker's queue; its dead-letter queue is NAME.dead [default: seckill]
        #[arg(long, env = "SECKILL_QUEUE_NAME", value_name = "NAME")]
        pub queue_name: Option<String>,
        /// Type of the broker's queue: on one node, or replicated over a cluster [default:
        /// classic]
        #[arg(long, env = "SECKILL_QUEUE_TYPE", value_enum, value_name = "classic|quorum")]
        pub queue_type: Option<QueueType>,
        /// Time-out for a confirm of the broker, after which the outcome is unknown [default: 5s]
        #[arg(long, env = "SECKILL_PUBLISH_TIMEOUT", value_name = "TIME")]
        pub publish_timeout: Option<Span>,
        /// Time-out for opening a connection to the broker [default: 5s]
        #[arg(long, env = "SECKILL_BROKER_CONNECT_TIMEOUT", value_name = "TIME")]
        pub broker_connect_timeout: Option<Span>,
        /// Design of the server [default: hardened]
        #[arg(long, env = "SECKILL_DESIGN", value_enum, value_name = "hardened|article")]
        pub design: Option<Design>,
        /// Build in a flaw that real systems have: see --list-flaws
        #[arg(long, env = "SECKILL_FLAW", value_enum, value_delimiter = ',', num_args = 1..,
              hide_possible_values = true, value_name = "NAME")]
        pub flaw: Option<Vec<Flaw>>,
        /// Folder of the embedded queue and store [default: ./seckill-data]
        #[arg(long, env = "SECKILL_DATA", value_name = "DIR")]
        pub data: Option<PathBuf>,
        /// When an attempt counts as accepted [default: fsync]
        #[arg(long, env = "SECKILL_DURABILITY", value_enum, value_name = "fsync|os|none")]
        pub durability: Option<Durability>,
        /// Time for which the embedded store keeps a sale that was replaced, with its results
        /// [default: 24h]
        #[arg(long, env = "SECKILL_KEEP_REPLACED", value_name = "TIME")]
        pub keep_replaced: Option<Span>,
        /// Number of concurrent consumers [default: 1]
        #[arg(long, env = "SECKILL_CONSUMERS", value_name = "N")]
        pub consumers: Option<Count>,
        /// Maximum number of attempts that a consumer takes at a time [default: 256]
        #[arg(long, env = "SECKILL_PREFETCH", value_name = "N")]
        pub prefetch: Option<Count>,
        /// Maximum number of queued attempts; further ones are refused with queue_full [default:
        /// 100k]
        #[arg(long, env = "SECKILL_MAX_QUEUE", value_name = "N")]
        pub max_queue: Option<Count>,
        /// Maximum number of queued attempts at an item for each unit that is left of it; further
        /// ones are refused with queue_full [default: no limit]
        #[arg(long, env = "SECKILL_ADMIT_FACTOR", value_name = "F")]
        pub admit_factor: Option<Count>,
        /// Maximum time that an attempt would be queued, at the present rate; further ones are
        /// refused with queue_full [default: no limit]
        #[arg(long, env = "SECKILL_MAX_WAIT", value_name = "TIME")]
        pub max_wait: Option<Span>,
        /// Maximum number of open connections [default: as many as the limit of open files allows]
        #[arg(long, env = "SECKILL_MAX_CONNECTIONS", value_name = "N")]
        pub max_connections: Option<Count>,
        /// Maximum number of attempts accepted per second; further ones are refused with
        /// rate_limited [default: no limit]
        #[arg(long, env = "SECKILL_RATE_LIMIT", value_name = "N/s")]
        pub rate_limit: Option<Rate>,
        /// Maximum number of attempts of each buyer per second, and at once; further ones are
        /// refused with rate_limited [default: no limit]
        #[arg(long, env = "SECKILL_BUYER_RATE_LIMIT", value_name = "N/s")]
        pub buyer_rate_limit: Option<Rate>,
        /// Maximum number of attempts of each address per second, and at once; further ones are
        /// refused with rate_limited [default: no limit]
        #[arg(long, env = "SECKILL_ADDRESS_RATE_LIMIT", value_name = "N/s")]
        pub address_rate_limit: Option<Rate>,
        /// Networks of the proxies whose X-Forwarded-For is believed, for --address-rate-limit
        /// [default: none]
        #[arg(long, env = "SECKILL_TRUSTED_PROXIES", value_delimiter = ',', num_args = 1..,
              value_name = "CIDR")]
        pub trusted_proxies: Option<Vec<Network>>,
        /// Have buyers take tickets, and admit these in the order in which they were taken, or
        /// those of before the opening in an order that is drawn [default: no waiting room]
        #[arg(long, env = "SECKILL_WAITING_ROOM", value_enum, value_name = "first-come|shuffled")]
        pub waiting_room: Option<RoomOrder>,
        /// Tickets that each process admits per second [default: as many as the server can take]
        #[arg(long, env = "SECKILL_WAITING_ROOM_RATE", value_name = "N/s")]
        pub waiting_room_rate: Option<Rate>,
        /// Time for which a ticket is valid after the opening, and after it was last asked for
        /// [default: 10m]
        #[arg(long, env = "SECKILL_TICKET_TTL", value_name = "TIME")]
        pub ticket_ttl: Option<Span>,
        /// Secret that signs tickets, the same for all processes [default: generated, and written
        /// to DIR/waiting-room-secret]
        #[arg(long, env = "SECKILL_WAITING_ROOM_SECRET", hide_env_values = true,
              value_name = "SECRET")]
        pub waiting_room_secret: Option<Secret>,
        /// Log filter: a level, or modules with their levels, such as seckill::server=debug
        /// [default: info]
        ///
        /// The syntax is that of RUST_LOG, which takes precedence
        #[arg(long, env = "SECKILL_LOG", value_name = "FILTER")]
        pub log: Option<String>,
        /// Format of the log [default: text]
        #[arg(long, env = "SECKILL_LOG_FORMAT", value_enum, value_name = "text|json")]
        pub log_format: Option<LogFormat>,
        /// Admin token [default: generated, and written to DIR/admin-token]
        #[arg(long, env = "SECKILL_ADMIN_TOKEN", hide_env_values = true, value_name = "TOKEN")]
        pub admin_token: Option<Secret>,
    }
}
