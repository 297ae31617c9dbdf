//! Answers: each buyer was told what the ledger says.

use std::collections::HashSet;

use crate::history::{Answered, Status};
use crate::ids::OrderId;
use crate::judge::facts::Facts;
use crate::judge::invariant::{Invariant, Witnesses};

/// Checks each answered decision, its buyer and its item.
pub(super) fn answers_true(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::AnswersTrue);
    let item = facts.history.item.as_str();
    let mut text = uuid::Uuid::encode_buffer();
    // Each request of an attempt may have made an order then, and only one of them has its row.
    let orders = facts.orders.iter().filter(|_| !facts.tells.once);
    let orders: HashSet<&OrderId> = orders.filter_map(|row| row.status.order_id()).collect();
    for made in facts.made() {
        let Some(row) = made.row else { continue };
        let is_exact = facts.tells.request_ids;
        let same_decision = match (&made.entry.answered, &row.status) {
            (Answered::Won(answered), Status::Won(order_id)) => {
                answered.agrees_with(order_id) || orders.contains(&**answered)
            }
            // The buyer has as many losses and as much in the queue as others were not told of.
            (Answered::Lost(_), Status::Lost(_) | Status::Queued) if !is_exact => true,
            (Answered::Lost(told), Status::Lost(loss)) => told.agrees_with(*loss),
            (Answered::Won(_) | Answered::Lost(_), _) => false,
            (Answered::Accepted | Answered::Unknown, _) => true,
        };
        let buyer = facts.history.ids.buyer(made.entry.attempt);
        let has_buyer = facts.tells.buyers || !row.uid.is_empty();
        let same_buyer = !has_buyer || *buyer.hyphenated().encode_lower(&mut text) == *row.uid;
        let same_item = *item == *row.item;
        broken.add_if(!(same_decision && same_buyer && same_item), made.request_id);
    }
    broken
}
