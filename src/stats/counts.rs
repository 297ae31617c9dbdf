//! Counts of a run that are not derived from its samples' latencies and outcomes.

use crate::settings::RetryOn;

/// Counts, which add up over workers and seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests that began, counted in the second in which they began.
    pub began: u64,
    /// Requests of the warm-up's attempts, which no other figure includes.
    pub warmup: u64,
    /// Second requests of double clicks.
    pub twins: u64,
    /// Retries by their cause, in the order of [`RetryOn::ALL`].
    pub retries: [u64; RetryOn::COUNT],
    /// Attempts that a retry brought to an answer that calls for no further retry.
    pub recovered: u64,
    /// Attempts that were not retried because they had used up their retries.
    pub gave_up: u64,
    /// Attempts that were not retried because the run's retry budget was spent.
    pub over_budget: u64,
    /// Accepted attempts whose buyer waited for the decision.
    pub followed: u64,
    /// Of these, attempts that were decided while the buyer waited.
    pub decided: u64,
    /// Requests for a decision that got no usable answer.
    pub follow_errors: u64,
    /// Connections that a stampede opened before its start.
    pub prepared: u64,
    /// Microseconds for which workers waited because the channel to the aggregator was full.
    pub stalled_us: u64,
    /// Arrivals for which no user was free at their moment.
    pub waited: u64,
    /// Arrivals that were never sent, because no user became free for them.
    pub unsent: u64,
}

impl Counts {
    /// Adds the counts of another worker or second.
    pub fn merge(&mut self, other: &Self) {
        // The fields are destructured by name, so that a forgotten new field does not compile.
        let Self {
            began,
            warmup,
            twins,
            retries,
            recovered,
            gave_up,
            over_budget,
            followed,
            decided,
            follow_errors,
            prepared,
            stalled_us,
            waited,
            unsent,
        } = other;
        self.began += began;
        self.warmup += warmup;
        self.twins += twins;
        for (sum, part) in self.retries.iter_mut().zip(retries) {
            *sum += part;
        }
        self.recovered += recovered;
        self.gave_up += gave_up;
        self.over_budget += over_budget;
        self.followed += followed;
        self.decided += decided;
        self.follow_errors += follow_errors;
        self.prepared += prepared;
        self.stalled_us += stalled_us;
        self.waited += waited;
        self.unsent += unsent;
    }

    /// All retries.
    pub fn retried(&self) -> u64 {
        self.retries.iter().sum()
    }
}
