//! The outcome of an attempt over all its requests.

use crate::history::{Answered, AttemptNo, Entry};

use super::worker::Worker;

/// The strongest answer to an attempt so far.
#[derive(Debug)]
pub(super) struct AttemptOutcome {
    attempt: AttemptNo,
    answered: Option<Answered>,
}

impl AttemptOutcome {
    /// An attempt without an answer.
    pub(super) fn new(attempt: AttemptNo) -> Self {
        Self { attempt, answered: None }
    }

    /// Adds the answer to one of the attempt's requests. A refusal (`None`) states only that its
    /// own request had no effect. The strongest answer is kept; a decision that contradicts an
    /// earlier one is kept beside it, for the audit to find.
    pub(super) fn add(&mut self, worker: &Worker, answered: Option<Answered>) {
        let Some(new) = answered else { return };
        match self.answered.take() {
            Some(old) if old.is_decision() && new.is_decision() && old != new => {
                worker.keep(Entry { attempt: self.attempt, answered: old });
                self.answered = Some(new);
            }
            Some(old) if old.is_decision() || new == Answered::Unknown => {
                self.answered = Some(old);
            }
            _ => self.answered = Some(new),
        }
    }

    /// Whether the attempt was accepted; it may be decided or not.
    pub(super) fn is_accepted(&self) -> bool {
        self.answered.as_ref().is_some_and(|answered| *answered != Answered::Unknown)
    }

    /// Adds the answer to the history.
    pub(super) fn finish(self, worker: &Worker) {
        if let Some(answered) = self.answered {
            worker.keep(Entry { attempt: self.attempt, answered });
        }
    }
}
