//! A check of an engine whose result many requests share, so that a flood of requests for it does
//! not become a flood of checks.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A check begins at most this often.
const INTERVAL: Duration = Duration::from_millis(200);

/// How old a result may be while the next check is under way, and how long that may take before the
/// engine counts as silent.
const AGE_MAX: Duration = Duration::from_secs(1);

/// The outcome of a check: the reason why the engine cannot be used, or none.
type Outcome = Result<(), String>;

/// The last check of one engine.
#[derive(Debug, Default)]
pub struct RecentCheck {
    state: Mutex<State>,
    /// Held by the request that checks.
    checking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// When the last check began; it may have been given up with its request.
    began: Option<Instant>,
    last: Option<(Instant, Outcome)>,
}

impl RecentCheck {
    /// The outcome of a check that is at most a second old; if there is none, `check` is made.
    pub(super) async fn outcome(&self, check: impl Future<Output = Outcome>) -> Outcome {
        if let Some(outcome) = self.lock().within(INTERVAL) {
            return outcome;
        }
        let _checking = match self.checking.try_lock() {
            Ok(checking) => checking,
            Err(_) => {
                let (known, left) = {
                    let state = self.lock();
                    let taken = state.began.map_or(Duration::ZERO, |began| began.elapsed());
                    (state.within(AGE_MAX), AGE_MAX.saturating_sub(taken))
                };
                if let Some(outcome) = known {
                    return outcome;
                }
                let silent = |_| format!("no answer for {} s", AGE_MAX.as_secs());
                tokio::time::timeout(left, self.checking.lock()).await.map_err(silent)?
            }
        };
        // Another request may have finished a check since, or have given one up.
        let known = {
            let mut state = self.lock();
            let is_due = state.began.is_none_or(|began| began.elapsed() >= INTERVAL);
            let known = if is_due { None } else { state.within(AGE_MAX) };
            if known.is_none() {
                state.began = Some(Instant::now());
            }
            known
        };
        if let Some(outcome) = known {
            return outcome;
        }
        let outcome = check.await;
        self.lock().last = Some((Instant::now(), outcome.clone()));
        outcome
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn within(&self, age: Duration) -> Option<Outcome> {
        let (at, outcome) = self.last.as_ref()?;
        (at.elapsed() < age).then(|| outcome.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn young_outcome_is_shared_and_an_old_one_is_not() {
        let recent = RecentCheck::default();
        assert_eq!(recent.outcome(async { Err("gone".into()) }).await, Err("gone".into()));
        let checked_at = recent.lock().last.as_ref().unwrap().0;
        let state = recent.lock();
        assert_eq!(state.within(checked_at.elapsed() + INTERVAL), Some(Err("gone".into())));
        assert_eq!(state.within(Duration::ZERO), None);
    }

    #[tokio::test]
    async fn silent_engine_is_reported_within_a_second() {
        let recent = RecentCheck::default();
        let other = async {
            // The other request has begun to check, and this one does not check once more.
            recent.outcome(async { unreachable!() }).await
        };
        tokio::select! {
            biased;
            _ = recent.outcome(std::future::pending()) => unreachable!(),
            outcome = other => assert_eq!(outcome, Err("no answer for 1 s".into())),
        }
        // The request that checked has gone, and its check with it.
        assert_eq!(recent.outcome(async { Ok(()) }).await, Ok(()));
    }
}
