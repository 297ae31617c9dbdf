//! The decisions of a sale as a ledger reads them: in the order of acceptance, unpacked one after
//! the other.

use std::sync::Arc;

use crate::ids::RequestId;

use super::super::Decided;
use super::block::Block;
use super::row;

/// The decisions that have not been read.
#[derive(Debug)]
pub(in crate::store) struct MemoryRows {
    blocks: Vec<Arc<Block>>,
    places: std::vec::IntoIter<Place>,
}

/// Where a row is.
#[derive(Debug, Clone, Copy)]
struct Place {
    seq: u64,
    block: u32,
    offset: u32,
}

impl MemoryRows {
    /// All decisions in some blocks.
    pub(super) fn of(blocks: Vec<Arc<Block>>) -> Self {
        let mut places = Vec::new();
        for (number, block) in blocks.iter().enumerate() {
            places.extend(block.rows_from(0).map(|(offset, row)| Place {
                seq: row.seq,
                block: number as u32,
                offset: offset as u32,
            }));
        }
        // The order of decisions is nearly the same.
        places.sort_by_key(|place| place.seq);
        Self { blocks, places: places.into_iter() }
    }

    /// The next decisions, at most `max`.
    pub(in crate::store) fn next(&mut self, max: usize) -> Vec<Arc<Decided>> {
        let Self { blocks, places } = self;
        let read = |place: Place| {
            let block = blocks.get(place.block as usize)?;
            block.row(place.offset as usize)?.decided(&block.context).map(Arc::new)
        };
        places.take(max).filter_map(read).collect()
    }

    /// The ids of the decisions that have not been read.
    pub(in crate::store) fn ids(&self) -> impl Iterator<Item = RequestId> {
        self.places.as_slice().iter().filter_map(|place| {
            let block = self.blocks.get(place.block as usize)?;
            row::request_id(block.bytes_from(place.offset as usize))
        })
    }
}
