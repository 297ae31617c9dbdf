//! The events that a run reports while it goes on.

use std::sync::{Arc, Mutex};
use std::time::Duration;

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
    /// The load has ended.
    LoadEnded {
        /// Time from the beginning of the first request to the end of the last one.
        elapsed: Duration,
    },
}
