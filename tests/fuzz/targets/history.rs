//! The reader of histories, and the judge with what it has read.

use seckill::history::History;
use seckill::judge::{Gaps, audit};

/// What is read can be written, and reads the same again; the judge takes it.
pub(crate) fn run(bytes: &[u8]) {
    let history = match History::read(bytes) {
        Ok(history) => history,
        Err(error) => {
            assert_eq!(error.to_string().lines().count(), 1, "{error}");
            return;
        }
    };
    let mut written = Vec::new();
    history.write(&mut written).unwrap();
    let again = History::read(&*written).unwrap();
    let mut written_again = Vec::new();
    again.write(&mut written_again).unwrap();
    assert_eq!(written, written_again);
    let _ = audit(&history, None, &Gaps::default());
}
