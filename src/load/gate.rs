//! Where the users of a worker wait until all are ready and the run begins.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Poll, Waker};

/// A gate for so many; it opens once.
#[derive(Debug)]
pub(super) struct Gate {
    missing: Cell<usize>,
    is_open: Cell<bool>,
    at_gate: RefCell<Vec<Waker>>,
    keeper: RefCell<Option<Waker>>,
}

impl Gate {
    /// A gate that expects so many.
    pub(super) fn new(expected: usize) -> Self {
        Self {
            missing: Cell::new(expected),
            is_open: Cell::new(false),
            at_gate: RefCell::new(Vec::with_capacity(expected)),
            keeper: RefCell::default(),
        }
    }

    /// Arrives, and waits until it is open. For one of those that are expected, once.
    pub(super) async fn pass(&self) {
        let mut arrived = false;
        poll_fn(|context| {
            if !arrived {
                arrived = true;
                self.missing.set(self.missing.get().saturating_sub(1));
                self.at_gate.borrow_mut().push(context.waker().clone());
                if self.missing.get() == 0 {
                    self.keeper.take().into_iter().for_each(Waker::wake);
                }
            }
            if self.is_open.get() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Waits until all that are expected have arrived.
    pub(super) async fn all_here(&self) {
        poll_fn(|context| {
            if self.missing.get() == 0 {
                return Poll::Ready(());
            }
            *self.keeper.borrow_mut() = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Lets all pass, in the order in which they arrived.
    pub(super) fn open(&self) {
        self.is_open.set(true);
        self.at_gate.take().into_iter().for_each(Waker::wake);
    }
}
