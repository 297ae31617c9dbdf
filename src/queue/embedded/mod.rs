//! The queue of this process: per-item queues in memory, a journal on disk, which it may share with
//! the store.

mod delivery;
pub(in crate::queue) mod flaws;
mod item_queues;
mod recovery;

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use crate::ids::{ItemId, RequestId};
use crate::journal::{AppendError, Commit, Journal};
use crate::sale::{Attempt, NewAttempt};

use super::{Backlog, Place, PublishError, Room};
use delivery::Acks;
pub(super) use delivery::Delivery;
use item_queues::ItemQueues;
pub use recovery::Recovery;

/// Attempts that are read for a ledger while the queue is locked, which takes some 50 µs.
const READ_MAX: usize = 1_000;

/// Pause after that, for the requests that wait for the lock.
const READ_PAUSE: Duration = Duration::from_millis(1);

/// The queue of this process. Attempts that wait can be looked up by their request id.
#[derive(Debug)]
pub struct Embedded {
    journal: Arc<Journal>,
    queues: ItemQueues,
    max: usize,
    delivery: Delivery,
    acks: Acks,
}

impl Embedded {
    /// Appends an attempt and waits until it is durable. If the same id is queued already, that
    /// earlier attempt is the one that is durable.
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn publish(&self, new: NewAttempt) -> Result<(), PublishError> {
        self.publish_within(new, Room::default()).await
    }

    /// Like [`Self::publish`], for an attempt that may fill no more than this of the queue.
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn publish_within(&self, new: NewAttempt, room: Room) -> Result<(), PublishError> {
        match self.add(new, room)? {
            Added::Fresh(commit) => commit.await.map_err(|_| PublishError::Unknown),
            // In a box, as each fresh attempt has room for this future, too.
            Added::Duplicate(seq) => Box::pin(self.committed(seq)).await,
        }
    }

