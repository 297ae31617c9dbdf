//! The open journal: appending, and waiting for commits.

use std::io;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::watch;

use crate::settings::Durability;

use super::commit::Commit;
use super::compact::{self, Compacted};
use super::error::CommitError;
use super::files::create_on;
use super::folder::unfinished;
use super::pending::AppendError;
use super::recover::recover;
use super::writer::{Shared, Writer};
use super::{BATCH_BYTES_MAX, Disk, JournalError, SystemDisk, frame};

/// An open journal. Dropping it writes the pending records.
#[derive(Debug)]
pub struct Journal {
    shared: Arc<Shared>,
    cut_bytes: u64,
    thread: Mutex<Option<JoinHandle<()>>>,
    disk: Arc<dyn Disk>,
}

impl Journal {
    /// Opens or creates the journal at `path`, locks it against other processes, and replays every
    /// record into `each`, which returns a reason if it cannot parse one.
    ///
    /// # Errors
    /// Returns an error when the file cannot be used, or committed records are damaged.
    pub fn open(
        path: &Path,
        durability: Durability,
        each: impl FnMut(u64, &[u8]) -> Result<(), String>,
    ) -> Result<Self, JournalError> {
        Self::open_on(&SystemDisk::shared(), path, durability, each)
    }

    /// Like [`Self::open`], on another disk.
    ///
    /// # Errors
    /// Returns an error when the file cannot be used, or committed records are damaged.
    pub fn open_on(
        disk: &Arc<dyn Disk>,
        path: &Path,
        durability: Durability,
        mut each: impl FnMut(u64, &[u8]) -> Result<(), String>,
    ) -> Result<Self, JournalError> {
        let open_error = |cause: io::Error| match cause.kind() {
            io::ErrorKind::WouldBlock => JournalError::Locked { path: path.to_owned() },
            _ => JournalError::Io { path: path.to_owned(), cause },
        };
        let mut file = match disk.open(path).map_err(open_error)? {
            Some(file) => file,
            None => {
                create_on(&**disk, path, 0)?;
                let created = disk.open(path).map_err(open_error)?;
                created.ok_or_else(|| open_error(io::ErrorKind::NotFound.into()))?
            }
        };
        // A crash may have left it.
        let left = unfinished(path);
        disk.remove(&left).map_err(|cause| JournalError::Io { path: left, cause })?;
        let recovered = recover(&mut *file, path, &mut each)?;
        let shared = Arc::new(Shared::new(path, durability, recovered.next_seq, recovered.extent));
        let thread = disk.run(Writer::new(Arc::clone(&shared), file)).map_err(open_error)?;
        let thread = Mutex::new(thread);
        let disk = Arc::clone(disk);
        Ok(Self { shared, cut_bytes: recovered.cut_bytes, thread, disk })
    }

    /// Length in bytes of the torn tail that was removed on opening.
    pub fn cut_bytes(&self) -> u64 {
        self.cut_bytes
    }

