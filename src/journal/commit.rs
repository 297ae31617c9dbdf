//! Waiting for one record's commit.

use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use super::error::CommitError;
use super::writer::Shared;

/// Resolves when its record is committed.
#[derive(Debug)]
#[must_use = "a record is not durable before its commit resolves"]
pub struct Commit<'a> {
    seq: u64,
    shared: &'a Shared,
    /// Where its waker is, if it has one.
    place: Option<usize>,
}

impl<'a> Commit<'a> {
    /// That of the record `seq`.
    pub(super) fn of(seq: u64, shared: &'a Shared) -> Self {
        Self { seq, shared, place: None }
    }

    /// The record's sequence number.
    pub fn seq(&self) -> u64 {
        self.seq
    }
}

impl Future for Commit<'_> {
    type Output = Result<(), CommitError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { seq, shared, place } = *self;
        if shared.is_committed(seq) {
            return Poll::Ready(Ok(()));
        }
        let mut pending = shared.lock();
        // The writer announces a commit before it takes this lock to release those who wait.
        if shared.is_committed(seq) {
            return Poll::Ready(Ok(()));
        }
        match pending.wait(seq, place, cx.waker()) {
            Ok(place) => self.place = Some(place),
            Err(failed) => return Poll::Ready(Err(failed)),
        }
        shared.callers.store(pending.callers(), Ordering::Relaxed);
        Poll::Pending
    }
}
