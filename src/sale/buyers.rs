//! How many orders each buyer of a sale has.

use std::hash::{BuildHasher, RandomState};

use crate::ids::BuyerId;
use crate::packed_name::PackedName;
use crate::split_table::SplitTable;

/// Bytes of a block of entries.
const BLOCK_LEN: usize = 1 << 16;

/// Bytes of the number of orders, which is before the packed name in an entry.
const ORDERS_LEN: usize = size_of::<u32>();

/// The buyers that have, or had, an order. There may be millions, so an entry has only as many
/// bytes as its name needs.
#[derive(Debug, Clone, Default)]
pub(super) struct Buyers {
    /// The entries, one after the other.
    blocks: Vec<Vec<u8>>,
    by_name: SplitTable,
    hasher: RandomState,
}

/// The entry at a place, and what follows it.
fn entry(blocks: &[Vec<u8>], place: u64) -> &[u8] {
    let block = blocks.get(place as usize / BLOCK_LEN);
    block.and_then(|block| block.get(place as usize % BLOCK_LEN..)).unwrap_or_default()
}

impl Buyers {
    /// The place and the number of orders of a buyer.
    fn get(&self, name: &PackedName, hash: u64) -> Option<(u64, u32)> {
        let is_key = |place| {
            let packed = entry(&self.blocks, place).get(ORDERS_LEN..);
            packed.is_some_and(|packed| packed.starts_with(name.as_bytes()))
        };
        let place = self.by_name.find(hash, is_key)?;
        let orders = entry(&self.blocks, place).first_chunk()?;
        Some((place, u32::from_le_bytes(*orders)))
    }

    fn packed(&self, buyer: &BuyerId) -> (PackedName, u64) {
        let name = PackedName::new(buyer.as_str());
        (name, self.hasher.hash_one(name.as_bytes()))
    }

    /// How many orders a buyer has.
    pub(super) fn orders(&self, buyer: &BuyerId) -> u32 {
        let (name, hash) = self.packed(buyer);
        self.get(&name, hash).map_or(0, |(_, orders)| orders)
    }

    /// Counts one more order of a buyer.
    pub(super) fn add(&mut self, buyer: &BuyerId) {
        let (name, hash) = self.packed(buyer);
        match self.get(&name, hash) {
            Some((place, orders)) => self.set(place, orders.saturating_add(1)),
            None => self.insert(name.as_bytes(), hash, 1),
        }
    }

    /// Counts one order less of a buyer.
    pub(super) fn remove(&mut self, buyer: &BuyerId) {
        let (name, hash) = self.packed(buyer);
        if let Some((place, orders)) = self.get(&name, hash) {
            self.set(place, orders.saturating_sub(1));
        }
    }

    fn set(&mut self, place: u64, orders: u32) {
        let block = self.blocks.get_mut(place as usize / BLOCK_LEN);
        let entry = block.and_then(|block| block.get_mut(place as usize % BLOCK_LEN..));
        if let Some(number) = entry.and_then(|entry| entry.first_chunk_mut()) {
            *number = orders.to_le_bytes();
        }
    }

    fn insert(&mut self, name: &[u8], hash: u64, orders: u32) {
        let len = ORDERS_LEN + name.len();
        if self.blocks.last().is_none_or(|block| block.len() + len > BLOCK_LEN) {
            // Most sales need less than one block.
            let capacity = if self.blocks.is_empty() { 0 } else { BLOCK_LEN };
            self.blocks.push(Vec::with_capacity(capacity));
        }
        let number = self.blocks.len() - 1;
        let block = &mut self.blocks[number];
        let place = (number * BLOCK_LEN + block.len()) as u64;
        block.extend_from_slice(&orders.to_le_bytes());
        block.extend_from_slice(name);
        self.by_name.insert(hash, place, |_| false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_of_very_many_buyers_are_counted_apart() {
        let mut buyers = Buyers::default();
        let names = (0..30_000).map(|number| format!("{number:0>width$}", width = 1 + number % 64));
        let ids: Vec<BuyerId> = names.map(|name| name.parse().unwrap()).collect();
        for (number, id) in ids.iter().enumerate() {
            assert_eq!(buyers.orders(id), 0, "{id}");
            (0..=number % 3).for_each(|_| buyers.add(id));
        }
        ids.iter().step_by(2).for_each(|id| buyers.remove(id));
        for (number, id) in ids.iter().enumerate() {
            let orders = number % 3 + number % 2;
            assert_eq!(buyers.orders(id) as usize, orders, "{id}");
        }
        let unknown: BuyerId = "unknown".parse().unwrap();
        buyers.remove(&unknown);
        assert_eq!(buyers.orders(&unknown), 0);
    }
}
