//! The thread on which one ledger is made.

use std::io;
use std::thread;

use tokio::runtime::Builder;

/// A nice value: if buyers use all of the CPU, the thread gets about a tenth of a core.
const NICE: i32 = 10;

/// Runs a future on a thread of its own, with a lower priority than the threads that answer buyers.
///
/// # Errors
/// Returns an error when the system has no thread or no file descriptor left.
pub(super) fn run(make: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let on_thread = move || {
        // On Linux, this is the priority of the thread that asks. If it cannot be lowered, ledgers
        // cost buyers more.
        if let Err(error) = rustix::process::setpriority_process(None, NICE) {
            tracing::debug!(%error, "a ledger is made with the priority of buyers");
        }
        runtime.block_on(make);
    };
    thread::Builder::new().name("ledger".into()).spawn(on_thread).map(drop)
}
