//! The body of an answer, which reports when hyper has taken all of it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::body::{Body, Frame, SizeHint};

use super::client::Client;

/// A body that tells its client's record of its end.
pub(super) struct AnswerBody<B> {
    body: B,
    client: Arc<Client>,
}

impl<B: Body> AnswerBody<B> {
    /// The body of an answer that the handler has just made.
    pub(super) fn new(body: B, client: Arc<Client>) -> Self {
        let mut state = client.state();
        state.progress.answered();
        // Only the ledger is written piece by piece.
        state.needs_larger_buffer = body.size_hint().exact().is_none();
        drop(state);
        Self { body, client }
    }
}

impl<B> Drop for AnswerBody<B> {
    fn drop(&mut self) {
        self.client.state().progress.body_ended();
    }
}

impl<B: Body + Unpin> Body for AnswerBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
