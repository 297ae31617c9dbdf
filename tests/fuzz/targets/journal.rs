//! The journal's reader, with the bytes as a file.

use std::fs;

use seckill::journal::{Durability, Journal, JournalError};

use super::{engines, file};

type Records = Vec<(u64, Vec<u8>)>;

fn open(path: &std::path::Path) -> Result<(Journal, Records), JournalError> {
    let mut records = Records::new();
    let journal = Journal::open(path, Durability::Os, |seq, record| {
        records.push((seq, record.to_vec()));
        Ok(())
    })?;
    Ok((journal, records))
}

/// A file is refused and left as it is, or its records are there and stay there, with what is
/// appended after them.
pub(crate) fn run(bytes: &[u8]) {
    let path = file("test.journal", bytes);
    match open(&path) {
        Ok((journal, records)) => {
            let kept = bytes.len() - journal.cut_bytes() as usize;
            // A journal whose numbers are used up takes no more, and says so.
            let appended = journal.append_later(b"one more");
            journal.close().unwrap();
            assert_eq!(fs::read(&path).unwrap()[..kept], bytes[..kept]);
            let (journal, again) = open(&path).unwrap();
            assert_eq!(again[..records.len()], records);
            assert_eq!(again.len(), records.len() + usize::from(appended.is_ok()));
            assert_eq!(journal.cut_bytes(), 0);
        }
        Err(error) => {
            assert_eq!(error.to_string().lines().count(), 1, "{error}");
            assert_eq!(fs::read(&path).unwrap(), bytes, "it was changed: {error}");
        }
    }
    let _ = engines(&file("sale.journal", bytes));
}
