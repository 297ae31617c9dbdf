//! Compares the journal's records per second, with 1, 64 and 350 waiting writers, with plain
//! sequential writes of the same number of records and one `fdatasync` for each batch. `-- 350`
//! measures that number of writers only, for a profile.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[macro_use]
mod support;

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use seckill::journal::{Durability, Journal};

/// A record with the length of an accepted attempt's record.
const RECORD: [u8; 120] = [b'x'; 120];

/// Bytes that the journal writes before each record.
const FRAME_LEN: usize = 28;

fn main() {
    // The folder is in the target folder, because a temporary folder may be in memory.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let batches = if support::is_test() { 10 } else { 1_000 };
    figure!("records per second        journal    plain writes    ratio");
    for waiting in support::wanted(&[1, 64, 350]) {
        let (mut journal, mut plain) = (Vec::new(), Vec::new());
        for round in 0..support::ROUNDS {
            let path = |name: &str| folder.path().join(format!("{name}-{waiting}-{round}"));
            journal.push(journal_rate(&path("journal"), waiting, batches));
            plain.push(plain_rate(&path("plain"), waiting, batches));
        }
        let (journal, plain) = (support::median(journal), support::median(plain));
        figure!(
            "{waiting:>4} waiting         {journal:>12.0} {plain:>15.0} {:>8.2}",
            journal / plain
        );
    }
}

fn journal_rate(path: &Path, waiting: usize, batches: usize) -> f64 {
    let journal = Arc::new(Journal::open(path, Durability::Fsync, |_, _| Ok(())).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let begun = Instant::now();
    runtime.block_on(async {
        let mut writers = tokio::task::JoinSet::new();
        for _ in 0..waiting {
            let journal = Arc::clone(&journal);
            writers.spawn(async move {
                for _ in 0..batches {
                    journal.append(&RECORD).unwrap().await.unwrap();
                }
            });
        }
        writers.join_all().await;
    });
    (waiting * batches) as f64 / begun.elapsed().as_secs_f64()
}

fn plain_rate(path: &Path, waiting: usize, batches: usize) -> f64 {
    let mut file = File::create(path).unwrap();
    let batch = vec![b'x'; waiting * (FRAME_LEN + RECORD.len())];
    let begun = Instant::now();
    for _ in 0..batches {
        file.write_all(&batch).unwrap();
        file.sync_data().unwrap();
    }
    (waiting * batches) as f64 / begun.elapsed().as_secs_f64()
}
