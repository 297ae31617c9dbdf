//! How much of a journal's file is written.

use super::frame::FILE_HEADER_LEN;

/// The committed part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// Its length in bytes, which is where the next record begins.
    pub(super) len: u64,
    /// Records in it.
    pub(super) records: u64,
    /// Those of them that the last compaction has kept.
    pub(super) kept: u64,
}

impl Extent {
    /// That of a file without records.
    pub(super) const EMPTY: Self = Self { len: FILE_HEADER_LEN as u64, records: 0, kept: 0 };

    /// Adds records with so many bytes.
    pub(super) fn add(&mut self, records: u64, bytes: u64) {
        self.records += records;
        self.len += bytes;
    }
}
