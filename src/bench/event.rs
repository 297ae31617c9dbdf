//! The events that a run reports while it goes on.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::timeout;

use crate::stats::{Live, SaleNow};

/// An event of a run.
#[derive(Debug)]
pub enum Event {
    /// The tested system was found.
    Found {
        /// Its URL.
        url: String,
        /// The id of the process that was started for this run.
        spawned_pid: Option<i32>,
    },
    /// A problem that does not end the run.
    Problem(String),
    /// The load begins; from now on its counters and the sale can be observed.
    LoadBegins {
        /// The workers' counters.
        live: Arc<Live>,
        /// The most recently read state of the sale.
        sale: Arc<Mutex<SaleNow>>,
    },
    /// A fault begins or is over.
    Fault(String),
    /// A threshold was crossed that ends the load: which one, and its figure.
    Aborted(String),
    /// The load has ended.
    LoadEnded {
        /// Time from the beginning of the first request to the end of the last one.
        elapsed: Duration,
    },
    /// Reading the evidence takes long: what is being waited for.
    Waiting(String),
}

/// Receives the events of a run.
pub(super) type Notify<'a> = &'a mut (dyn FnMut(Event) + Send);

/// Time after which a wait is reported, again and again.
const WAIT_REPORTED: Duration = Duration::from_secs(3);

/// Waits for a future, and reports what for if it takes long.
pub(super) async fn waiting<T>(
    notify: Notify<'_>,
    what: impl Fn() -> String,
    future: impl Future<Output = T>,
) -> T {
    let mut future = std::pin::pin!(future);
    loop {
        match timeout(WAIT_REPORTED, &mut future).await {
            Ok(value) => return value,
            Err(_) => notify(Event::Waiting(what())),
        }
    }
}
