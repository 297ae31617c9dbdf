//! Answers and results: each buyer was told what the ledger says.

use std::collections::HashSet;

use crate::history::{Answered, Status};
use crate::judge::facts::Facts;
use crate::judge::invariant::{Invariant, Witnesses};

/// Checks each answered decision, its buyer and its item.
pub(super) fn answers_true(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::AnswersTrue);
    let unknown = facts.unknown.iter().map(|(id, entry)| (id, *entry));
    let all = facts.accepted.iter().map(|(id, entry)| (id, *entry)).chain(unknown);
    for (request_id, entry) in all {
        let Some(row) = facts.by_id.get(request_id) else { continue };
        let same_decision = match (&entry.answered, &row.status) {
            (Answered::Won(answered), Status::Won(order_id)) => **answered == *order_id,
            (Answered::Won(_), _) => false,
            (Answered::Lost(told), Status::Lost(loss)) => told.agrees_with(*loss),
            (Answered::Lost(_), _) => false,
            (Answered::Accepted | Answered::Unknown, _) => true,
        };
        let same_buyer = facts.history.ids.buyer_id(entry.attempt).as_str() == &*row.uid;
        let same_item = facts.history.item.as_str() == &*row.item;
        broken.add_if(!(same_decision && same_buyer && same_item), request_id);
    }
    broken
}

/// Checks each result that was read. One that was read during the run may be queued and decided
/// afterwards; the ledger may be older than others, unless everything was settled.
pub(super) fn results_true(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::ResultsTrue);
    let accepted: HashSet<_> = facts.accepted.iter().map(|(id, _)| id).collect();
    for read in &facts.history.results {
        let row = facts.by_id.get(&read.request_id).map(|row| &row.status);
        let is_true = match (&read.status, row) {
            (Some(Status::Queued), Some(row)) => *row == Status::Queued || !facts.is_settled,
            (Some(_), Some(Status::Queued)) => !facts.is_settled,
            (Some(result), Some(row)) => result.agrees_with(row),
            // An accepted attempt that is not in the ledger breaks `accepted_kept` instead.
            (Some(_), None) => accepted.contains(&read.request_id),
            (None, None) => true,
            (None, Some(_)) => false,
        };
        broken.add_if(!is_true, read.request_id);
    }
    broken
}
