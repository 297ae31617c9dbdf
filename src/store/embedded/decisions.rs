//! The decisions of all sales: packed, and found by the ids of their attempts.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use crate::ids::RequestId;
use crate::split_table::SplitTable;

use super::super::Decided;
use super::block::{BLOCK_LEN, Block};
use super::row::{self, Row};

/// A decision and the sequence number of its journal record: it counts once that is committed.
#[derive(Debug, Clone)]
pub(super) struct Logged {
    pub(super) decided: Arc<Decided>,
    pub(super) record: u64,
}

/// All decisions.
#[derive(Debug, Default)]
pub(super) struct Decisions {
    /// The blocks of all sales, by their numbers. A ledger that is being made shares them.
    blocks: Vec<Option<Arc<Block>>>,
    /// The numbers without a block.
    free: Vec<usize>,
    /// The place of the last decision on each attempt.
    by_id: SplitTable,
    hasher: RandomState,
    /// The row that is being added.
    row: Vec<u8>,
}

/// Which decisions are those of one sale.
#[derive(Debug, Default)]
pub(super) struct OfSale {
    /// The numbers of its blocks, in the order in which they were filled.
    blocks: Vec<usize>,
    /// The journal record of the newest decision.
    pub(super) newest_record: Option<u64>,
}

/// The decisions of a sale that is leaving.
#[derive(Debug, Default)]
pub(super) struct Leaving {
    /// The blocks that are still here.
    blocks: Vec<usize>,
    /// How much of the last of them has left the index, in bytes.
    offset: usize,
}

impl From<OfSale> for Leaving {
    fn from(sale: OfSale) -> Self {
        Self { blocks: sale.blocks, offset: 0 }
    }
}

impl Leaving {
    /// Whether nothing is leaving.
    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }
}

/// A row's place as the index has it: the number of its block, and where it begins there.
fn place(block: usize, offset: usize) -> u64 {
    (block * BLOCK_LEN + offset) as u64
}

impl Decisions {
    /// How many attempts are decided.
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    fn find(&self, request_id: &RequestId) -> Option<u64> {
        let is_key = |place| id_at(&self.blocks, place) == Some(*request_id);
        self.by_id.find(self.hasher.hash_one(request_id), is_key)
    }

    fn row(&self, request_id: &RequestId) -> Option<(&Block, Row<'_>)> {
        let (block, offset) = block_at(&self.blocks, self.find(request_id)?)?;
        Some((block, block.row(offset)?))
    }

    /// Whether an attempt with this id is decided.
    pub(super) fn has(&self, request_id: &RequestId) -> bool {
        self.find(request_id).is_some()
    }

    /// The decision on the attempt with this id.
    pub(super) fn get(&self, request_id: &RequestId) -> Option<Logged> {
        let (block, row) = self.row(request_id)?;
        Some(Logged { decided: Arc::new(row.decided(&block.context)?), record: row.record })
    }

    /// The epoch, and the position in the order of acceptance, of a decided attempt.
    pub(super) fn epoch_and_seq(&self, request_id: &RequestId) -> Option<(u64, u64)> {
        self.row(request_id).map(|(_, row)| (row.epoch, row.seq))
    }

    /// Adds a decision, after all others of its sale.
    pub(super) fn insert(&mut self, sale: &mut OfSale, decided: &Decided, record: u64) {
        let last = sale.blocks.last().copied();
        let place = match last.and_then(|number| self.push(number, decided, record)) {
            Some(place) => place,
            None => {
                let capacity = if last.is_none() { 0 } else { BLOCK_LEN };
                let number = self.add(Block::near(decided, record, capacity));
                sale.blocks.push(number);
                self.push(number, decided, record).unwrap_or_default()
            }
        };
        sale.newest_record = sale.newest_record.max(Some(record));
        let Self { blocks, by_id, hasher, .. } = self;
        let request_id = decided.attempt.request_id;
        let is_key = |place| id_at(blocks, place) == Some(request_id);
        by_id.insert(hasher.hash_one(request_id), place, is_key);
    }

    /// Appends a decision to a block, if that has room for it.
    fn push(&mut self, number: usize, decided: &Decided, record: u64) -> Option<u64> {
        let block = self.blocks.get_mut(number)?.as_mut()?;
        self.row.clear();
        row::write(&mut self.row, &block.context, decided, record);
        // A block that a ledger shares is copied.
        let has_room = block.has_room(self.row.len());
        has_room.then(|| place(number, Arc::make_mut(block).push(&self.row)))
    }

    fn add(&mut self, block: Block) -> usize {
        let number = self.free.pop().unwrap_or(self.blocks.len());
        if number == self.blocks.len() {
            self.blocks.push(None);
        }
        self.blocks[number] = Some(Arc::new(block));
        number
    }

    /// The blocks of a sale as they are now.
    pub(super) fn blocks_of(&self, sale: &OfSale) -> Vec<Arc<Block>> {
        let blocks = sale.blocks.iter().filter_map(|number| self.blocks[*number].as_ref());
        blocks.map(Arc::clone).collect()
    }

    /// Removes at most `max` of the decisions that are leaving, and the blocks that have no other
    /// ones.
    pub(super) fn remove(&mut self, leaving: &mut Leaving, max: usize) {
        let mut left = max;
        while let Some(number) = leaving.blocks.last().copied() {
            let Some(block) = self.blocks[number].clone() else { return };
            for (offset, row) in block.rows_from(leaving.offset) {
                if left == 0 {
                    return;
                }
                left -= 1;
                let hash = self.hasher.hash_one(row.request_id);
                self.by_id.remove(hash, |entry| entry == place(number, offset));
                leaving.offset = offset + row.len;
            }
            self.blocks[number] = None;
            self.free.push(number);
            leaving.blocks.pop();
            leaving.offset = 0;
        }
    }
}

fn block_at(blocks: &[Option<Arc<Block>>], place: u64) -> Option<(&Block, usize)> {
    let (number, offset) = (place as usize / BLOCK_LEN, place as usize % BLOCK_LEN);
    Some((blocks.get(number)?.as_deref()?, offset))
}

fn id_at(blocks: &[Option<Arc<Block>>], place: u64) -> Option<RequestId> {
    let (block, offset) = block_at(blocks, place)?;
    row::request_id(block.bytes_from(offset))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // In a test, that is an assertion.
mod tests;
