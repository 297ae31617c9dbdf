//! Compaction: what is kept, and what a crash or damage leaves of it.

use std::fs;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;

use seckill::journal::{Journal, JournalError};

use super::disk::{Disk, FILE_HEADER_LEN, ONE_BIT_OF_EACH_BYTE, Records, frames, texts};

/// A journal with these records, each in a batch of its own.
fn with_records(count: usize) -> Disk {
    Disk::with_batches(&texts(count, 40).into_iter().map(|text| vec![text]).collect::<Vec<_>>())
}

/// Compacts a journal, and waits until the writer has replaced its file.
fn compact(disk: &Disk, journal: &Journal, mut keep: impl FnMut(u64, &[u8]) -> bool) {
    let inode = || fs::metadata(disk.path()).unwrap().ino();
    let before = inode();
    while !journal.compact(&mut keep).unwrap() {
        std::thread::yield_now();
    }
    while inode() == before {
        std::thread::yield_now();
    }
}

fn is_third(seq: u64) -> bool {
    seq.is_multiple_of(3)
}

/// A file of ten records, of which each third one was kept, and five more.
fn compacted() -> (Disk, Records) {
    let disk = with_records(10);
    let mut expected = disk.replay();
    expected.retain(|(seq, _)| is_third(*seq));
    let journal = disk.open().unwrap().0;
    compact(&disk, &journal, |seq, _| is_third(seq));
    for text in texts(5, 30) {
        expected.push((journal.next_seq(), text.clone()));
        journal.append_later(&text).unwrap();
    }
    drop(journal);
    (disk, expected)
}

/// Where the kept frames are, and the others.
fn parts(bytes: &[u8]) -> (Range<usize>, Range<usize>) {
    let end = frames(bytes).iter().find(|frame| frame.seq >= 10).unwrap().place.start;
    (FILE_HEADER_LEN..end, end..bytes.len())
}

#[test]
fn records_keep_their_numbers_and_new_ones_follow() {
    let (disk, expected) = compacted();
    assert_eq!(disk.replay(), expected);
    let journal = disk.open().unwrap().0;
    assert_eq!(journal.next_seq(), 15);
    // Once more, and in the end without any record: numbers are never used again.
    compact(&disk, &journal, |seq, _| seq == 3 || seq == 12);
    compact(&disk, &journal, |_, _| false);
    assert_eq!(disk.read().len(), FILE_HEADER_LEN);
    assert_eq!(journal.append(b"next").unwrap().seq(), 15);
    drop(journal);
    assert_eq!(disk.replay(), [(15, b"next".to_vec())]);
}

#[test]
fn records_that_are_appended_meanwhile_are_there() {
    let disk = with_records(100);
    let journal = disk.open().unwrap().0;
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    compact(&disk, &journal, |seq, _| {
        // The first half is committed before the copy is made, the rest after it.
        let appended = journal.append(b"meanwhile").unwrap();
        if seq < 50 {
            runtime.block_on(appended).unwrap();
        }
        false
    });
    drop(journal);
    let meanwhile: Records = (100..200).map(|seq| (seq, b"meanwhile".to_vec())).collect();
    assert_eq!(disk.replay(), meanwhile);
}

#[test]
fn copy_that_a_crash_left_is_removed() {
    let (compacted, _) = compacted();
    let copy = compacted.read();
    let disk = with_records(10);
    let (whole, records) = (disk.read(), disk.replay());
    let left = disk.path().with_extension("new");
    for len in 0..=copy.len() {
        fs::write(&left, &copy[..len]).unwrap();
        assert_eq!(disk.replay(), records, "{len} bytes");
        assert_eq!(disk.read(), whole);
        assert!(!left.exists());
    }
}

#[test]
fn copy_that_cannot_be_made_leaves_the_journal_as_it_is() {
    let disk = with_records(10);
    let journal = disk.open().unwrap().0;
    let in_the_way = disk.path().with_extension("new");
    fs::create_dir(&in_the_way).unwrap();
    journal.compact(|_, _| false).unwrap_err();
    fs::remove_dir(&in_the_way).unwrap();
    journal.append_later(b"one more").unwrap();
    drop(journal);
    assert_eq!(disk.replay().len(), 11);
}

#[test]
fn damaged_kept_records_are_never_cut() {
    let (disk, _) = compacted();
    let bytes = disk.read();
    let (kept, rest) = parts(&bytes);
    let refuses = |changed: &[u8], what: &str| {
        disk.write(changed);
        match disk.open().map(|(_, records)| records.len()) {
            Err(JournalError::Damaged { .. } | JournalError::Foreign { .. }) => {}
            other => panic!("{what}: {other:?}"),
        }
        assert!(disk.read() == changed, "{what}: the file was changed");
    };
    for bit in (0..8 * kept.end).step_by(ONE_BIT_OF_EACH_BYTE) {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        refuses(&changed, &format!("bit {bit}"));
    }
    for len in 0..kept.end {
        refuses(&bytes[..len], &format!("{len} bytes"));
    }
    // Frames that are missing or doubled as a whole have sound checksums.
    for frame in frames(&bytes).iter().filter(|frame| frame.place.end <= kept.end) {
        let (before, after) = (&bytes[..frame.place.start], &bytes[frame.place.end..]);
        refuses(&[before, after].concat(), &format!("without {frame:?}"));
        let twice = [before, &bytes[frame.place.clone()], &bytes[frame.place.start..]].concat();
        refuses(&twice, &format!("{frame:?} twice"));
    }
    assert!(!rest.is_empty());
}

#[test]
fn torn_tail_after_kept_records_is_cut() {
    let (disk, expected) = compacted();
    let bytes = disk.read();
    let (_, rest) = parts(&bytes);
    for len in rest.start..bytes.len() {
        disk.write(&bytes[..len]);
        let replayed = disk.replay();
        assert_eq!(replayed, expected[..replayed.len()], "{len} bytes");
        assert!(replayed.len() >= 4, "{len} bytes");
    }
}
