//! The thread on which one ledger is made.

use std::io;
use std::thread;

use tokio::runtime::Builder;

/// Added to the thread's nice value: if buyers use all of the CPU, the thread gets at most about a
/// tenth of a core.
const NICE: i32 = 10;

/// Runs a future, which may use timers and no I/O of its own, on a thread of its own.
///
/// # Errors
/// Returns an error when the system has no thread left. The future is dropped then.
pub(super) fn run(make: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    // The runtime is built on the thread, since it must not be dropped on one of another runtime.
    let on_thread = || match Builder::new_current_thread().enable_time().build() {
        Ok(runtime) => runtime.block_on(make),
        Err(error) => tracing::warn!(%error, "cannot make a ledger"),
    };
    thread::Builder::new().name("ledger".into()).spawn(on_thread).map(drop)
}

/// Lowers the priority of this thread, for the rest of its life.
pub(super) fn lower_priority() {
    // On Linux, the nice value is that of the thread that asks. If it cannot be raised, ledgers
    // cost buyers more.
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!(%error, "a ledger is made with the priority of buyers");
    }
}
