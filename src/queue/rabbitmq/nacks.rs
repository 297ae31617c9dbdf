//! Channels on which there is nothing but nacks.
//!
//! A channel that first publishes to a quorum queue while its leader is lost goes on to ask the
//! lost node, and negates each message, although another node leads (RabbitMQ 3). A new channel
//! asks the new leader. So a session with such a channel is replaced, unless the queue is full,
//! which is answered in the same way.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long there may be nothing but nacks: electing a leader takes about as long.
const NACKS_MAX: Duration = Duration::from_millis(500);

/// Since when a channel has had nothing but nacks.
#[derive(Debug)]
pub(super) struct Nacks {
    opened: Instant,
    /// Microseconds from `opened` to the first of the nacks; 0 if the last answer was none.
    since_us: AtomicU64,
}

impl Nacks {
    pub(super) fn new() -> Self {
        Self { opened: Instant::now(), since_us: AtomicU64::new(0) }
    }

    /// Notes that a message was confirmed.
    pub(super) fn acked(&self) {
        if self.since_us.load(Ordering::Relaxed) != 0 {
            self.since_us.store(0, Ordering::Relaxed);
        }
    }

    /// Notes a nack, and returns whether there was nothing else for too long. After that, the time
    /// begins anew.
    pub(super) fn nacked(&self) -> bool {
        self.nacked_after(self.opened.elapsed())
    }

    /// The same at this time after the opening.
    fn nacked_after(&self, time: Duration) -> bool {
        let now_us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1);
        let began = self.since_us.compare_exchange(0, now_us, Ordering::Relaxed, Ordering::Relaxed);
        let Err(since_us) = began else { return false };
        let is_too_long = Duration::from_micros(now_us.saturating_sub(since_us)) > NACKS_MAX;
        // Of several that find this at the same time, one reports it.
        let is_first = || {
            let (relaxed, since) = (Ordering::Relaxed, &self.since_us);
            since.compare_exchange(since_us, now_us, relaxed, relaxed).is_ok()
        };
        is_too_long && is_first()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nacks_count_until_one_message_is_confirmed() {
        let nacks = Nacks::new();
        let nacked_at = |ms| nacks.nacked_after(Duration::from_millis(ms));
        assert!(!nacked_at(0) && !nacked_at(400));
        nacks.acked();
        assert!(!nacked_at(800) && !nacked_at(1_200));
        assert!(nacked_at(1_400) && !nacked_at(1_400), "it is reported once");
        assert!(!nacked_at(1_800) && nacked_at(2_000));
    }
}
