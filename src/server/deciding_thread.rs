//! The thread on which consumers decide.
//!
//! On the threads of the requests, one consumer would be one task among thousands and be starved by
//! them under overload. On a thread of its own it gets the CPU that the system's scheduler owes it.

use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

/// A runtime with one thread. Dropping it stops what still runs on it.
pub(super) struct DecidingThread {
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
    handle: Handle,
}

impl DecidingThread {
    /// Starts the thread.
    ///
    /// # Errors
    /// Returns an error when the system has no thread or no file descriptor left.
    pub(super) fn start() -> io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).thread_name("decide").enable_all().build()?;
        let handle = runtime.handle().clone();
        Ok(Self { runtime: Some(runtime), handle })
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for DecidingThread {
    fn drop(&mut self) {
        // A runtime must not be dropped from a task of another one, as that would block it.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
