//! What is known of the client at the other end of a connection, and what is to become of it: read
//! and written by the connection's own task and by the sweep over all of them.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

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
    ordered: Notify,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) progress: Progress,
    /// Whether the connection has no buffers, since it is idle.
    pub(super) is_resting: bool,
    /// Whether the answer being sent is so long that it needs a larger buffer of the kernel.
    pub(super) needs_larger_buffer: bool,
    order: Option<Order>,
}

impl Client {
    pub(super) fn new() -> Self {
        let progress = Progress::new(Instant::now());
        let state = State { progress, is_resting: true, needs_larger_buffer: false, order: None };
        Self { state: Mutex::new(state), ordered: Notify::new() }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives an order; a stronger one that is not yet followed stays.
    pub(super) fn order(&self, order: Order) {
        let mut state = self.state();
        state.order = state.order.max(Some(order));
        drop(state);
        self.ordered.notify_one();
    }

    /// Resolves when there is an order.
    pub(super) async fn ordered(&self) -> Order {
        loop {
            if let Some(order) = self.state().order.take() {
                return order;
            }
            self.ordered.notified().await;
        }
    }
}
