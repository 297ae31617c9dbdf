//! What is worth telling while a run goes on.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::stats::{Live, SaleNow};

/// Something that happened in a run.
#[derive(Debug)]
pub enum Event {
    /// The tested system was found.
    Found {
        /// Its URL.
        url: String,
        /// The process that was started for this run.
        spawned_pid: Option<i32>,
    },
    /// A problem that does not end the run.
    Problem(String),
    /// The load begins; its counters and the sale can be watched from now on.
    LoadBegins {
        /// The workers' counters.
        live: Arc<Live>,
        /// The sale, as it was read last.
        sale: Arc<Mutex<SaleNow>>,
    },
    /// The load has ended.
    LoadEnded {
        /// From the first request's begin to the last one's end.
        elapsed: Duration,
    },
}
