//! The reader of ledgers, from a server and from a recorded run.

use seckill::history::Ledger;
use seckill::sut::{LedgerError, LedgerReader};

use super::pieces;

fn read<'a>(
    mut reader: LedgerReader,
    mut pieces: impl Iterator<Item = &'a [u8]>,
) -> Result<Ledger, LedgerError> {
    pieces.try_for_each(|piece| reader.feed(piece))?;
    reader.finish()
}

/// A ledger is the same in one piece and in many, and so is what is wrong with it.
pub(crate) fn run(bytes: &[u8]) {
    for reader in [LedgerReader::default, LedgerReader::recorded] {
        let whole = read(reader(), std::iter::once(bytes));
        assert_eq!(whole, read(reader(), pieces(bytes)));
        if let Err(error) = whole {
            assert!(error.to_string().len() < 1_000, "{error}");
        }
    }
}
