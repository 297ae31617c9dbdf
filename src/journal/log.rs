//! The open journal: appending, and waiting for commits.

use std::fs::OpenOptions;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::sync::{oneshot, watch};

use crate::settings::Durability;

use super::commit::{Commit, CommitError};
use super::pending::AppendError;
use super::recover::recover;
use super::writer::Shared;
use super::{BATCH_BYTES_MAX, JournalError, create, frame};

/// An open journal. Dropping it writes what waits.
#[derive(Debug)]
pub struct Journal {
    shared: Arc<Shared>,
    cut_bytes: u64,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Journal {
    /// Opens the journal at `path`, or begins one, and replays every record into `each`, which
    /// may refuse one with a reason.
    ///
    /// # Errors
    /// When the file cannot be used, or what it promised is damaged.
    pub fn open(
        path: &Path,
        durability: Durability,
        mut each: impl FnMut(u64, &[u8]) -> Result<(), String>,
    ) -> Result<Self, JournalError> {
        let io_error = |cause| JournalError::Io { path: path.to_owned(), cause };
        if !path.try_exists().map_err(io_error)? {
            create(path, 0)?;
        }
        let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(io_error)?;
        let recovered = recover(&mut file, path, &mut each)?;
        let shared = Arc::new(Shared::new(path, durability, recovered.next_seq));
        let writer = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("journal".into())
            .spawn(move || {
                let write = AssertUnwindSafe(|| writer.write_until_closed(file));
                if catch_unwind(write).is_err() {
                    writer.fail(&std::io::Error::other("the writer panicked"));
                }
            })
            .map_err(io_error)?;
        let thread = Mutex::new(Some(thread));
        Ok(Self { shared, cut_bytes: recovered.cut_bytes, thread })
    }

    /// Bytes of a torn tail that opening cut.
    pub fn cut_bytes(&self) -> u64 {
        self.cut_bytes
    }

    /// Appends a record and has it committed as soon as the disk is free.
    ///
    /// # Errors
    /// When the record was not taken.
    pub fn append(&self, record: &[u8]) -> Result<Commit, AppendError> {
        let mut pending = self.shared.lock();
        let seq = pending.push(record)?;
        if self.shared.durability == Durability::None {
            self.shared.announce(seq + 1);
            self.shared.wake.notify_one();
            return Ok(Commit { seq, waiting: None });
        }
        let (done, waiting) = oneshot::channel();
        pending.waiting.push(done);
        if !std::mem::replace(&mut pending.urgent, true) {
            self.shared.wake.notify_one();
        }
        Ok(Commit { seq, waiting: Some(waiting) })
    }

    /// Appends a record that may wait for the next commit: for what a replay finds out anyway.
    ///
    /// # Errors
    /// When the record was not taken.
    pub fn append_later(&self, record: &[u8]) -> Result<(), AppendError> {
        let mut pending = self.shared.lock();
        pending.push(record)?;
        if pending.bytes.len() > BATCH_BYTES_MAX / 2 {
            self.shared.wake.notify_one();
        }
        Ok(())
    }

    /// Whether `records` of this many bytes each would be taken now.
    pub fn has_room(&self, records: usize, record_len: usize) -> bool {
        let pending = self.shared.lock();
        let added = records * (frame::HEADER_LEN + record_len);
        !pending.closed && pending.bytes.len() + added <= BATCH_BYTES_MAX
    }

    /// The sequence number of the next record.
    pub fn next_seq(&self) -> u64 {
        self.shared.lock().next_seq
    }

    /// Whether the record `seq` is committed.
    pub fn is_committed(&self, seq: u64) -> bool {
        seq < self.shared.committed.load(Ordering::Acquire)
    }

    /// Changes with every commit. Subscribe first, then look, and no commit is missed.
    pub fn progress(&self) -> watch::Receiver<()> {
        self.shared.progress.subscribe()
    }

    /// Waits until the record `seq` is committed.
    ///
    /// # Errors
    /// When the disk has failed before.
    pub async fn committed(&self, seq: u64) -> Result<(), CommitError> {
        let mut progress = self.progress();
        loop {
            if self.is_committed(seq) {
                return Ok(());
            }
            if self.shared.failure.borrow().is_some() || progress.changed().await.is_err() {
                return Err(CommitError);
            }
        }
    }

    /// Resolves with the reason when the disk has failed. There is no way back from it but a
    /// restart: after a failed `fdatasync` nobody knows what is on the disk.
    pub async fn failed(&self) -> String {
        let mut failure = self.shared.failure.subscribe();
        let reason = failure.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
        match reason {
            Some(reason) => reason,
            None => std::future::pending().await,
        }
    }

    /// Writes and syncs what waits, and takes no more.
    ///
    /// # Errors
    /// The reason, when that failed, then or before.
    pub fn close(&self) -> Result<(), String> {
        self.shared.lock().closed = true;
        self.shared.wake.notify_one();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // The writer has told of its failure itself; a panic in it has printed its message.
            let _ = thread.join();
        }
        self.shared.failure.borrow().clone().map_or(Ok(()), Err)
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // Whoever has to know has called `close` before.
        let _ = self.close();
    }
}
