//! The `Retry-After` header: when a refused client may try again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::header::HeaderValue;

/// Where it is not known how long the reason lasts, in seconds.
const UNKNOWN_S: u64 = 1;

/// The longest wait that is estimated, in seconds. Buyers should not miss the end of a rush because
/// an estimate was made at its peak.
const ESTIMATE_MAX_S: u64 = 30;

/// Counts the answers, to spread them.
static ANSWERS: AtomicU64 = AtomicU64::new(0);

/// The header for a client that should wait this long, or as long as a default if that is `None`.
/// Up to half of the wait, and at least a second, is added, by another amount for each answer in
/// turn: clients that are refused together do not return together.
pub(super) fn header(wait: Option<Duration>) -> HeaderValue {
    HeaderValue::from(seconds(wait))
}

/// The number of seconds in such a header.
pub(super) fn seconds(wait: Option<Duration>) -> u64 {
    seconds_of(wait, ANSWERS.fetch_add(1, Ordering::Relaxed))
}

/// A wait in whole seconds, rounded up.
pub(super) fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_millis().div_ceil(1_000) as u64).clamp(1, ESTIMATE_MAX_S)
}

fn seconds_of(wait: Option<Duration>, answer: u64) -> u64 {
    let wait_s = wait.map_or(UNKNOWN_S, whole_seconds);
    let spread_s = (wait_s / 2).max(1);
    wait_s + answer % (spread_s + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_rounded_up_bounded_and_spread() {
        let range = |wait: Option<u64>| {
            let wait = wait.map(Duration::from_millis);
            let all: Vec<_> = (0..100).map(|answer| seconds_of(wait, answer)).collect();
            (all.iter().min().copied().unwrap(), all.iter().max().copied().unwrap())
        };
        assert_eq!(range(None), (1, 2));
        assert_eq!(range(Some(0)), (1, 2));
        assert_eq!(range(Some(4_001)), (5, 7));
        assert_eq!(range(Some(u64::MAX)), (30, 45));
    }
}
