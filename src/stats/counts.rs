//! What is counted of a run besides its samples' latencies and outcomes.

use crate::settings::RetryOn;

/// Counts; all add up over workers and seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests that began, in the second in which they did.
    pub began: u64,
    /// Requests of the warm-up's attempts: in no other figure.
    pub warmup: u64,
    /// Second requests of double clicks.
    pub twins: u64,
    /// Retries, by what they came after, in the order of [`RetryOn::ALL`].
    pub retries: [u64; RetryOn::COUNT],
    /// Attempts that ended well after a retry: in an answer that calls for none.
    pub recovered: u64,
    /// Attempts that would have been sent again, had they not been sent as often as allowed.
    pub gave_up: u64,
    /// Attempts that would have been sent again, had the budget of retries not been spent.
    pub over_budget: u64,
    /// Accepted attempts whose buyer waited for the decision.
    pub followed: u64,
    /// Those that were decided while the buyer waited.
    pub decided: u64,
    /// Questions for a decision that got no usable answer.
    pub follow_errors: u64,
    /// Connections that a stampede opened beforehand.
    pub prepared: u64,
    /// Microseconds for which workers had to wait until what they recorded was taken.
    pub stalled_us: u64,
    /// Arrivals that found no user free.
    pub waited: u64,
    /// Arrivals that were never sent, since no user got free for them.
    pub unsent: u64,
}

impl Counts {
    /// Adds others.
    pub fn merge(&mut self, other: &Self) {
        self.began += other.began;
        self.warmup += other.warmup;
        self.twins += other.twins;
        for (sum, part) in self.retries.iter_mut().zip(other.retries) {
            *sum += part;
        }
        self.recovered += other.recovered;
        self.gave_up += other.gave_up;
        self.over_budget += other.over_budget;
        self.followed += other.followed;
        self.decided += other.decided;
        self.follow_errors += other.follow_errors;
        self.prepared += other.prepared;
        self.stalled_us += other.stalled_us;
        self.waited += other.waited;
        self.unsent += other.unsent;
    }

    /// All retries.
    pub fn retried(&self) -> u64 {
        self.retries.iter().sum()
    }
}
