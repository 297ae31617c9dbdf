//! The journal's recovery: what was promised is there again or its damage is named, and what was
//! never promised is cut.

use std::fs;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use proptest::prelude::*;
use tempfile::TempDir;

use seckill::journal::{self, AppendError, Durability, Journal, JournalError, RECORD_LEN_MAX};

/// The format's lengths, as its description has them.
const FILE_HEADER_LEN: usize = 20;
const FRAME_HEADER_LEN: usize = 28;

/// What a disk keeps or loses in one piece.
const SECTOR_LEN: usize = 512;

/// A step through all flips that meets each byte, with another bit in turn.
const ONE_BIT_OF_EACH_BYTE: usize = 7;

type Records = Vec<(u64, Vec<u8>)>;

/// A journal's file in a folder of its own.
struct Disk {
    folder: TempDir,
}

/// Where a frame lies in the file, and what its header says.
#[derive(Debug, Clone)]
struct Frame {
    place: Range<usize>,
    seq: u64,
    batch: u64,
}

impl Disk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A journal of these records, each inner list written as one batch.
    fn with_batches(batches: &[Vec<Vec<u8>>]) -> Self {
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
        assert_eq!(written, first_seqs, "each batch was written in one go");
        disk
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("test.journal")
    }

    fn read(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }

    fn write(&self, bytes: &[u8]) {
        fs::write(self.path(), bytes).unwrap();
    }

    /// Opens the journal, and gives what it replayed.
    fn open(&self) -> Result<(Journal, Records), JournalError> {
        self.open_as(Durability::Os)
    }

    fn open_as(&self, durability: Durability) -> Result<(Journal, Records), JournalError> {
        let mut records = Vec::new();
        let journal = Journal::open(&self.path(), durability, |seq, record| {
            records.push((seq, record.to_vec()));
            Ok(())
        })?;
        Ok((journal, records))
    }

    fn replay(&self) -> Records {
        self.open().unwrap().1
    }

    /// Puts `bytes` in the file's place, and expects these records of it, the rest cut, and that
    /// it can be appended to.
    #[track_caller]
    fn expect_cut(&self, bytes: &[u8], records: &[(u64, Vec<u8>)], end: usize, what: &str) {
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

    /// Puts `bytes` in the file's place, and expects that they are refused, and left as they are,
    /// because of the damaged record at `at`.
    #[track_caller]
    fn expect_damaged(&self, bytes: &[u8], at: &Frame, what: &str) {
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

/// The frames of a sound file.
fn frames(bytes: &[u8]) -> Vec<Frame> {
    let (mut start, mut frames) = (FILE_HEADER_LEN, Vec::new());
    while start < bytes.len() {
        let u32_at = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let u64_at = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        let end = start + FRAME_HEADER_LEN + u32_at(start) as usize;
        frames.push(Frame { place: start..end, seq: u64_at(start + 8), batch: u64_at(start + 16) });
        start = end;
    }
    frames
}

/// A record as the server writes them: text without a zero byte.
fn text(number: usize, len: usize) -> Vec<u8> {
    format!("record {number} ").bytes().cycle().take(len).collect()
}

/// So many records of about this length, no two of the same.
fn texts(count: usize, len: usize) -> Vec<Vec<u8>> {
    (0..count).map(|number| text(number, len + number)).collect()
}

fn each_alone(records: Vec<Vec<u8>>) -> Vec<Vec<Vec<u8>>> {
    records.into_iter().map(|record| vec![record]).collect()
}

/// Every bit of these bytes, flipped in a copy of the file.
fn flips(bytes: &[u8], place: Range<usize>) -> impl Iterator<Item = (Vec<u8>, String)> {
    place.flat_map(|at| (0..8).map(move |bit| (at, bit))).map(|(at, bit)| {
        let mut flipped = bytes.to_vec();
        flipped[at] ^= 1 << bit;
        (flipped, format!("bit {bit} of byte {at}"))
    })
}

/// Every sector of these bytes, or the part of it that lies in them.
fn sectors(place: Range<usize>) -> Vec<Range<usize>> {
    let numbers = place.start / SECTOR_LEN..=(place.end - 1) / SECTOR_LEN;
    let clip = |number: usize| {
        let begin = number * SECTOR_LEN;
        begin.max(place.start)..(begin + SECTOR_LEN).min(place.end)
    };
    numbers.map(clip).collect()
}

fn zeroed(bytes: &[u8], place: Range<usize>) -> Vec<u8> {
    let mut zeroed = bytes.to_vec();
    zeroed[place].fill(0);
    zeroed
}

#[test]
fn a_last_record_cut_at_any_byte_is_gone_and_the_others_are_there() {
    for batches in [each_alone(texts(3, 30)), vec![texts(3, 30)], vec![texts(1, 30)]] {
        let disk = Disk::with_batches(&batches);
        let (bytes, records) = (disk.read(), disk.replay());
        let last = frames(&bytes).pop().unwrap().place;
        for cut in last.clone() {
            let before = &records[..records.len() - 1];
            disk.expect_cut(&bytes[..cut], before, last.start, &format!("cut at {cut}"));
        }
    }
}

#[test]
fn a_flipped_bit_before_the_last_record_is_refused() {
    for (batches, step) in [
        (each_alone(texts(3, 12)), 1),
        (vec![texts(3, 12)], 1),
        (vec![texts(1, 490), texts(2, 9)], ONE_BIT_OF_EACH_BYTE),
    ] {
        let disk = Disk::with_batches(&batches);
        let bytes = disk.read();
        let mut frames = frames(&bytes);
        frames.pop();
        for frame in frames {
            for (flipped, what) in flips(&bytes, frame.place.clone()).step_by(step) {
                disk.expect_damaged(&flipped, &frame, &what);
            }
        }
    }
}

/// A flipped bit in the last record is no torn write either: it is refused, too.
#[test]
fn a_flipped_bit_in_the_last_record_is_refused() {
    for (batches, step) in [
        (each_alone(texts(2, 12)), 1),
        (vec![texts(2, 12)], 1),
        (vec![texts(1, 490)], ONE_BIT_OF_EACH_BYTE),
    ] {
        let disk = Disk::with_batches(&batches);
        let bytes = disk.read();
        let last = frames(&bytes).pop().unwrap();
        for (flipped, what) in flips(&bytes, last.place.clone()).step_by(step) {
            disk.expect_damaged(&flipped, &last, &what);
        }
    }
}

/// Each frame is sound for itself; only the sequence shows that one is missing or there twice.
/// Where a frame begins just before the end of a sector, a few zeros of its header are all that
/// lies in that sector: they are no sign of a sector that was never written.
#[test]
fn a_flipped_bit_is_refused_wherever_a_frame_begins_in_a_sector() {
    for start in 505..=512 {
        let first_len = start - FILE_HEADER_LEN - FRAME_HEADER_LEN;
        let records = vec![text(0, first_len), text(1, 256), text(2, 100)];
        let disk = Disk::with_batches(&[records]);
        let bytes = disk.read();
        let frames = frames(&bytes);
        assert_eq!(frames[1].place.start, start);
        for (flipped, what) in flips(&bytes, frames[1].place.clone()).step_by(ONE_BIT_OF_EACH_BYTE)
        {
            disk.expect_damaged(&flipped, &frames[1], &what);
        }
    }
}

#[test]
fn a_record_out_of_its_place_is_refused() {
    for batches in [each_alone(texts(4, 20)), vec![texts(4, 20)]] {
        let disk = Disk::with_batches(&batches);
        let bytes = disk.read();
        let frames = frames(&bytes);
        for pair in frames.windows(2) {
            let [Range { start, end }, Range { end: next_end, .. }] =
                [&pair[0], &pair[1]].map(|frame| frame.place.clone());
            let (record, next) = (&bytes[start..end], &bytes[end..next_end]);
            let with =
                |middle: &[&[u8]]| [&bytes[..start], &middle.concat(), &bytes[next_end..]].concat();
            disk.expect_damaged(&with(&[next]), &pair[0], "one is missing");
            disk.expect_damaged(&with(&[next, record]), &pair[0], "two are swapped");
            disk.expect_damaged(&with(&[record, record, next]), &pair[1], "one is there twice");
        }
    }
}

#[test]
fn a_file_with_another_header_is_refused() {
    let disk = Disk::with_batches(&[texts(2, 20)]);
    let bytes = disk.read();
    let cut = (0..FILE_HEADER_LEN).map(|len| (bytes[..len].to_vec(), format!("cut at {len}")));
    for (wrong, what) in flips(&bytes, 0..FILE_HEADER_LEN).chain(cut) {
        disk.write(&wrong);
        let opened = disk.open().map(|(_, records)| records);
        assert!(matches!(opened, Err(JournalError::Foreign { .. })), "{what}: {opened:?}");
        assert!(disk.read() == wrong, "{what}: the file was changed");
    }
}

#[test]
fn sectors_that_the_last_batch_never_wrote_are_cut() {
    for batch in [texts(20, 150), texts(3, 1500), texts(1, 3000)] {
        let disk = Disk::with_batches(&[texts(2, 40), batch]);
        let (bytes, records) = (disk.read(), disk.replay());
        let frames = frames(&bytes);
        let batch = frames[2].place.start..bytes.len();
        let sectors = sectors(batch.clone());
        let one = sectors.iter().cloned();
        let all_from = sectors.iter().map(|sector| sector.start..batch.end);
        let all_to = sectors.iter().map(|sector| batch.start..sector.end);
        for hole in one.chain(all_from).chain(all_to) {
            let whole = frames.iter().filter(|frame| frame.place.end <= hole.start).count();
            let end = frames[whole].place.start;
            let what = format!("zeros in {hole:?}");
            disk.expect_cut(&zeroed(&bytes, hole), &records[..whole], end, &what);
        }
    }
}

/// The later batch was begun after the one with the hole had been synced.
#[test]
fn a_hole_before_a_later_batch_is_refused() {
    for batches in [
        each_alone(texts(3, 1500)),
        vec![texts(1, 3000), texts(1, 10)],
        vec![texts(20, 150), texts(1, 10)],
        vec![texts(20, 150), texts(20, 150)],
        vec![texts(3, 1500), texts(1, 3000)],
    ] {
        let disk = Disk::with_batches(&batches);
        let bytes = disk.read();
        let frames = frames(&bytes);
        let last_batch = frames.last().unwrap().batch;
        let end = frames.iter().find(|frame| frame.batch == last_batch).unwrap().place.start;
        for hole in sectors(FILE_HEADER_LEN..end) {
            let damaged = frames.iter().find(|frame| hole.start < frame.place.end).unwrap();
            let what = format!("zeros in {hole:?}");
            disk.expect_damaged(&zeroed(&bytes, hole), damaged, &what);
        }
    }
}

#[test]
fn what_its_owner_does_not_understand_is_refused_and_left() {
    let disk = Disk::with_batches(&[texts(3, 20)]);
    let bytes = disk.read();
    let opened = Journal::open(&disk.path(), Durability::Os, |seq, _| match seq {
        1 => Err("no such kind".into()),
        _ => Ok(()),
    });
    let at = frames(&bytes)[1].place.start as u64;
    match opened {
        Err(JournalError::Content { offset, seq, reason, .. }) => {
            assert_eq!((offset, seq, &*reason), (at, 1, "no such kind"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(disk.read(), bytes);
}

#[test]
fn sequence_numbers_go_on() {
    let disk = Disk::new();
    journal::create(&disk.path(), 1000).unwrap();
    for opened in 0..3 {
        let (journal, records) = disk.open().unwrap();
        let seqs: Vec<_> = records.iter().map(|(seq, _)| *seq).collect();
        assert_eq!(seqs, (1000..1000 + 2 * opened).collect::<Vec<_>>());
        assert_eq!(journal.next_seq(), 1000 + 2 * opened);
        assert!(!journal.is_committed(journal.next_seq()));
        journal.append_later(b"").unwrap();
        assert_eq!(journal.append(b"").unwrap().seq(), 1001 + 2 * opened);
    }
}

#[tokio::test]
async fn records_are_there_after_close_however_durable() {
    for durability in [Durability::Fsync, Durability::Os, Durability::None] {
        let disk = Disk::new();
        let (journal, _) = disk.open_as(durability).unwrap();
        journal.append(b"awaited").unwrap().await.unwrap();
        assert!(journal.is_committed(0), "{durability:?}");
        if durability != Durability::None {
            assert_eq!(frames(&disk.read()).len(), 1, "{durability:?}: not before it is written");
        }
        drop(journal.append(b"not awaited").unwrap());
        journal.append_later(b"later").unwrap();
        journal.close().unwrap();
        assert!(journal.is_committed(2), "{durability:?}");
        journal.committed(2).await.unwrap();
        let expected = ["awaited", "not awaited", "later"].map(|text| text.as_bytes().to_vec());
        let replayed: Vec<_> = disk.replay().into_iter().map(|(_, record)| record).collect();
        assert_eq!(replayed, expected, "{durability:?}");
    }
}

#[test]
fn what_is_appended_for_later_is_written_at_the_end() {
    let disk = Disk::new();
    let journal = disk.open().unwrap().0;
    let records = texts(50, 100);
    records.iter().for_each(|record| journal.append_later(record).unwrap());
    assert!(!journal.is_committed(0), "nobody waits for it");
    drop(journal);
    assert_eq!(disk.replay(), (0..).zip(records).collect::<Vec<_>>());
    assert!(frames(&disk.read()).iter().all(|frame| frame.batch == 0), "in one go");
}

#[test]
fn what_is_not_taken_leaves_no_trace() {
    let disk = Disk::new();
    let journal = disk.open().unwrap().0;
    let longest = vec![b'x'; RECORD_LEN_MAX];
    let too_long = vec![b'x'; RECORD_LEN_MAX + 1];
    assert_eq!(journal.append(&too_long).err(), Some(AppendError::TooLong));
    assert_eq!(journal.append_later(&too_long), Err(AppendError::TooLong));
    journal.append_later(&longest).unwrap();
    journal.append_later(b"").unwrap();
    assert!(journal.has_room(1, 1));
    journal.close().unwrap();
    assert!(!journal.has_room(1, 1));
    assert_eq!(journal.append(b"x").err(), Some(AppendError::Closed));
    assert_eq!(journal.append_later(b"x"), Err(AppendError::Closed));
    journal.close().unwrap();
    assert_eq!(disk.replay(), [(0, longest), (1, Vec::new())]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_many_append_at_once_is_there_once_in_order() {
    const TASKS: usize = 32;
    const EACH: usize = 25;
    for durability in [Durability::Fsync, Durability::Os, Durability::None] {
        let disk = Disk::new();
        let journal = Arc::new(disk.open_as(durability).unwrap().0);
        let append = |task: usize| {
            let journal = Arc::clone(&journal);
            async move {
                let mut appended = Vec::new();
                for number in 0..EACH {
                    let record = format!("task {task} record {number}").into_bytes();
                    let commit = journal.append(&record).unwrap();
                    let seq = commit.seq();
                    commit.await.unwrap();
                    assert!(journal.is_committed(seq));
                    appended.push((seq, record));
                }
                appended
            }
        };
        let tasks: Vec<_> = (0..TASKS).map(|task| tokio::spawn(append(task))).collect();
        let mut appended = Vec::new();
        for task in tasks {
            let of_task = task.await.unwrap();
            assert!(of_task.is_sorted(), "what one task appends keeps its order");
            appended.extend(of_task);
        }
        journal.close().unwrap();
        appended.sort();
        assert_eq!(appended.len(), TASKS * EACH);
        assert_eq!(disk.replay(), appended, "{durability:?}");
    }
}

/// Batches of records of any bytes.
fn any_batches() -> impl Strategy<Value = Vec<Vec<Vec<u8>>>> {
    let record = prop::collection::vec(any::<u8>(), 0..200);
    prop::collection::vec(prop::collection::vec(record, 1..5), 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_records_cut_anywhere_give_those_before(batches in any_batches(), at: usize) {
        let disk = Disk::with_batches(&batches);
        let (bytes, records) = (disk.read(), disk.replay());
        let written: Records = (0..).zip(batches.concat()).collect();
        prop_assert_eq!(&records, &written);
        let cut = FILE_HEADER_LEN + at % (bytes.len() - FILE_HEADER_LEN);
        let frames = frames(&bytes);
        let whole = frames.iter().filter(|frame| frame.place.end <= cut).count();
        disk.expect_cut(&bytes[..cut], &records[..whole], frames[whole].place.start, "cut");
    }

    /// Never is a changed record replayed, nor one left out before others. Only the last batch
    /// may be cut: there, what reads as zeros may never have been written.
    #[test]
    fn any_flipped_bit_is_refused_or_cut(batches in any_batches(), at: usize, bit in 0..8_u32) {
        let disk = Disk::with_batches(&batches);
        let (mut bytes, records) = (disk.read(), disk.replay());
        let frames = frames(&bytes);
        let last_batch = frames.last().unwrap().batch;
        let at = FILE_HEADER_LEN + at % (bytes.len() - FILE_HEADER_LEN);
        let hit = frames.iter().position(|frame| frame.place.contains(&at)).unwrap();
        bytes[at] ^= 1 << bit;
        disk.write(&bytes);
        let hit_frame = &frames[hit];
        match disk.open() {
            Ok((_, replayed)) => {
                prop_assert_eq!(hit_frame.batch, last_batch, "a synced batch was cut");
                prop_assert_eq!(&replayed[..], &records[..hit]);
            }
            Err(JournalError::Damaged { offset, seq, .. }) => {
                prop_assert_eq!((offset, seq), (hit_frame.place.start as u64, hit_frame.seq));
                prop_assert!(disk.read() == bytes, "the file was changed");
            }
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}
