//! Inputs that broke a reader once.

use std::path::Path;

use seckill::journal::{Durability, Journal, JournalError, create};

use seckill::profile::Profile;
use seckill::sut::Description;

use crate::targets;

const ID: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";

/// Counting on from the highest number would overflow.
#[test]
fn numbers_without_a_next_one_are_refused_in_records() {
    let sale = "sale 1 tea 2 1 - -\n";
    for number in [u64::MAX, u64::MAX - 1, 1 << 63, (1 << 63) - 1] {
        for records in [
            format!("{sale}announced {ID} ann tea 1 {number} 5"),
            format!("sale {number} tea 2 1 - -"),
            format!("{sale}sale {number} cup 2 1 - -\nannounced {ID} ann cup {number} 0 5"),
            format!("{sale}decided 9 {ID} ann tea {number} {number} 5 lost sale_replaced"),
            format!("+ {ID} ann tea {number} {number}\n- {number}"),
        ] {
            targets::record::run(records.as_bytes());
        }
    }
}

#[test]
fn journal_without_a_next_sequence_number_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.journal");
    let open = || Journal::open(&path, Durability::Os, |_, _| Ok(()));
    for (first_seq, is_taken) in [(u64::MAX, false), (1 << 63, false), (1 << 62, true)] {
        create(&path, first_seq).unwrap();
        match open() {
            Ok(journal) => {
                assert!(is_taken, "{first_seq}");
                journal.append_later(b"one").unwrap();
                journal.close().unwrap();
                assert_eq!(open().unwrap().next_seq(), first_seq + 1);
            }
            Err(JournalError::Foreign { .. }) => assert!(!is_taken, "{first_seq}"),
            Err(error) => panic!("{error}"),
        }
    }
}

/// A device has no length, and this one never ends.
#[test]
fn profile_without_an_end_is_refused() {
    let endless = Path::new("/dev/zero");
    let setting = targets::profile::setting();
    for error in [
        Profile::read(endless).unwrap_err().to_string(),
        Description::read(endless, setting).unwrap_err().to_string(),
    ] {
        assert!(error.ends_with("larger than a mebibyte: not a profile"), "{error}");
    }
    assert!(!Description::is_in(endless));
}
