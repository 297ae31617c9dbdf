//! Accepted attempts of which a source of orders alone does not say what became of them.

use std::collections::{HashMap, HashSet};

use crate::history::{Answered, ResultRead, Status};
use crate::ids::RequestId;

use super::facts::Facts;

/// Why a run proves nothing about accepted attempts: buyers have no order although units are left.
/// They may have lost for a reason that nobody tells, or their attempts may be lost. `None` if
/// there are none of them, or the source has every attempt.
pub(super) fn unaccounted(facts: &Facts<'_>) -> Option<String> {
    if let Some(because) = still_queued(facts) {
        return Some(because);
    }
    if facts.tells.attempts || !facts.has_units_left() {
        return None;
    }
    let is_loss = |status: &Option<Status>| matches!(status, Some(Status::Lost(_)));
    let results = facts.history.results.iter().filter(|read| is_loss(&read.status));
    let lost: HashSet<RequestId> = results.map(|read| read.request_id).collect();
    let ids = facts.history.ids;
    let undecided = facts.accepted.iter().filter(|made| {
        let is_accepted = made.entry.answered == Answered::Accepted;
        is_accepted && made.row.is_none() && !lost.contains(&made.request_id)
    });
    let buyers = undecided.map(|made| ids.buyer(made.entry.attempt));
    let buyers: HashSet<_> =
        buyers.filter(|buyer| !facts.orders_of.contains_key(&*buyer.to_string())).collect();
    // Orders without names may be those of any of them.
    let nameless = if facts.tells.names() { 0 } else { facts.orders.len() };
    let count = buyers.len().saturating_sub(nameless);
    let left = facts.ledger.sale.stock_left;
    (count > 0).then(|| {
        format!(
            "{count} accepted buyers have no order although {left} units are left: they lost for \
             a reason that is not told, or their attempts are lost"
        )
    })
}

/// Attempts of a described shop whose last result says that they are queued, without an order.
fn still_queued(facts: &Facts<'_>) -> Option<String> {
    if facts.tells.is_everything() {
        return None;
    }
    let mut last: HashMap<RequestId, &ResultRead> = HashMap::new();
    for read in &facts.history.results {
        let kept = last.entry(read.request_id).or_insert(read);
        if read.sent_us >= kept.sent_us {
            *kept = read;
        }
    }
    let is_queued = |read: &&&ResultRead| {
        read.status == Some(Status::Queued) && facts.row_of(&read.request_id).is_none()
    };
    let count = last.values().filter(is_queued).count();
    (count > 0).then(|| format!("the results of {count} attempts still say that they are queued"))
}
