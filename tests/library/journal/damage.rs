//! Damaged files: acknowledged records are replayed or their damage is reported; records that were
//! never acknowledged are cut.

use std::ops::Range;

use proptest::prelude::*;
use seckill::journal::{Durability, Journal, JournalError};

use super::disk::{
    Disk, FILE_HEADER_LEN, FRAME_HEADER_LEN, ONE_BIT_OF_EACH_BYTE, Records, each_alone, flips,
    frames, sectors, text, texts, zeroed,
};

#[test]
fn torn_last_record_is_cut_and_earlier_ones_are_kept() {
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
fn flipped_bit_before_the_last_record_is_reported() {
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

/// A flipped bit in the last record is not a torn write either, so it is reported too.
#[test]
fn flipped_bit_in_the_last_record_is_reported() {
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

/// Each frame is intact on its own; only the sequence shows that one is missing or repeated. Where
/// a frame begins just before the end of a sector, that sector holds only a few zeros of its
/// header, which must not be taken for a sector that was never written.
#[test]
fn flipped_bit_is_reported_at_every_frame_offset_near_a_sector_end() {
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
fn missing_swapped_or_repeated_record_is_reported() {
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
fn file_with_a_foreign_header_is_rejected() {
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
fn unwritten_sectors_of_the_last_batch_are_cut() {
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

/// The later batch was begun after the batch with the hole had been synced.
#[test]
fn hole_before_a_later_batch_is_reported() {
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
fn record_rejected_by_the_owner_is_reported_and_kept() {
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

/// Batches of records with arbitrary bytes.
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
    fn journal_cut_anywhere_replays_the_complete_records(batches in any_batches(), at: usize) {
        let disk = Disk::with_batches(&batches);
        let (bytes, records) = (disk.read(), disk.replay());
        let written: Records = (0..).zip(batches.concat()).collect();
        prop_assert_eq!(&records, &written);
        let cut = FILE_HEADER_LEN + at % (bytes.len() - FILE_HEADER_LEN);
        let frames = frames(&bytes);
        let whole = frames.iter().filter(|frame| frame.place.end <= cut).count();
        disk.expect_cut(&bytes[..cut], &records[..whole], frames[whole].place.start, "cut");
    }

    /// A changed record is never replayed, and none is left out before others. Only the last batch
    /// may be cut, because bytes that read as zeros there may never have been written.
    #[test]
    fn any_flipped_bit_is_reported_or_cut(batches in any_batches(), at: usize, bit in 0..8_u32) {
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
