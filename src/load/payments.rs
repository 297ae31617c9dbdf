//! The payments of a worker's virtual users that are on their way.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinError, JoinHandle};

use super::timers::Timer;

/// Payments of a worker that are in flight at a time, and so the connections that they need.
const IN_FLIGHT_MAX: usize = 32;

/// The payments of one worker.
#[derive(Debug)]
pub(super) struct Payments {
    tasks: RefCell<Vec<JoinHandle<()>>>,
    pub(super) permits: Semaphore,
    /// For how long after the load payments are sent again.
    patience: Duration,
    /// When the worker's last virtual user ended.
    load_ended: watch::Sender<Option<Instant>>,
}

impl Payments {
    /// Nobody pays yet. Payments are sent again for this time after the load at the most.
    pub(super) fn new(patience: Duration) -> Self {
        Self {
            tasks: RefCell::default(),
            permits: Semaphore::new(IN_FLIGHT_MAX),
            patience,
            load_ended: watch::Sender::default(),
        }
    }

    /// Keeps a payment that was begun.
    pub(super) fn add(&self, task: JoinHandle<()>) {
        let mut tasks = self.tasks.borrow_mut();
        if tasks.len() == tasks.capacity() {
            tasks.retain(|task| !task.is_finished());
        }
        tasks.push(task);
    }

    /// Whether a payment that was first due at `due` may be sent again at this moment. While the
    /// load goes on, it always may.
    pub(super) fn may_send_at(&self, moment: Instant, due: Instant) -> bool {
        let ended = *self.load_ended.borrow();
        ended.is_none_or(|ended| moment <= ended.max(due) + self.patience)
    }

    /// Waits until a payment that was first due at `due` is to be sent again; false, without a
    /// wait, if it may not be sent then.
    pub(super) async fn pause(&self, timer: &Timer, next: Instant, due: Instant) -> bool {
        let mut ended = self.load_ended.subscribe();
        tokio::select! {
            () = timer.at(next) => return true,
            // The sender lives as long as this worker.
            _ = ended.wait_for(Option::is_some) => {}
        }
        let may_send = self.may_send_at(next, due);
        if may_send {
            timer.at(next).await;
        }
        may_send
    }

    /// Waits for all payments that were begun. Nobody begins one any more.
    pub(super) async fn finish(&self) -> Result<(), JoinError> {
        self.load_ended.send_replace(Some(Instant::now()));
        let tasks = self.tasks.take();
        for task in tasks {
            task.await?;
        }
        Ok(())
    }
}
