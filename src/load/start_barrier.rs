//! The barrier at which the users of a worker wait until all are ready and the run begins.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Poll, Waker};

/// A barrier for a known number of users; it opens once.
#[derive(Debug)]
pub(super) struct StartBarrier {
    missing: Cell<usize>,
    is_open: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
    coordinator: RefCell<Option<Waker>>,
}

impl StartBarrier {
    /// A barrier for `expected` users.
    pub(super) fn new(expected: usize) -> Self {
        Self {
            missing: Cell::new(expected),
            is_open: Cell::new(false),
            waiting: RefCell::new(Vec::with_capacity(expected)),
            coordinator: RefCell::default(),
        }
    }

    /// Arrives, and waits until the barrier opens. Each expected user calls it once.
    pub(super) async fn wait(&self) {
        let mut arrived = false;
        poll_fn(|context| {
            if !arrived {
                arrived = true;
                self.missing.set(self.missing.get().saturating_sub(1));
                self.waiting.borrow_mut().push(context.waker().clone());
                if self.missing.get() == 0 {
                    self.coordinator.take().into_iter().for_each(Waker::wake);
                }
            }
            if self.is_open.get() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Waits until all expected users have arrived.
    pub(super) async fn all_arrived(&self) {
        poll_fn(|context| {
            if self.missing.get() == 0 {
                return Poll::Ready(());
            }
            *self.coordinator.borrow_mut() = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Releases all users, in the order in which they arrived.
    pub(super) fn open(&self) {
        self.is_open.set(true);
        self.waiting.take().into_iter().for_each(Waker::wake);
    }
}
