//! The payments of a worker's virtual users that are on their way.

use std::cell::RefCell;

use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinHandle};

/// Payments of a worker that are in flight at a time, and so the connections that they need.
const IN_FLIGHT_MAX: usize = 32;

/// The payments of one worker.
#[derive(Debug)]
pub(super) struct Payments {
    tasks: RefCell<Vec<JoinHandle<()>>>,
    pub(super) permits: Semaphore,
}

impl Default for Payments {
    fn default() -> Self {
        Self { tasks: RefCell::default(), permits: Semaphore::new(IN_FLIGHT_MAX) }
    }
}

impl Payments {
    /// Keeps a payment that was begun.
    pub(super) fn add(&self, task: JoinHandle<()>) {
        let mut tasks = self.tasks.borrow_mut();
        tasks.retain(|task| !task.is_finished());
        tasks.push(task);
    }

    /// Waits for all payments that were begun. Nobody begins one any more.
    pub(super) async fn finish(&self) -> Result<(), JoinError> {
        let tasks = self.tasks.take();
        for task in tasks {
            task.await?;
        }
        Ok(())
    }
}
