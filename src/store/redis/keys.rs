//! The keys in Redis, all of them in one database and under one prefix.
//!
//! | key, after the prefix | holds |
//! | --- | --- |
//! | `layout` | which layout of keys this is |
//! | `items` | every item that was ever on sale, with the epoch of its current sale |
//! | `epochs` | how many sales were opened |
//! | `seq` | last position in the order of acceptance |
//! | `decided` | decisions by request id |
//! | `waiting` | announced attempts by request id |
//! | `unconfirmed` | ids of announced attempts that are not known to be queued |
//! | `twins` | ids of announced attempts that were announced more than once |
//! | `queued:ITEM` | ids of the announced attempts at an item, by position in the order |
//! | `held` | held orders, as the ids of the attempts that won them, with their deadlines |
//! | `ended` | status and moment of each order that was held, by request id |
//! | `sale:E` | of the sale with epoch E: `epoch terms item per_buyer opens closes left orders` |
//! | `sale:E`, too | with a hold: `hold`, the numbers of orders `returned` and `paid` |
//! | `bought:E` | orders by buyer, of a current sale |
//! | `withdrawn:E` | tombstones: last withdrawn position by request id |
//! | `ledger:E` | request ids in the order of their decisions |
//! | `ends:E` | request id, status and moment of each order that was held, in their order |
//! | `fence` | nothing of use: in a cluster it is written after each batch, before `WAIT` |
//! | `route` | nothing, ever: each script names it |
//!
//! Where a store has several buckets (`--stock-buckets`), each has all of these under a prefix of
//! its own, and these:
//!
//! | key, after the prefix | holds |
//! | --- | --- |
//! | `ids` | the bucket that has an attempt, and its position there, by request id |
//! | `opening` | in the first bucket: items whose current sale may not be current in all others |
//! | `sale:E`, too | `prepared`, until it is opened |
//! | `sale:E`, too | `given:K` and `got:K`, the units that ever went to bucket K or came from it |
//!
//! `decided` and `waiting` are the only index of request ids, for all items: an id is found with
//! the same commands however many items there are, and a script that announces it sees it whatever
//! its item. The same holds for `held` and `ended`, so that due orders of all sales are found with
//! one command. The ids of a sale are those in its `ledger:E` and its item's `queued:ITEM`, for
//! whoever is to delete a sale; this program deletes none.
//!
//! The scripts name their keys themselves, so that they need a server which holds all keys. The
//! prefix is a hash tag, which puts all keys into one slot of a cluster. A script is told one key,
//! `route`, by which a node that does not have the slot refuses the script before it runs. While
//! the slot is being moved from one node to another, a script could find some of its keys gone and
//! stop halfway. The node then refuses keys that it does not have, and `route` is never there: so
//! it refuses all scripts.

use std::sync::Arc;

/// What all keys begin with; where there are several buckets, those of the first one.
const PREFIX: &str = "{seckill}:";

/// The key that each script names; where there are several buckets, it is in the slot of the first.
pub const ROUTE: &str = "{seckill}:route";

/// The keys of one bucket: what they begin with, and the one that its scripts name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Keys {
    prefix: Arc<str>,
    route: Arc<str>,
    /// Which bucket this is, from 0.
    pub(super) number: usize,
}

impl Keys {
    /// The keys of a store that has one bucket.
    pub(super) fn of_one() -> Self {
        Self { prefix: PREFIX.into(), route: ROUTE.into(), number: 0 }
    }

    /// The keys of one of several buckets, which have this hash tag. The scripts read the two
    /// numbers from `route`.
    pub(super) fn of_bucket(tag: &str, number: usize, buckets: usize) -> Self {
        let prefix = format!("{{{tag}}}:");
        let route = format!("{prefix}route:{buckets}:{number}");
        Self { prefix: prefix.into(), route: route.into(), number }
    }

    /// The key that each script names.
    pub(super) fn route(&self) -> &str {
        &self.route
    }

    /// A key that there is once.
    pub(super) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// A key that there is once for each item or sale.
    pub(super) fn key_of(&self, name: &str, whose: impl std::fmt::Display) -> String {
        format!("{}{name}:{whose}", self.prefix)
    }
}