    /// Appends while the queues are locked, so that the journal has the order of the item's queue.
    fn add(&self, new: NewAttempt, room: Room) -> Result<Added<'_>, PublishError> {
        let mut state = self.queues.lock();
        if let Some(queued) = state.waiting.get(&new.request_id) {
            let same = queued.buyer == new.buyer && queued.item == new.item;
            return if same { Ok(Added::Duplicate(queued.seq)) } else { Err(PublishError::Reused) };
        }
        let depth = state.waiting.len();
        // Of all that wait, some may be at other items.
        let is_full_of_item = || depth >= room.of_item && state.depth_of(&new.item) >= room.of_item;
        if depth >= room.of(self.max) || is_full_of_item() {
            return Err(PublishError::Full);
        }
        let NewAttempt { request_id, buyer, item, epoch, accepted_us } = &new;
        let record = format!("+ {request_id} {buyer} {item} {epoch} {accepted_us}");
        let commit = self.journal.append(record.as_bytes()).map_err(refused)?;
        let seq = commit.seq();
        state.add(Arc::new(new.at(seq)));
        Ok(Added::Fresh(commit))
    }

    /// Waits until the waiting attempt `request_id` is durable; returns at once if there is none.
    ///
    /// # Errors
    /// [`PublishError::Unknown`] when it is not known to be durable.
    pub async fn durable(&self, request_id: &RequestId) -> Result<(), PublishError> {
        match self.find(request_id) {
            Some(attempt) => self.committed(attempt.seq).await,
            None => Ok(()),
        }
    }

    async fn committed(&self, seq: u64) -> Result<(), PublishError> {
        // Retries must not pile up behind a disk that hangs.
        if !self.journal.is_committed(seq) && self.journal.stalled().is_some() {
            return Err(PublishError::Unknown);
        }
        self.journal.committed(seq).await.map_err(|_| PublishError::Unknown)
    }

    pub(super) async fn next(self: &Arc<Self>, max: usize) -> Option<Unacked> {
        let mut committed = self.journal.progress();
        let mut changed = self.queues.changed();
        loop {
            committed.mark_unchanged();
            changed.mark_unchanged();
            let max = if self.delivery.is_concurrent { 1 } else { max };
            if let Some(attempts) = self.queues.take(max, |seq| self.journal.is_committed(seq)) {
                let queue = Arc::clone(self);
                let mut unacked = Unacked { attempts, queue, holds_item: true, settled: false };
                if self.delivery.is_concurrent {
                    unacked.release_item();
                }
                return Some(unacked);
            }
            if self.queues.lock().is_finished() {
                return None;
            }
            tokio::select! {
                _ = committed.changed() => {}
                _ = changed.changed() => {}
            }
        }
    }

    pub(super) fn find(&self, request_id: &RequestId) -> Option<Arc<Attempt>> {
        self.queues.lock().waiting.get(request_id).cloned()
    }

    /// Whether an attempt with this id is accepted and not acknowledged.
    pub fn has(&self, request_id: &RequestId) -> bool {
        self.queues.lock().waiting.contains_key(request_id)
    }

    /// All attempts at the sale `epoch` that are accepted and not acknowledged, oldest first.
    pub async fn waiting(&self, epoch: u64) -> Vec<Arc<Attempt>> {
        let (mut next_seq, end_seq) = (0, self.journal.next_seq());
        let mut attempts = Vec::new();
        loop {
            let read = self.queues.lock().read(next_seq..end_seq, READ_MAX);
            let Some(last) = read.last() else { return attempts };
            next_seq = last.seq + 1;
            let more = read.len() == READ_MAX;
            attempts.extend(read.into_iter().filter(|attempt| attempt.epoch == epoch));
            if more {
                tokio::time::sleep(READ_PAUSE).await;
            }
        }
    }

    /// The journal.
    pub fn journal(&self) -> &Arc<Journal> {
        &self.journal
    }

    /// Whether an item is given to one batch at a time, until the order of its decisions is fixed.
    pub fn is_in_order(&self) -> bool {
        !self.delivery.is_concurrent
    }

    /// How many attempts are accepted and not acknowledged, of all items.
    pub fn depth(&self) -> usize {
        self.queues.lock().waiting.len()
    }

    /// How many attempts at this item are accepted and not acknowledged.
    pub fn depth_of(&self, item: &ItemId) -> usize {
        self.queues.lock().depth_of(item)
    }

    /// What waits before an attempt at this item that would arrive at `now_us`, in microseconds
    /// since the Unix epoch.
    pub fn backlog(&self, item: &ItemId, now_us: u64) -> Backlog {
        let state = self.queues.lock();
        Backlog { of_item: state.depth_of(item), wait: state.wait(now_us) }
    }

    /// Where an attempt is; `None` if it is not queued, or so much is before it that counting would
    /// take too long.
    pub fn place(&self, request_id: &RequestId) -> Option<Place> {
        self.queues.lock().place(request_id)
    }

    pub(super) fn close_when_empty(&self) {
        self.queues.close_when_empty();
    }

    /// Writes and syncs the pending records, and closes the queue for new ones.
    ///
    /// # Errors
    /// Returns the reason when that failed.
    pub fn close(&self) -> Result<(), String> {
        self.journal.close()
    }

    pub(super) fn drain_time(&self) -> Option<Duration> {
        self.queues.lock().drain_time()
    }

    pub(super) fn drained_per_second(&self) -> Option<f64> {
        self.queues.lock().drained_per_second()
    }

    pub(super) fn unavailable(&self) -> Option<String> {
        self.journal.stalled()
    }

    pub(super) async fn failed(&self) -> String {
        self.journal.failed().await
    }
}

/// Attempts that were delivered to a consumer and are not acknowledged.
#[derive(Debug)]
pub struct Unacked {
    attempts: Vec<Arc<Attempt>>,
    queue: Arc<Embedded>,
    holds_item: bool,
    settled: bool,
}

impl Unacked {
    pub(super) fn attempts(&self) -> &[Arc<Attempt>] {
        &self.attempts
    }

    pub(super) fn release_item(&mut self) {
        if std::mem::take(&mut self.holds_item)
            && let Some(first) = self.attempts.first()
        {
            self.queue.queues.release(&first.item);
        }
    }

    pub(super) fn ack(mut self) {
        if self.queue.acks.lose_next(self.queue.delivery) {
            // Dropping it has it delivered again.
            return;
        }
        let mut record = String::from("-");
        for attempt in &self.attempts {
            // Writing to a String cannot fail.
            let _ = write!(record, " {}", attempt.seq);
        }
        // The commit is not awaited: if the record is lost, the batch is delivered again after a
        // restart, and the store keeps its decisions.
        let _ = self.queue.journal.append_later(record.as_bytes());
        self.settled = true;
        self.queue.queues.remove(&self.attempts);
    }
}

impl Drop for Unacked {
    fn drop(&mut self) {
        if !self.settled {
            self.queue.queues.put_back(&self.attempts);
        }
        self.release_item();
    }
}

enum Added<'a> {
    Fresh(Commit<'a>),
    /// The same attempt is queued already, under this sequence number.
    Duplicate(u64),
}

fn refused(error: AppendError) -> PublishError {
    match error {
        AppendError::Full => PublishError::Full,
        AppendError::TooLong | AppendError::Closed => PublishError::Unavailable,
    }
}
