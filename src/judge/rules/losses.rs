//! Losses that buyers were told of, with their reasons.

use std::collections::HashMap;

use crate::history::{Answered, AttemptNo, Loss, RequestWindow, Row, Status};
use crate::judge::facts::Facts;

/// The requests whose answers said that an attempt had lost for this reason. A reason that an
/// answer leaves out is the ledger's. A loss that the ledger does not confirm breaks another
/// invariant.
pub(super) fn losses<'a>(
    facts: &'a Facts<'_>,
    reason: Loss,
) -> impl Iterator<Item = RequestWindow> + 'a {
    let tells = facts.tells;
    let is_told = move |told: Loss, row: Option<&Row>| match row.map(|row| &row.status) {
        Some(Status::Won(_)) => false,
        // A row that may be of another attempt gives no reason.
        Some(_) if !tells.request_ids => told == reason,
        Some(Status::Lost(Loss::Unstated) | Status::Queued) => told == reason,
        Some(Status::Lost(now)) => *now == reason && told.agrees_with(*now),
        None => !tells.attempts && told == reason,
    };
    let answers = facts.accepted.iter().filter_map(move |made| match made.entry.answered {
        Answered::Lost(told) if is_told(told, made.row) => {
            let (sent_us, answered_us) = made.window()?;
            Some(RequestWindow { attempt: made.entry.attempt, sent_us, answered_us })
        }
        _ => None,
    });
    let results = facts.history.results.iter().filter_map(move |read| match read.status {
        Some(Status::Lost(told)) if is_told(told, facts.row_of(&read.request_id)) => {
            let attempt = facts.history.ids.attempt(&read.request_id)?;
            let (sent_us, answered_us) = (read.sent_us, read.answered_us);
            (answered_us > 0).then_some(RequestWindow { attempt, sent_us, answered_us })
        }
        _ => None,
    });
    answers.chain(results)
}

/// The same, but from when the attempt itself was sent: it was decided in this window. 0 if that is
/// not known.
pub(super) fn decided_losses(facts: &Facts<'_>, reason: Loss) -> Vec<RequestWindow> {
    let told: Vec<RequestWindow> = losses(facts, reason).collect();
    let mut sent_us: HashMap<AttemptNo, u64> = told.iter().map(|of| (of.attempt, 0)).collect();
    if !told.is_empty() {
        for made in facts.made().filter(|made| made.earlier.is_none()) {
            if let Some(sent_us) = sent_us.get_mut(&made.entry.attempt) {
                // An attempt may have been answered twice.
                let first_us = if *sent_us > 0 { *sent_us } else { u64::MAX };
                *sent_us = made.entry.sent_us.min(first_us);
            }
        }
    }
    told.into_iter().map(|of| RequestWindow { sent_us: sent_us[&of.attempt], ..of }).collect()
}
