//! A journal file that tests write, read, damage and reopen.

use std::fs;
use std::ops::Range;
use std::path::PathBuf;

use seckill::journal::{Durability, Journal, JournalError};
use tempfile::TempDir;

/// The lengths in the documented format.
pub(super) const FILE_HEADER_LEN: usize = 28;
pub(super) const FRAME_HEADER_LEN: usize = 28;

/// A disk writes or loses a sector as a whole.
pub(super) const SECTOR_LEN: usize = 512;

/// A step through all bit flips that visits each byte once, with a different bit in turn.
pub(super) const ONE_BIT_OF_EACH_BYTE: usize = 7;

pub(super) type Records = Vec<(u64, Vec<u8>)>;

/// A journal file in a temporary folder.
pub(super) struct Disk {
    folder: TempDir,
}

/// The position of a frame in the file, and the numbers in its header.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) place: Range<usize>,
    pub(super) seq: u64,
    pub(super) batch: u64,
}

impl Disk {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A journal with these records, each inner list written as one batch.
    pub(super) fn with_batches(batches: &[Vec<Vec<u8>>]) -> Self {
        let disk = Self::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let journal = disk.open().unwrap().0;
        let mut first_seqs = Vec::new();
        for batch in batches {
            let first_seq = journal.next_seq();
            let (last, before) = batch.split_last().unwrap();
            before.iter().for_each(|record| journal.append_later(record).unwrap());
            runtime.block_on(journal.append(last).unwrap()).unwrap();
            first_seqs.extend(batch.iter().map(|_| first_seq));
        }
        drop(journal);
        let written: Vec<_> = frames(&disk.read()).iter().map(|frame| frame.batch).collect();
        assert_eq!(written, first_seqs, "each batch was written as one");
        disk
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("test.journal")
    }

    pub(super) fn read(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }

    pub(super) fn write(&self, bytes: &[u8]) {
        fs::write(self.path(), bytes).unwrap();
    }

    /// Opens the journal, and returns the records that it replayed.
    pub(super) fn open(&self) -> Result<(Journal, Records), JournalError> {
        self.open_as(Durability::Os)
    }

    pub(super) fn open_as(
        &self,
        durability: Durability,
    ) -> Result<(Journal, Records), JournalError> {
        let mut records = Vec::new();
        let journal = Journal::open(&self.path(), durability, |seq, record| {
            records.push((seq, record.to_vec()));
            Ok(())
        })?;
        Ok((journal, records))
    }

    pub(super) fn replay(&self) -> Records {
        self.open().unwrap().1
    }

    /// Replaces the file by `bytes`, and expects that exactly these records are replayed, that the
    /// rest is cut, and that the journal can be appended to.
    #[track_caller]
    pub(super) fn expect_cut(
        &self,
        bytes: &[u8],
        records: &[(u64, Vec<u8>)],
        end: usize,
        what: &str,
    ) {
        self.write(bytes);
        let (journal, replayed) = self.open().unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(replayed, records, "{what}");
        assert_eq!(journal.cut_bytes(), (bytes.len() - end) as u64, "{what}");
        assert_eq!(self.read(), bytes[..end], "{what}");
        let seq = journal.next_seq();
        assert_eq!(seq, records.len() as u64, "{what}");
        journal.append_later(b"one more").unwrap();
        drop(journal);
        let (journal, replayed) = self.open().unwrap();
        assert_eq!(replayed.split_last().unwrap(), (&(seq, b"one more".to_vec()), records));
        assert_eq!(journal.cut_bytes(), 0, "{what}");
    }

    /// Replaces the file by `bytes`, and expects that it is rejected because of the damaged record
    /// at `at`, and left unchanged.
    #[track_caller]
    pub(super) fn expect_damaged(&self, bytes: &[u8], at: &Frame, what: &str) {
        self.write(bytes);
        match self.open().map(|(journal, records)| (journal.cut_bytes(), records.len())) {
            Err(JournalError::Damaged { path, offset, seq }) => {
                assert_eq!((offset, seq), (at.place.start as u64, at.seq), "{what}");
                assert_eq!(path, self.path(), "{what}");
            }
            other => panic!("{what}: {other:?}"),
        }
        assert!(self.read() == bytes, "{what}: the file was changed");
    }
}

/// The frames of an undamaged file.
pub(super) fn frames(bytes: &[u8]) -> Vec<Frame> {
    let (mut start, mut frames) = (FILE_HEADER_LEN, Vec::new());
    while start < bytes.len() {
        let u32_at = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let u64_at = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        let end = start + FRAME_HEADER_LEN + (u32_at(start) >> 8) as usize;
        frames.push(Frame { place: start..end, seq: u64_at(start + 8), batch: u64_at(start + 16) });
        start = end;
    }
    frames
}

/// A record such as the server writes: text without a zero byte.
pub(super) fn text(number: usize, len: usize) -> Vec<u8> {
    format!("record {number} ").bytes().cycle().take(len).collect()
}

/// Distinct records of about this length.
pub(super) fn texts(count: usize, len: usize) -> Vec<Vec<u8>> {
    (0..count).map(|number| text(number, len + number)).collect()
}

pub(super) fn each_alone(records: Vec<Vec<u8>>) -> Vec<Vec<Vec<u8>>> {
    records.into_iter().map(|record| vec![record]).collect()
}

/// Copies of the file, each with one bit in this range flipped.
pub(super) fn flips(bytes: &[u8], place: Range<usize>) -> impl Iterator<Item = (Vec<u8>, String)> {
    place.flat_map(|at| (0..8).map(move |bit| (at, bit))).map(|(at, bit)| {
        let mut flipped = bytes.to_vec();
        flipped[at] ^= 1 << bit;
        (flipped, format!("bit {bit} of byte {at}"))
    })
}

/// The sectors of this range, the first and last one clipped to it.
pub(super) fn sectors(place: Range<usize>) -> Vec<Range<usize>> {
    let numbers = place.start / SECTOR_LEN..=(place.end - 1) / SECTOR_LEN;
    let clip = |number: usize| {
        let begin = number * SECTOR_LEN;
        begin.max(place.start)..(begin + SECTOR_LEN).min(place.end)
    };
    numbers.map(clip).collect()
}

pub(super) fn zeroed(bytes: &[u8], place: Range<usize>) -> Vec<u8> {
    let mut zeroed = bytes.to_vec();
    zeroed[place].fill(0);
    zeroed
}
