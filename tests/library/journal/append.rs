//! Appending: the order of records, when they are durable, and what is refused.

use std::sync::Arc;

use seckill::journal::{self, AppendError, Durability, RECORD_LEN_MAX};

use super::disk::{Disk, frames, texts};

#[test]
fn sequence_numbers_continue_after_reopening() {
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
async fn close_writes_all_records_at_every_durability() {
    for durability in [Durability::Fsync, Durability::Os, Durability::None] {
        let disk = Disk::new();
        let (journal, _) = disk.open_as(durability).unwrap();
        journal.append(b"awaited").unwrap().await.unwrap();
        assert!(journal.is_committed(0), "{durability:?}");
        if durability != Durability::None {
            assert_eq!(
                frames(&disk.read()).len(),
                1,
                "{durability:?}: acknowledged before it was written"
            );
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
fn append_later_is_written_on_close() {
    let disk = Disk::new();
    let journal = disk.open().unwrap().0;
    let records = texts(50, 100);
    records.iter().for_each(|record| journal.append_later(record).unwrap());
    assert!(!journal.is_committed(0), "append_later does not commit");
    drop(journal);
    assert_eq!(disk.replay(), (0..).zip(records).collect::<Vec<_>>());
    assert!(frames(&disk.read()).iter().all(|frame| frame.batch == 0), "all in one batch");
}

#[test]
fn rejected_appends_leave_the_journal_unchanged() {
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
async fn concurrent_appends_are_written_once_and_in_order() {
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
            assert!(of_task.is_sorted(), "records of one task keep their order");
            appended.extend(of_task);
        }
        journal.close().unwrap();
        appended.sort();
        assert_eq!(appended.len(), TASKS * EACH);
        assert_eq!(disk.replay(), appended, "{durability:?}");
    }
}
