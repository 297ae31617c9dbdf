//! How fast the attempts of a register are decided, by whatever process.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::queue::DrainRate;

/// The rate of decisions, from the totals that this process happens to read.
#[derive(Debug, Default)]
pub struct DecidedRate(Mutex<DrainRate>);

impl DecidedRate {
    /// Notes how many attempts were ever decided, and returns how long it takes until this number
    /// of attempts is decided; `None` if too little is known.
    pub(super) fn time_for(&self, attempts: usize, decided: u64) -> Option<Duration> {
        let (mut rate, now) =
            (self.0.lock().unwrap_or_else(PoisonError::into_inner), Instant::now());
        rate.observe(decided, now);
        rate.time_for(attempts, now)
    }
}
