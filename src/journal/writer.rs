//! The writer: takes the pending records, writes and syncs them in one go, and releases the
//! callers that wait for their commit.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::settings::Durability;

use super::Extent;
use super::compact::Compacted;
use super::disk_file::DiskFile;
use super::pending::Pending;
use super::place;
use super::stall::CommitTimer;

/// When the last commit released so many callers, the writer waits for their next records, and lets
/// other threads use the CPU: each commit costs the disk and the CPU as much as many records. The
/// idea is that of PostgreSQL's `commit_delay` and `commit_siblings`.
const SIBLINGS: usize = 5;

/// The writer waits no more when nobody has come for so long.
const QUIET: Duration = Duration::from_micros(10);

/// What the journal and its writer thread share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) path: PathBuf,
    pub(super) durability: Durability,
    pub(super) pending: Mutex<Pending>,
    pub(super) wake: Condvar,
    /// How many callers wait for the next commit, to be read without the lock.
    pub(super) callers: AtomicUsize,
    /// The sequence number after the last committed one.
    pub(super) committed: AtomicU64,
    pub(super) progress: watch::Sender<()>,
    pub(super) failure: watch::Sender<Option<String>>,
    pub(super) commit_timer: CommitTimer,
    /// Whether a copy is being made, or waits to take the place of the file.
    pub(super) is_compacting: AtomicBool,
    extent: Mutex<Extent>,
}

