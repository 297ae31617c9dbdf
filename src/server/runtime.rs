//! The runtime on whose threads requests are answered.

use std::io;

use tokio::runtime::{Builder, Runtime};

/// How many tasks of its own a thread runs before it takes one that another thread has woken. With
/// tokio's default, about 60, those whose commit the journal's thread has announced wait behind new
/// requests.
const GLOBAL_QUEUE_INTERVAL: u32 = 4;

/// Makes a runtime with a thread for each core.
///
/// # Errors
/// Returns an error when the system has no thread or no file descriptor left.
pub fn runtime() -> io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    builder.global_queue_interval(GLOBAL_QUEUE_INTERVAL).enable_all().build()
}
