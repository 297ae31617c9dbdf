//! Refused requests that a history kept one by one.

use crate::history::{RequestWindow, Tally};

/// The requests of a tally that were kept, each once.
pub(in crate::judge) fn kept(tally: &Tally) -> Vec<RequestWindow> {
    let mut kept: Vec<_> = tally.kept().copied().collect();
    kept.sort_unstable_by_key(|kept| (kept.sent_us, kept.attempt, kept.answered_us));
    kept.dedup();
    kept
}
