//! Some of a sale's decisions, one packed row after the other.

use super::super::Decided;
use super::row::{Context, Row};

/// Most bytes of a block, unless it has a single row.
pub(super) const BLOCK_LEN: usize = 1 << 16;

/// Bytes that a block has room for at first, if its sale may have few decisions.
const FIRST_LEN: usize = 256;

/// Rows of one sale. It only grows.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) context: Context,
    bytes: Vec<u8>,
}

impl Block {
    /// An empty block for rows like this one, with room for `capacity` bytes.
    pub(super) fn near(decided: &Decided, record: u64, capacity: usize) -> Self {
        let attempt = &decided.attempt;
        let context = Context {
            item: attempt.item.clone(),
            epoch: attempt.epoch,
            seq: attempt.seq,
            accepted_us: attempt.accepted_us,
            record,
        };
        Self { context, bytes: Vec::with_capacity(capacity) }
    }

    /// Whether there is room for a row of this length.
    pub(super) fn has_room(&self, len: usize) -> bool {
        self.bytes.is_empty() || self.bytes.len() + len <= BLOCK_LEN
    }

    /// Appends a packed row, and returns where it begins.
    pub(super) fn push(&mut self, row: &[u8]) -> usize {
        let offset = self.bytes.len();
        if self.bytes.capacity() < offset + row.len() {
            // A full block has no bytes to spare.
            let doubled = (2 * self.bytes.capacity()).clamp(FIRST_LEN, BLOCK_LEN);
            self.bytes.reserve_exact(doubled.max(offset + row.len()) - offset);
        }
        self.bytes.extend_from_slice(row);
        offset
    }

    /// The bytes from the row at this place on.
    pub(super) fn bytes_from(&self, offset: usize) -> &[u8] {
        self.bytes.get(offset..).unwrap_or_default()
    }

    /// The row at this place.
    pub(super) fn row(&self, offset: usize) -> Option<Row<'_>> {
        Row::read(self.bytes_from(offset), &self.context)
    }

    /// The rows from this place on, each with where it begins.
    pub(super) fn rows_from(&self, mut offset: usize) -> impl Iterator<Item = (usize, Row<'_>)> {
        std::iter::from_fn(move || {
            let row = self.row(offset)?;
            let at = offset;
            offset += row.len;
            Some((at, row))
        })
    }
}
