//! Deliveries that are not acknowledged.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lapin::Channel;
use lapin::options::{BasicAckOptions, BasicRejectOptions};

use crate::sale::Attempt;

/// One delivery: an attempt, and the tag by which it is acknowledged.
#[derive(Debug)]
struct Delivered {
    attempt: Arc<Attempt>,
    tag: u64,
}

/// All unacked deliveries of one channel.
#[derive(Debug, Clone, Default)]
pub(super) struct Deliveries {
    state: Arc<Mutex<State>>,
    /// Held by whoever settles a batch until the broker has been told: an acknowledgement of all
    /// that is older covers the batches that were settled before it. Telling the broker about one
    /// of these afterwards would end the channel.
    settling: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug, Default)]
struct State {
    /// Deliveries that no batch has taken, oldest first.
    waiting: VecDeque<Delivered>,
    /// Tags of all unacked deliveries.
    unacked: BTreeSet<u64>,
}

impl Deliveries {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, attempt: Attempt, tag: u64) {
        let mut state = self.lock();
        state.unacked.insert(tag);
        state.waiting.push_back(Delivered { attempt: Arc::new(attempt), tag });
    }

    /// Counts a delivery that cannot be decoded and stays unacked.
    pub(super) fn add_undecodable(&self, tag: u64) {
        self.lock().unacked.insert(tag);
    }

    /// A batch of the oldest delivery and those of the same item that follow it, at most `max`.
    pub(super) fn take(&self, max: usize, channel: &Channel) -> Option<Unacked> {
        let mut state = self.lock();
        let item = state.waiting.front()?.attempt.item.clone();
        let of_item = state.waiting.iter().take(max).take_while(|d| d.attempt.item == item);
        let count = of_item.count();
        let taken = state.waiting.drain(..count).map(|d| (d.attempt, d.tag));
        let (attempts, tags) = taken.unzip();
        drop(state);
        Some(Unacked { attempts, tags, channel: channel.clone(), deliveries: self.clone() })
    }
}

/// A batch of deliveries of one item, oldest first. If it is dropped without an acknowledgement,
/// its deliveries wait for the next batch again.
#[derive(Debug)]
pub struct Unacked {
    attempts: Vec<Arc<Attempt>>,
    tags: Vec<u64>,
    channel: Channel,
    deliveries: Deliveries,
}

impl Unacked {
    pub(in crate::queue) fn attempts(&self) -> &[Arc<Attempt>] {
        &self.attempts
    }

    pub(in crate::queue) async fn ack(mut self) {
        let settling = Arc::clone(&self.deliveries.settling);
        let _settling = settling.lock().await;
        let (tags, are_oldest) = self.settle();
        let last = tags.last().copied();
        let acknowledged = match last {
            Some(last) if are_oldest => {
                self.channel.basic_ack(last, BasicAckOptions { multiple: true }).await
            }
            _ => self.ack_each(&tags).await,
        };
        if let Err(error) = acknowledged {
            tracing::debug!(%error, "the acknowledgement failed; the batch is delivered again");
        }
    }

    async fn ack_each(&self, tags: &[u64]) -> lapin::Result<()> {
        for tag in tags {
            self.channel.basic_ack(*tag, BasicAckOptions::default()).await?;
        }
        Ok(())
    }

    pub(in crate::queue) async fn reject(mut self) {
        let settling = Arc::clone(&self.deliveries.settling);
        let _settling = settling.lock().await;
        let (tags, _) = self.settle();
        for tag in tags {
            if let Err(error) = self.channel.basic_reject(tag, BasicRejectOptions::default()).await
            {
                tracing::debug!(%error, "the rejection failed; the batch is delivered again");
                return;
            }
        }
    }

    /// Takes the tags, and returns whether the channel has no older unacked ones.
    fn settle(&mut self) -> (Vec<u64>, bool) {
        let tags = std::mem::take(&mut self.tags);
        let mut state = self.deliveries.lock();
        tags.iter().for_each(|tag| {
            state.unacked.remove(tag);
        });
        let are_oldest = state.unacked.first().is_none_or(|first| Some(first) > tags.last());
        drop(state);
        (tags, are_oldest)
    }
}

impl Drop for Unacked {
    fn drop(&mut self) {
        let attempts = std::mem::take(&mut self.attempts);
        let tags = std::mem::take(&mut self.tags);
        let mut state = self.deliveries.lock();
        // After an acknowledgement there are no tags, and nothing is put back.
        for (attempt, tag) in attempts.into_iter().zip(tags).rev() {
            state.waiting.push_front(Delivered { attempt, tag });
        }
    }
}
