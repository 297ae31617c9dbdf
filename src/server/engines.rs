//! The engines of this process. They share one journal, so that one sync of the disk commits what
//! was accepted and what was decided.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::journal::{Disk, Durability, Journal, JournalError};
use crate::queue::{self, Lookup};
use crate::store;

use super::app::App;

/// Name of the journal in the data dir.
pub(super) const JOURNAL: &str = "sale.journal";

/// Opens the queue and the store whose journal is at `path`.
///
/// # Errors
/// Returns an error when the journal cannot be used.
pub fn open_engines(
    disk: &Arc<dyn Disk>,
    path: &Path,
    durability: Durability,
    mut queue: queue::Recovery,
    mut store: store::Recovery,
) -> Result<(queue::Embedded, store::Embedded), JournalError> {
    let journal = open(disk, path, durability, Some(&mut queue), Some(&mut store))?;
    // Only their acknowledgement was lost. They would count as queued until they are decided again.
    queue.remove(|attempt| store.has_decided(attempt));
    Ok((queue.finish(Arc::clone(&journal)), store.finish(journal)))
}

/// Opens the journal of those engines that are in this process; the records of others are not read.
pub(super) fn open(
    disk: &Arc<dyn Disk>,
    path: &Path,
    durability: Durability,
    mut queue: Option<&mut queue::Recovery>,
    mut store: Option<&mut store::Recovery>,
) -> Result<Arc<Journal>, JournalError> {
    let journal = Journal::open_on(disk, path, durability, |seq, record| {
        let replayed = match queue::Recovery::owns(record) {
            true => queue.as_mut().map(|queue| queue.replay(seq, record)),
            false => store.as_mut().map(|store| store.replay(seq, record)),
        };
        replayed.unwrap_or(Ok(())).map_err(|error| error.to_string())
    })?;
    let cut_bytes = journal.cut_bytes();
    if cut_bytes > 0 {
        tracing::warn!(cut_bytes, "removed an unfinished write from the end of the journal");
    }
    Ok(Arc::new(journal))
}

/// The engines that are in this process.
#[derive(Debug, Clone, Copy)]
pub struct Engines<'a> {
    queue: Option<&'a queue::Embedded>,
    pub(super) store: Option<&'a store::Embedded>,
}

impl<'a> Engines<'a> {
    /// Those of a server.
    pub fn of(app: &'a App) -> Self {
        let queue = match app.queue.lookup() {
            Lookup::Queue(queue) => Some(queue),
            Lookup::Register(_) => None,
        };
        Self { queue, store: app.store.in_memory() }
    }

    fn journal(&self) -> Option<&'a Journal> {
        self.queue.map(|queue| &**queue.journal()).or_else(|| Some(self.store?.journal()))
    }

    /// Whether most of the journal is not needed any more.
    pub(super) fn should_compact(&self) -> bool {
        let queued = self.queue.map_or(0, |queue| queue.depth() as u64);
        let stored = self.store.map_or(0, store::Embedded::needed_records);
        self.journal().is_some_and(|journal| journal.should_be_compacted(queued + stored))
    }

    /// Removes what is not needed any more from the journal, as [`Journal::compact`] does. It
    /// blocks.
    ///
    /// # Errors
    /// Returns an error when the journal could not be copied; it is as before.
    pub fn compact(&self) -> io::Result<bool> {
        let Some(journal) = self.journal() else { return Ok(false) };
        // The records of an engine that is elsewhere at present are kept.
        journal.compact(|seq, record| match queue::Recovery::owns(record) {
            true => self.queue.is_none_or(|queue| queue.needs(seq, record)),
            false => self.store.is_none_or(|store| store.needs(seq, record)),
        })
    }
}
