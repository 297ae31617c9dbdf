//! The writer thread and those who wait for it.

use std::fs::{File, OpenOptions};
use std::future::Future;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle};

use tokio::sync::{oneshot, watch};

use super::recover::recover;
use super::{BATCH_BYTES_MAX, Durability, JournalError, RECORD_LEN_MAX, create, frame};

/// Why a record was not taken: it has no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// [`BATCH_BYTES_MAX`] bytes wait already.
    #[error("too many bytes wait to be written")]
    Full,
    /// The record is longer than [`RECORD_LEN_MAX`].
    #[error("the record is too long")]
    TooLong,
    /// The journal was closed, or its disk failed.
    #[error("the journal is closed")]
    Closed,
}

/// The disk failed before the record was known to be durable: it may be there or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the journal could not be written: whether the record is in it is unknown")]
pub struct CommitError;

/// Resolves when its record is committed.
#[derive(Debug)]
#[must_use = "a record is not durable before its commit resolves"]
pub struct Commit {
    seq: u64,
    waiting: Option<oneshot::Receiver<()>>,
}

impl Commit {
    /// The record's sequence number.
    pub fn seq(&self) -> u64 {
        self.seq
    }
}

impl Future for Commit {
    type Output = Result<(), CommitError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.waiting {
            None => Poll::Ready(Ok(())),
            Some(waiting) => Pin::new(waiting).poll(cx).map_err(|_| CommitError),
        }
    }
}

/// An open journal. Dropping it writes what waits.
#[derive(Debug)]
pub struct Journal {
    shared: Arc<Shared>,
    cut_bytes: u64,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    durability: Durability,
    pending: Mutex<Pending>,
    wake: Condvar,
    /// The sequence number after the last committed one.
    committed: AtomicU64,
    progress: watch::Sender<()>,
    failure: watch::Sender<Option<String>>,
}

#[derive(Debug, Default)]
struct Pending {
    bytes: Vec<u8>,
    waiting: Vec<oneshot::Sender<()>>,
    batch: u64,
    next_seq: u64,
    /// Somebody waits, so the writer should not.
    urgent: bool,
    closed: bool,
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
        let shared = Arc::new(Shared {
            path: path.to_owned(),
            durability,
            pending: Mutex::new(Pending { next_seq: recovered.next_seq, ..Pending::default() }),
            wake: Condvar::new(),
            committed: AtomicU64::new(recovered.next_seq),
            progress: watch::Sender::new(()),
            failure: watch::Sender::new(None),
        });
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

impl Pending {
    fn push(&mut self, record: &[u8]) -> Result<u64, AppendError> {
        if self.closed {
            return Err(AppendError::Closed);
        }
        if record.len() > RECORD_LEN_MAX {
            return Err(AppendError::TooLong);
        }
        if self.bytes.len() + frame::HEADER_LEN + record.len() > BATCH_BYTES_MAX {
            return Err(AppendError::Full);
        }
        if self.bytes.is_empty() {
            self.batch = self.next_seq;
        }
        let seq = self.next_seq;
        frame::encode(&mut self.bytes, seq, self.batch, record);
        self.next_seq += 1;
        Ok(seq)
    }

    fn is_due(&self, durability: Durability) -> bool {
        let eager = self.urgent || durability == Durability::None;
        self.closed || (eager && !self.bytes.is_empty()) || self.bytes.len() > BATCH_BYTES_MAX / 2
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn announce(&self, committed: u64) {
        self.committed.fetch_max(committed, Ordering::AcqRel);
        self.progress.send_replace(());
    }

    fn write_until_closed(&self, mut file: File) {
        let mut bytes = Vec::new();
        let mut waiting = Vec::new();
        loop {
            let mut pending = self.lock();
            while !pending.is_due(self.durability) {
                pending = self.wake.wait(pending).unwrap_or_else(PoisonError::into_inner);
            }
            let (closed, next_seq) = (pending.closed, pending.next_seq);
            std::mem::swap(&mut bytes, &mut pending.bytes);
            std::mem::swap(&mut waiting, &mut pending.waiting);
            pending.urgent = false;
            drop(pending);
            if let Err(error) = self.commit(&mut file, &bytes, closed) {
                self.fail(&error);
                return;
            }
            bytes.clear();
            self.announce(next_seq);
            for done in waiting.drain(..) {
                // Whoever waited may have gone; the record stays.
                let _ = done.send(());
            }
            if closed {
                return;
            }
        }
    }

    fn commit(&self, file: &mut File, bytes: &[u8], closed: bool) -> std::io::Result<()> {
        file.write_all(bytes)?;
        if self.durability == Durability::Fsync || closed {
            file.sync_data()?;
        }
        Ok(())
    }

    /// Ends the journal: those who wait get a [`CommitError`], nobody is taken any more.
    fn fail(&self, error: &std::io::Error) {
        let mut pending = self.lock();
        pending.closed = true;
        pending.waiting.clear();
        drop(pending);
        self.failure.send_replace(Some(format!("{}: {error}", self.path.display())));
        self.progress.send_replace(());
    }
}