impl Shared {
    pub(super) fn new(path: &Path, durability: Durability, next_seq: u64, extent: Extent) -> Self {
        Self {
            path: path.to_owned(),
            durability,
            pending: Mutex::new(Pending::from(next_seq)),
            wake: Condvar::new(),
            callers: AtomicUsize::new(0),
            committed: AtomicU64::new(next_seq),
            progress: watch::Sender::new(()),
            failure: watch::Sender::new(None),
            commit_timer: CommitTimer::new(),
            is_compacting: AtomicBool::new(false),
            extent: Mutex::new(extent),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The committed part of the file.
    pub(super) fn extent(&self) -> Extent {
        *self.lock_extent()
    }

    /// Whether the record `seq` is committed.
    pub(super) fn is_committed(&self, seq: u64) -> bool {
        seq < self.committed.load(Ordering::Acquire)
    }

    fn lock_extent(&self) -> MutexGuard<'_, Extent> {
        self.extent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Announces that all records before `committed` are committed.
    pub(super) fn announce(&self, committed: u64) {
        self.committed.fetch_max(committed, Ordering::AcqRel);
        self.progress.send_replace(());
    }

    fn commit(&self, file: &mut dyn DiskFile, bytes: &[u8], closed: bool) -> std::io::Result<()> {
        // After the write, a file that was cut would be as long as before.
        file.check_place(&self.path)?;
        file.write_all(bytes)?;
        if self.durability == Durability::Fsync || closed {
            file.sync_data()?;
        }
        file.check_place(&self.path)
    }

    /// Goes on with a compacted file, if it can take the place of this one.
    fn replace(&self, file: &mut Box<dyn DiskFile>, by: Compacted) -> std::io::Result<()> {
        if let Some((compacted, extent)) = by.replace(self.extent())? {
            *file = compacted;
            *self.lock_extent() = extent;
        }
        self.is_compacting.store(false, Ordering::Release);
        Ok(())
    }

    /// Does something on the disk, which may hang.
    fn timed<T>(&self, work: impl FnOnce() -> T) -> T {
        self.commit_timer.begin();
        let done = work();
        if let Some(taken) = self.commit_timer.overdue() {
            let (journal, duration_ms) = (self.path.display(), taken.as_millis() as u64);
            tracing::warn!(%journal, duration_ms, "the disk hung; attempts were refused meanwhile");
        }
        self.commit_timer.end();
        done
    }

    /// Closes the journal after a failure: every waiting caller gets a [`CommitError`].
    pub(super) fn fail(&self, error: &std::io::Error) {
        let waiting = self.lock().fail();
        self.failure.send_replace(Some(format!("{}: {error}", self.path.display())));
        self.progress.send_replace(());
        waiting.for_each(Waker::wake);
    }
}

/// What commits the records of a journal.
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
    file: Box<dyn DiskFile>,
    bytes: Vec<u8>,
    /// Room for the callers that a commit releases.
    to_wake: Vec<Waker>,
    /// Callers that the last commit released.
    released: usize,
    /// The sequence number after the last written record.
    written_to: u64,
    /// How long the last commit took.
    commit_time: Duration,
}

/// What a writer has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It has committed what was due.
    Committed,
    /// Nothing was due.
    Nothing,
    /// The journal is closed, or its disk has failed: there will be nothing more.
    Ended,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, file: Box<dyn DiskFile>) -> Self {
        let written_to = shared.lock().next_seq;
        let (bytes, to_wake) = (Vec::new(), Vec::new());
        Self { shared, file, bytes, to_wake, released: 0, written_to, commit_time: Duration::ZERO }
    }

    /// Commits as soon as something is due, until the journal is closed. It blocks.
    pub(super) fn write_until_closed(&mut self) {
        loop {
            let shared = Arc::clone(&self.shared);
            let mut pending = shared.lock();
            while !pending.is_due(shared.durability) {
                let waited = shared.wake.wait_timeout(pending, place::CHECK_INTERVAL);
                let (woken, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
                pending = woken;
                if timeout.timed_out() {
                    drop(pending);
                    if let Err(error) = shared.timed(|| self.file.check_place(&shared.path)) {
                        shared.fail(&error);
                        return;
                    }
                    pending = shared.lock();
                }
            }
            drop(pending);
            self.gather();
            if self.write_due() == Written::Ended {
                return;
            }
        }
    }

    /// After a commit that released some callers, waits for their next records: until as many
    /// callers have come, or none for a moment, and no longer than that commit took.
    fn gather(&self) {
        if self.released < SIBLINGS {
            return;
        }
        let begun = Instant::now();
        let (mut seen, mut seen_at) = (0, begun);
        while seen < self.released
            && seen_at.elapsed() < QUIET
            && begun.elapsed() < self.commit_time
        {
            thread::yield_now();
            let callers = self.shared.callers.load(Ordering::Relaxed);
            if callers != seen {
                (seen, seen_at) = (callers, Instant::now());
            }
        }
    }

    /// Commits what is due at this moment.
    pub fn write_due(&mut self) -> Written {
        let Self { shared, file, bytes, to_wake, released, written_to, commit_time } = self;
        let mut pending = shared.lock();
        if !pending.is_due(shared.durability) {
            return Written::Nothing;
        }
        let (closed, next_seq) = (pending.closed, pending.next_seq);
        let compacted = pending.compacted.take();
        pending.take(bytes);
        shared.callers.store(0, Ordering::Relaxed);
        drop(pending);
        let begun = Instant::now();
        let committed = shared.timed(|| shared.commit(&mut **file, bytes, closed));
        *commit_time = begun.elapsed();
        if let Err(error) = committed {
            shared.fail(&error);
            return Written::Ended;
        }
        shared.lock_extent().add(next_seq - *written_to, bytes.len() as u64);
        *written_to = next_seq;
        bytes.clear();
        shared.announce(next_seq);
        shared.lock().release(to_wake);
        *released = to_wake.len();
        to_wake.drain(..).for_each(Waker::wake);
        if closed {
            return Written::Ended;
        }
        if let Some(compacted) = compacted
            && let Err(error) = shared.timed(|| shared.replace(file, compacted))
        {
            shared.fail(&error);
            return Written::Ended;
        }
        Written::Committed
    }

    pub(super) fn fail(&self, error: &std::io::Error) {
        self.shared.fail(error);
    }
}
