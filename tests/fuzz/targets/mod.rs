//! The functions that are fuzzed: each reads bytes as if they came from outside, and panics if one
//! of its promises is broken. The programs in `fuzz/` and the driver of the tests call the same.

pub(crate) mod answer;
pub(crate) mod connection;
pub(crate) mod expression;
pub(crate) mod history;
pub(crate) mod journal;
pub(crate) mod ledger;
pub(crate) mod plain;
pub(crate) mod profile;
pub(crate) mod record;
pub(crate) mod recording;
pub(crate) mod response;
pub(crate) mod route;
pub(crate) mod server;
pub(crate) mod truth;

use std::fs;
use std::path::{Path, PathBuf};

use seckill::journal::{Durability, JournalError, SystemDisk};
use seckill::server::open_engines;
use seckill::{queue, store};
use tempfile::TempDir;

thread_local! {
    static FOLDER: TempDir = in_memory();
}

/// A temporary folder, in memory where the system has one there: syncing a disk would take longer
/// than everything else.
fn in_memory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// A file of this thread with this content.
fn file(name: &str, content: &[u8]) -> PathBuf {
    let path = FOLDER.with(|folder| folder.path().join(name));
    fs::write(&path, content).unwrap();
    path
}

/// The embedded engines whose journal is at `path`.
fn engines(path: &Path) -> Result<(queue::Embedded, store::Embedded), JournalError> {
    let (queue, store) = (queue::Recovery::new(100), store::Recovery::default());
    open_engines(&SystemDisk::shared(), path, Durability::Os, queue, store)
}

/// The bytes in pieces that end at places which depend on the bytes alone.
fn pieces(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let first = rest.first()?;
        let (piece, left) = rest.split_at((usize::from(*first) % 37 + 1).min(rest.len()));
        rest = left;
        Some(piece)
    })
}
