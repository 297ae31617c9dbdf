//! The outcome of an attempt over all its requests.

use crate::history::{Answered, AttemptNo, Entry, FinalRefusal};
use crate::sut::Meaning;

use super::reply::Reply;
use super::worker::Worker;

/// The strongest answer to an attempt so far.
#[derive(Debug)]
pub(super) struct AttemptOutcome {
    attempt: AttemptNo,
    entry: Option<Entry>,
    /// When an answer first showed that the attempt was accepted.
    accepted_us: Option<u64>,
    refusal: Option<FinalRefusal>,
}

impl AttemptOutcome {
    /// An attempt without an answer.
    pub(super) fn new(attempt: AttemptNo) -> Self {
        Self { attempt, entry: None, accepted_us: None, refusal: None }
    }

    /// Adds the reply to one of the attempt's requests. A refusal states only that its own request
    /// had no effect. The strongest answer is kept; a decision that contradicts an earlier one is
    /// kept beside it, for the audit to find.
    pub(super) fn add(&mut self, worker: &Worker, reply: &Reply) {
        let window = reply.window;
        let answered = match &reply.meaning {
            None => return,
            Some(Meaning::Answered(answered)) => answered.clone(),
            Some(Meaning::Refused(refused)) => {
                let was_accepted = self.accepted_us.is_some_and(|us| us <= window.sent_us);
                let is_stronger =
                    self.refusal.is_none_or(|kept| was_accepted && !kept.was_accepted);
                if refused.is_final() && is_stronger {
                    let request = window;
                    self.refusal = Some(FinalRefusal { refused: *refused, request, was_accepted });
                }
                return;
            }
        };
        if answered != Answered::Unknown {
            self.accepted_us.get_or_insert(window.answered_us);
        }
        let first_sent_us = self.entry.as_ref().map_or(window.sent_us, |entry| entry.sent_us);
        let new = Entry {
            attempt: self.attempt,
            answered,
            sent_us: first_sent_us.min(window.sent_us),
            answered_us: window.answered_us,
            refusal: None,
        };
        self.entry = Some(match self.entry.take() {
            Some(old) if old.answered.is_decision() && new.answered.is_decision() => {
                if old.answered == new.answered {
                    old
                } else {
                    worker.keep(old);
                    new
                }
            }
            Some(old) if old.answered.is_decision() || new.answered == Answered::Unknown => old,
            Some(old) if old.answered == new.answered => old,
            _ => new,
        });
    }

    /// Whether the attempt was accepted; it may be decided or not.
    pub(super) fn is_accepted(&self) -> bool {
        self.accepted_us.is_some()
    }

    /// Whether the attempt was accepted, and no answer has shown its decision.
    pub(super) fn is_queued(&self) -> bool {
        self.entry.as_ref().is_some_and(|entry| entry.answered == Answered::Accepted)
    }

    /// Adds the answer to the history.
    pub(super) fn finish(self, worker: &Worker) {
        if let Some(entry) = self.entry {
            worker.keep(Entry { refusal: self.refusal.map(Box::new), ..entry });
        }
    }
}
