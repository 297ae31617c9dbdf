//! The items and sales that the store knows.

use std::sync::PoisonError;

use crate::ids::ItemId;

use super::super::StoreError;
use super::keys::{EPOCHS, ITEMS, item_of_epoch};
use super::link::{Access, Link};

impl Link {
    /// Every item that was ever on sale.
    pub(super) async fn items(&self) -> Result<Vec<ItemId>, StoreError> {
        let mut members = redis::cmd("SMEMBERS");
        let names: Vec<String> = self.ask(members.arg(ITEMS)).await?;
        let mut items: Vec<ItemId> = names.iter().filter_map(|name| name.parse().ok()).collect();
        items.sort_unstable();
        self.items.write().unwrap_or_else(PoisonError::into_inner).clone_from(&items);
        Ok(items)
    }

    /// Whether another item was on sale when the list was read last.
    pub(super) fn other_items_exist(&self, item: &ItemId) -> bool {
        let items = self.items.read().unwrap_or_else(PoisonError::into_inner);
        items.iter().any(|other| other != item)
    }

    /// Assigns the next epoch, and registers the item under it. In this order, so that a sale that
    /// is visible can be found by its epoch.
    pub(super) async fn register_sale(&self, item: &ItemId) -> Result<u64, StoreError> {
        let mut count = redis::pipe();
        let (epoch,): (u64,) = self.send(count.cmd("INCR").arg(EPOCHS), Access::Write).await?;
        let mut register = redis::pipe();
        register.cmd("SET").arg(item_of_epoch(epoch)).arg(item.as_str()).ignore();
        register.cmd("SADD").arg(ITEMS).arg(item.as_str()).ignore();
        let () = self.send(&register, Access::Write).await?;
        self.items().await?;
        Ok(epoch)
    }

    /// The item of a sale.
    pub(super) async fn item_of(&self, epoch: u64) -> Result<Option<ItemId>, StoreError> {
        let mut get = redis::cmd("GET");
        let name: Option<String> = self.ask(get.arg(item_of_epoch(epoch))).await?;
        Ok(name.and_then(|name| name.parse().ok()))
    }
}
