//! What is known of the client at the other end of a connection, and what is to become of it: read
//! and written by the connection's own task and by the sweep over all of them.

use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::progress::Progress;

/// What a connection is told to do, from the weakest to the strongest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    /// If it is idle, it gives up its buffers.
    Rest,
    /// If it is idle, it ends.
    EndIfIdle,
    /// It ends after the answer that is under way.
    Finish,
    /// It ends at once with a reset, so that the kernel frees what the client has not received.
    Cut,
}

/// The client of one connection.
#[derive(Debug)]
pub(super) struct Client {
    state: Mutex<State>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) progress: Progress,
    /// Whether the connection has no buffers, since it is idle.
    pub(super) is_resting: bool,
    /// Whether the answer being sent is so long that it needs a larger buffer of the kernel.
    pub(super) needs_larger_buffer: bool,
    order: Option<Order>,
    /// What waits for an order.
    waker: Option<Waker>,
}

impl Client {
    pub(super) fn new() -> Self {
        let progress = Progress::new(Instant::now());
        let state = State {
            progress,
            is_resting: true,
            needs_larger_buffer: false,
            order: None,
            waker: None,
        };
        Self { state: Mutex::new(state) }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives an order; a stronger one that is not yet followed stays.
    pub(super) fn order(&self, order: Order) {
        let mut state = self.state();
        state.order = state.order.max(Some(order));
        let waker = state.waker.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }

    /// Resolves when there is an order. Only the connection's own task waits for one.
    pub(super) async fn ordered(&self) -> Order {
        poll_fn(|cx| self.poll_ordered(cx)).await
    }

    /// Takes an order; if there is none, the task is woken when there is.
    pub(super) fn poll_ordered(&self, cx: &mut Context<'_>) -> Poll<Order> {
        let mut state = self.state();
        if let Some(order) = state.order.take() {
            return Poll::Ready(order);
        }
        if !state.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            state.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}
