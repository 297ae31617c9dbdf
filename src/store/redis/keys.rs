//! The keys in Redis. All keys of one item share a hash tag, so that a cluster keeps them in one
//! slot.
//!
//! | key | holds |
//! | --- | --- |
//! | `seckill:items` | set of all items that were ever on sale |
//! | `seckill:epochs` | how many sales were opened |
//! | `seckill:epoch:E` | the item of sale E |
//! | `seckill:{item}:present` | epoch of the item's current sale |
//! | `seckill:{item}:sale:E` | `epoch terms item per_buyer opens closes left orders` |
//! | `seckill:{item}:bought:E` | orders by buyer, of the current sale |
//! | `seckill:{item}:seq` | last position in the order of acceptance |
//! | `seckill:{item}:waiting` | announced attempts by request id |
//! | `seckill:{item}:unconfirmed` | ids of announced attempts that are not known to be queued |
//! | `seckill:{item}:twins` | request ids that were announced more than once |
//! | `seckill:{item}:withdrawn:E` | tombstones of sale E: last withdrawn position by request id |
//! | `seckill:{item}:decided` | decisions by request id |
//! | `seckill:{item}:ledger:E` | request ids in the order of their decisions |

use crate::ids::ItemId;

pub(super) const ITEMS: &str = "seckill:items";
pub(super) const EPOCHS: &str = "seckill:epochs";

pub(super) fn item_of_epoch(epoch: u64) -> String {
    format!("seckill:epoch:{epoch}")
}

/// The keys of one item.
pub(super) struct Keys {
    /// The common prefix; the scripts append the rest.
    pub(super) prefix: String,
}

impl Keys {
    pub(super) fn of(item: &ItemId) -> Self {
        Self { prefix: format!("seckill:{{{item}}}") }
    }

    pub(super) fn waiting(&self) -> String {
        format!("{}:waiting", self.prefix)
    }

    pub(super) fn unconfirmed(&self) -> String {
        format!("{}:unconfirmed", self.prefix)
    }

    pub(super) fn withdrawn(&self, epoch: u64) -> String {
        format!("{}:withdrawn:{epoch}", self.prefix)
    }

    pub(super) fn decided(&self) -> String {
        format!("{}:decided", self.prefix)
    }

    pub(super) fn ledger(&self, epoch: u64) -> String {
        format!("{}:ledger:{epoch}", self.prefix)
    }

    pub(super) fn bought(&self, epoch: u64) -> String {
        format!("{}:bought:{epoch}", self.prefix)
    }

    pub(super) fn sale(&self, epoch: u64) -> String {
        format!("{}:sale:{epoch}", self.prefix)
    }
}
