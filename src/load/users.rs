//! The users of one worker, of either load model.

use std::rc::Rc;

use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinHandle, spawn_local};

use super::executor::{Dispatcher, OPENING_MAX, SETTING_UP_MAX, run_closed};
use super::start_barrier::StartBarrier;
use super::worker::Worker;

/// The users of a worker.
pub(super) enum Users {
    Closed { set_up: Rc<StartBarrier>, start: Rc<StartBarrier>, users: Vec<JoinHandle<()>> },
    Open(Rc<Dispatcher>),
}

impl Users {
    /// Creates the users of one worker, which begin to prepare. In the closed model, a worker has
    /// every `workers`th user.
    pub(super) fn new(worker: &Rc<Worker>) -> Self {
        if let Some(dispatcher) = Dispatcher::new(worker) {
            return Self::Open(dispatcher);
        }
        // `Plan` keeps the number of threads far below u32's range.
        let threads =
            (worker.index as u32..worker.plan().threads as u32).step_by(worker.setup.workers);
        let set_up = Rc::new(StartBarrier::new(threads.len()));
        let start = Rc::new(StartBarrier::new(threads.len()));
        let setting_up = Rc::new(Semaphore::new(SETTING_UP_MAX));
        let opening = Rc::new(Semaphore::new(OPENING_MAX));
        let user = |thread| {
            let permits = (Rc::clone(&setting_up), Rc::clone(&opening));
            let barriers = (Rc::clone(&set_up), Rc::clone(&start));
            run_closed(Rc::clone(worker), barriers, permits, thread)
        };
        let users = threads.map(|thread| spawn_local(user(thread))).collect();
        Self::Closed { set_up, start, users }
    }

    /// Waits until every user is set up.
    pub(super) async fn all_set_up(&self) {
        if let Self::Closed { set_up, .. } = self {
            set_up.all_arrived().await;
        }
    }

    /// Lets the users open their connections, where they are opened beforehand.
    pub(super) fn open_connections(&self) {
        if let Self::Closed { set_up, .. } = self {
            set_up.open();
        }
    }

    /// Waits until every user is ready to start.
    pub(super) async fn all_ready(&self) {
        if let Self::Closed { start, .. } = self {
            start.all_arrived().await;
        }
    }

    /// Starts the users, and ends when the last one has ended.
    pub(super) async fn run(self) -> Result<(), JoinError> {
        match self {
            Self::Open(dispatcher) => dispatcher.run().await,
            Self::Closed { start, users, .. } => {
                start.open();
                for user in users {
                    user.await?;
                }
                Ok(())
            }
        }
    }
}