    /// Appends a record, to be committed as soon as the writer is free. When the writer has just
    /// released many callers, it first waits for their next records, at most as long as its last
    /// commit took.
    ///
    /// # Errors
    /// Returns an error when the record was not appended.
    pub fn append(&self, record: &[u8]) -> Result<Commit<'_>, AppendError> {
        let mut pending = self.shared.lock();
        let seq = pending.push(record)?;
        if self.shared.durability == Durability::None {
            self.shared.announce(seq + 1);
            self.shared.wake.notify_one();
        } else if !std::mem::replace(&mut pending.urgent, true) {
            self.shared.wake.notify_one();
        }
        Ok(Commit::of(seq, &self.shared))
    }

    /// Appends a record that may wait for the next commit. It suits records whose loss a restart
    /// can repair.
    ///
    /// # Errors
    /// Returns an error when the record was not appended.
    pub fn append_later(&self, record: &[u8]) -> Result<(), AppendError> {
        let mut pending = self.shared.lock();
        pending.push(record)?;
        if pending.bytes.len() > BATCH_BYTES_MAX / 2 {
            self.shared.wake.notify_one();
        }
        Ok(())
    }

    /// Whether this number of records, each of `record_len` bytes, could be appended now.
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
        self.shared.is_committed(seq)
    }

    /// Whether the file is long, and at least half of its records are not needed, if this number of
    /// them is.
    pub fn should_be_compacted(&self, needed: u64) -> bool {
        compact::is_worthwhile(self.shared.extent(), needed)
    }

    /// Removes committed records that are not needed any more: those for which `keep` says so. It
    /// blocks until a copy of the file is made, with which the writer then replaces it. Returns
    /// `false` if an earlier copy has not replaced the file yet; nothing is done then.
    ///
    /// # Errors
    /// Returns an error when no copy could be made; the journal is as before.
    pub fn compact(&self, mut keep: impl FnMut(u64, &[u8]) -> bool) -> io::Result<bool> {
        if self.shared.is_compacting.swap(true, Ordering::Acquire) {
            return Ok(false);
        }
        let keep = |seq, record: &[u8]| {
            // Owners append while they hold their own lock, which `keep` may take.
            let is_closed = self.shared.lock().closed;
            if is_closed {
                Err(io::Error::other("the journal is closed"))
            } else {
                Ok(keep(seq, record))
            }
        };
        let path = &self.shared.path;
        match Compacted::make(self.disk.clone(), path, || self.shared.extent(), keep) {
            Ok(compacted) => {
                // If the journal was closed meanwhile, the next opening removes the copy.
                self.shared.lock().compacted = Some(compacted);
                self.shared.wake.notify_one();
                Ok(true)
            }
            Err(error) => {
                self.shared.is_compacting.store(false, Ordering::Release);
                Err(error)
            }
        }
    }

    /// Why nothing can be committed at this moment, if the commit in progress has taken longer than
    /// [`STALLED_AFTER`]. It ends when that commit returns.
    ///
    /// [`STALLED_AFTER`]: super::STALLED_AFTER
    pub fn stalled(&self) -> Option<String> {
        let taken_s = self.shared.commit_timer.overdue()?.as_secs_f32();
        let name = self.shared.path.file_name().unwrap_or_default().to_string_lossy();
        Some(format!("the disk has not completed a write to {name} for {taken_s:.1} s"))
    }

    /// Changes with every commit. Subscribe before checking, so that no commit is missed.
    pub fn progress(&self) -> watch::Receiver<()> {
        self.shared.progress.subscribe()
    }

    /// The commit of a record that was appended before, for those whose number is bounded: of one
    /// that gives up waiting, the waker is kept until the commit.
    pub fn commit_of(&self, seq: u64) -> Commit<'_> {
        Commit::of(seq, &self.shared)
    }

    /// Waits until the record `seq` is committed.
    ///
    /// # Errors
    /// Returns an error when the disk failed before that.
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

    /// Resolves with the reason when the disk has failed. Only a restart recovers from it: after a
    /// failed `fdatasync` it is unknown what is on the disk.
    pub async fn failed(&self) -> String {
        let mut failure = self.shared.failure.subscribe();
        let reason = failure.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
        match reason {
            Some(reason) => reason,
            None => std::future::pending().await,
        }
    }

    /// Writes and syncs the pending records, and closes the journal for new ones.
    ///
    /// # Errors
    /// Returns the reason when writing failed, now or earlier.
    pub fn close(&self) -> Result<(), String> {
        self.shared.lock().closed = true;
        self.shared.wake.notify_one();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // The writer has reported its failure itself, and a panic was printed.
            let _ = thread.join();
        }
        self.shared.failure.borrow().clone().map_or(Ok(()), Err)
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // A caller that needs the result has called `close` before.
        let _ = self.close();
    }
}
