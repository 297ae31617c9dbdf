//! Waiting for one record's commit.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

/// The disk failed before the record was known to be durable, so it may be in the journal or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the journal could not be written: whether the record is in it is unknown")]
pub struct CommitError;

/// Resolves when its record is committed.
#[derive(Debug)]
#[must_use = "a record is not durable before its commit resolves"]
pub struct Commit {
    pub(super) seq: u64,
    /// `None` where the commit is not waited for.
    pub(super) waiting: Option<oneshot::Receiver<()>>,
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
