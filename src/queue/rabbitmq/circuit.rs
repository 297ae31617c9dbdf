//! A circuit breaker: open while a publish is overdue, that is, unconfirmed past its time limit.
//!
//! The late confirm, or the end of the connection, closes it. A confirm may never come: a quorum
//! queue loses what is published while it has no leader, as after a restart of the broker, and
//! tells nobody. So the connection of a publish that stays overdue is replaced, and the next one is
//! on trial: one message at a time is published until the broker has answered one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Counts the publishes that are overdue, and lets one at a time pass on trial.
#[derive(Debug, Clone, Default)]
pub(super) struct Circuit(Arc<State>);

#[derive(Debug, Default)]
struct State {
    overdue: AtomicUsize,
    on_trial: AtomicBool,
    /// Whether a message is under way on trial.
    is_tried: AtomicBool,
}

/// Marks a publish as overdue until it is dropped.
#[derive(Debug)]
pub(super) struct Overdue(Arc<State>);

/// Lets one message pass.
#[derive(Debug)]
pub(super) struct Pass {
    state: Arc<State>,
    is_trial: bool,
}

impl Circuit {
    /// Whether publishing is suspended.
    pub(super) fn is_open(&self) -> bool {
        let State { overdue, on_trial, is_tried } = &*self.0;
        overdue.load(Ordering::Relaxed) > 0
            || (on_trial.load(Ordering::Acquire) && is_tried.load(Ordering::Acquire))
    }

    /// Lets a message pass, unless publishing is suspended.
    pub(super) fn pass(&self) -> Option<Pass> {
        let State { overdue, on_trial, is_tried } = &*self.0;
        if overdue.load(Ordering::Relaxed) > 0 {
            return None;
        }
        let is_trial = on_trial.load(Ordering::Acquire);
        if is_trial && is_tried.swap(true, Ordering::AcqRel) {
            return None;
        }
        Some(Pass { state: Arc::clone(&self.0), is_trial })
    }

    /// Counts one more overdue publish.
    pub(super) fn overdue(&self) -> Overdue {
        self.0.overdue.fetch_add(1, Ordering::Relaxed);
        Overdue(Arc::clone(&self.0))
    }
}

impl Pass {
    /// Notes that the broker has answered, which ends a trial.
    pub(super) fn answered(&self) {
        if self.is_trial {
            self.state.on_trial.store(false, Ordering::Release);
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if self.is_trial {
            self.state.is_tried.store(false, Ordering::Release);
        }
    }
}

impl Overdue {
    /// Gives the publish up: what follows it is on trial.
    pub(super) fn give_up(self) {
        self.0.on_trial.store(true, Ordering::Release);
    }
}

impl Drop for Overdue {
    fn drop(&mut self) {
        self.0.overdue.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // In a test, that is an assertion.
mod tests {
    use super::*;

    #[test]
    fn circuit_is_open_while_a_publish_is_overdue() {
        let circuit = Circuit::default();
        let first = circuit.overdue();
        let second = circuit.overdue();
        assert!(circuit.is_open() && circuit.pass().is_none());
        drop(first);
        assert!(circuit.is_open() && circuit.pass().is_none());
        drop(second);
        let passes = [circuit.pass(), circuit.pass()];
        assert!(!circuit.is_open() && passes.iter().all(Option::is_some));
    }

    #[test]
    fn one_message_at_a_time_passes_on_trial_until_one_is_answered() {
        let circuit = Circuit::default();
        circuit.overdue().give_up();
        for _ in 0..2 {
            let trial = circuit.pass().unwrap();
            assert!(circuit.is_open() && circuit.pass().is_none());
            drop(trial);
            assert!(!circuit.is_open());
        }
        let trial = circuit.pass().unwrap();
        trial.answered();
        assert!(circuit.pass().is_some() && circuit.pass().is_some());
        drop(trial);
        assert!(!circuit.is_open() && circuit.pass().is_some());
    }
}
