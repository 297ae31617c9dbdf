//! When an attempt is sent again: a pure policy, and the budget that bounds all retries.

use std::time::Duration;

use crate::history::AttemptNo;
use crate::profile::Retry;
use crate::random::{self, Draw};
use crate::settings::RetryOn;

/// Longest pause before a retry that comes from the doubling.
const BACKOFF_MAX: Duration = Duration::from_secs(10);

/// Longest `Retry-After` that a buyer waits for; a buyer gives up at a longer one.
pub(super) const RETRY_AFTER_MAX: Duration = Duration::from_secs(60);

/// Retries that a worker may make in addition to the share of its attempts: without them a short
/// run would have none.
const RETRIES_FREE: f64 = 10.0;

/// What follows an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The answer calls for no retry.
    Done,
    /// The answer calls for a retry, but the attempt has no retries left or would have to wait too
    /// long.
    GiveUp,
    /// The attempt is to be sent again, for this reason, if the budget allows it.
    Retry(RetryOn),
}

/// The retry policy of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Policy<'a> {
    pub(super) retry: &'a Retry,
    pub(super) seed: u64,
}

impl Policy<'_> {
    /// The cause, if the plan retries after it.
    pub(super) fn applies(&self, cause: Option<RetryOn>) -> Option<RetryOn> {
        cause.filter(|cause| self.retry.max > 0 && self.retry.on.contains(cause))
    }

    /// What follows an answer after `retries` retries.
    pub(super) fn next(
        &self,
        cause: Option<RetryOn>,
        retry_after: Option<Duration>,
        retries: u64,
    ) -> Next {
        let Some(cause) = self.applies(cause) else { return Next::Done };
        let is_too_late = retry_after.is_some_and(|time| time > RETRY_AFTER_MAX);
        if retries >= self.retry.max || is_too_late { Next::GiveUp } else { Next::Retry(cause) }
    }

    /// The pause before the next retry: what `Retry-After` says, and then the doubled backoff, of
    /// which a random part of up to a half is left out, so that attempts that were refused together
    /// do not come back together.
    pub(super) fn pause(
        &self,
        attempt: AttemptNo,
        retries: u64,
        retry_after: Option<Duration>,
    ) -> Duration {
        let doubled = backoff(self.retry.backoff, retries);
        retry_after.unwrap_or_default() + doubled.mul_f64(jitter(self.seed, attempt, retries))
    }
}

/// A pause that doubles with each retry, up to its bound.
pub(super) fn backoff(first: Duration, doublings: u64) -> Duration {
    first.saturating_mul(1 << doublings.min(20)).min(BACKOFF_MAX)
}

/// The part of a pause that an attempt waits for, from a half to all of it.
pub(super) fn jitter(seed: u64, attempt: AttemptNo, retries: u64) -> f64 {
    let seed = random::bits(seed, Draw::Jitter, retries);
    1.0 - random::uniform(seed, Draw::Jitter, attempt.number()) / 2.0
}

/// Retries that a worker may make now: each attempt earns a share of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    left: f64,
    share: f64,
    max: f64,
}

impl Budget {
    /// The budget of a run with this many virtual users.
    pub(super) fn new(retry: &Retry, threads: u64) -> Self {
        let max = RETRIES_FREE.max(threads as f64);
        Self { left: RETRIES_FREE, share: retry.budget.fraction(), max }
    }

    /// The budget after one more attempt.
    pub(super) fn earn(self) -> Self {
        Self { left: (self.left + self.share).min(self.max), ..self }
    }

    /// The budget after one more retry; `None` when it is spent.
    pub(super) fn spend(self) -> Option<Self> {
        let left = self.left - 1.0;
        (left >= 0.0).then_some(Self { left, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Share;

    fn retry(max: u64) -> Retry {
        let on = vec![RetryOn::Unavailable];
        Retry { max, on, backoff: Duration::from_millis(100), budget: Share::percent(50) }
    }

    #[test]
    fn policy_retries_after_its_causes_until_its_limit() {
        let retry = retry(2);
        let policy = Policy { retry: &retry, seed: 1 };
        let next = |cause, retries| policy.next(cause, None, retries);
        assert_eq!(next(None, 0), Next::Done);
        assert_eq!(next(Some(RetryOn::Unknown), 0), Next::Done);
        assert_eq!(next(Some(RetryOn::Unavailable), 1), Next::Retry(RetryOn::Unavailable));
        assert_eq!(next(Some(RetryOn::Unavailable), 2), Next::GiveUp);
        let later = Some(RETRY_AFTER_MAX + Duration::from_secs(1));
        assert_eq!(policy.next(Some(RetryOn::Unavailable), later, 0), Next::GiveUp);
    }

    #[test]
    fn pause_doubles_with_jitter_after_retry_after() {
        let retry = retry(9);
        let policy = Policy { retry: &retry, seed: 1 };
        let attempt = AttemptNo { thread: 3, index: 5 };
        let ms = Duration::from_millis;
        for (retries, full) in [(0, ms(100)), (1, ms(200)), (30, BACKOFF_MAX)] {
            let pause = policy.pause(attempt, retries, None);
            assert!(pause > full / 2 && pause <= full, "{retries}: {pause:?}");
            let second = Some(Duration::from_secs(1));
            assert_eq!(policy.pause(attempt, retries, second), Duration::from_secs(1) + pause);
        }
    }

    #[test]
    fn budget_is_ten_and_a_share_of_the_attempts() {
        let mut budget = Budget::new(&retry(1), 1);
        for _ in 0..10 {
            budget = budget.spend().unwrap();
        }
        assert!(budget.spend().is_none());
        assert!(budget.earn().spend().is_none());
        assert!(budget.earn().earn().spend().is_some());
    }
}
