//! Refusals of buyers who have as many orders as one may have.

use std::collections::HashMap;

use crate::history::{Answered, Refused, RequestWindow, Row, Status};
use crate::judge::facts::{Facts, Origin};
use crate::judge::made::Made;

use super::kept::kept;

/// Added to the latest moment of a decision, in microseconds: the clock of the process that decides
/// is not measured.
const DECIDING_CLOCK_US: u64 = 60_000_000;

/// Refusals of buyers that were certainly below the limit, of those that were kept.
pub(super) fn false_refusals(facts: &Facts<'_>) -> Vec<RequestWindow> {
    let Some(tally) = facts.history.refusals.of(Refused::AlreadyBought) else { return Vec::new() };
    let refused = kept(tally);
    let mut buyers: HashMap<String, Orders> = HashMap::new();
    for request in &refused {
        let buyer = facts.history.ids.buyer(request.attempt).to_string();
        buyers.entry(buyer).or_default();
    }
    add_possible_orders(facts, &mut buyers);
    buyers.values_mut().for_each(Orders::sort);
    let limit = u64::from(facts.ledger.sale.per_buyer);
    let is_false = |request: &RequestWindow| {
        let buyer = facts.history.ids.buyer(request.attempt).to_string();
        request.answered_us > 0 && buyers.get(&buyer).is_some_and(|of| of.at(request) < limit)
    };
    refused.into_iter().filter(is_false).collect()
}

/// The orders that a buyer can have had at some moment, in microseconds since the beginning of the
/// history.
#[derive(Debug, Default)]
struct Orders {
    /// When the attempts were sent.
    sent_us: Vec<u64>,
    /// By when those that lost had lost.
    lost_us: Vec<u64>,
}

impl Orders {
    fn add(&mut self, sent_us: u64, lost_us: Option<u64>) {
        self.sent_us.push(sent_us);
        self.lost_us.extend(lost_us.map(|lost_us| lost_us.max(sent_us)));
    }

    fn sort(&mut self) {
        self.sent_us.sort_unstable();
        self.lost_us.sort_unstable();
    }

    /// Orders that the buyer can have had when this request was looked at: attempts that were sent
    /// before its answer, but none that had lost before it was sent.
    fn at(&self, request: &RequestWindow) -> u64 {
        let sent = self.sent_us.partition_point(|sent_us| *sent_us <= request.answered_us);
        let lost = self.lost_us.partition_point(|lost_us| *lost_us < request.sent_us);
        sent.saturating_sub(lost) as u64
    }
}

/// Adds the attempts of these buyers: those before the run, those of the run, and orders that
/// neither explains, which break another invariant.
fn add_possible_orders(facts: &Facts<'_>, buyers: &mut HashMap<String, Orders>) {
    let history = facts.history;
    for row in history.before.values() {
        if let Some(orders) = buyers.get_mut(&*row.uid) {
            match row.status {
                // Whether it still was an order, nobody can tell: `earlier_kept` looks at that.
                Status::Won(_) => orders.add(0, None),
                Status::Lost(_) => {}
                Status::Queued => {
                    let now = facts.row_of(&row.request_id);
                    orders.add(0, now.and_then(|now| lost_by(facts, now)));
                }
            }
        }
    }
    let mut text = uuid::Uuid::encode_buffer();
    for made in facts.made().filter(|made| made.earlier.is_none()) {
        let buyer = history.ids.buyer(made.entry.attempt);
        let buyer = &*buyer.hyphenated().encode_lower(&mut text);
        if let Some(orders) = buyers.get_mut(buyer) {
            orders.add(made.entry.sent_us, lost_moment(facts, made));
        }
    }
    for (row, origin) in facts.rows() {
        if matches!(origin, Origin::Refused | Origin::Foreign)
            && let Some(orders) = buyers.get_mut(&*row.uid)
        {
            orders.add(0, None);
        }
    }
}

/// By when an attempt had lost, at the latest; `None` if it is not known to have lost.
fn lost_moment(facts: &Facts<'_>, made: &Made<'_>) -> Option<u64> {
    let by_row = lost_by(facts, made.row?)?;
    let is_told = matches!(made.entry.answered, Answered::Lost(_));
    let told_us = made.window().map(|window| window.1).filter(|_| is_told);
    Some(told_us.map_or(by_row, |told_us| told_us.min(by_row)))
}

fn lost_by(facts: &Facts<'_>, row: &Row) -> Option<u64> {
    let decided_us = row.decided_us.filter(|_| matches!(row.status, Status::Lost(_)))?;
    let latest = facts.clock.map_or(u64::MAX, |clock| clock.latest_moment(decided_us));
    Some(latest.saturating_add(DECIDING_CLOCK_US))
}
