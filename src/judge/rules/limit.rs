//! Buyers who were told that they have as many orders as one may have.

use std::collections::HashMap;

use uuid::Uuid;

use crate::history::{Loss, Refused, RequestWindow, Row, Status, View};
use crate::judge::facts::Facts;
use crate::judge::id_map::IdMap;

use super::holds::tellings;
use super::kept::kept;
use super::losses::decided_losses;
use super::orders::orders;
use super::views::by_answers;

/// Who was told so: by refusals that were kept, and by losses.
#[derive(Debug, Default)]
pub(super) struct AtLimit {
    /// The refused requests whose buyers were certainly below the limit when they were answered.
    pub(super) refused: Vec<RequestWindow>,
    /// The same, of requests that were answered with a loss.
    pub(super) lost: Vec<RequestWindow>,
    /// By when the others had all of their orders.
    by_us: HashMap<Uuid, u64>,
}

impl AtLimit {
    /// Compares what was told with when the orders were made.
    pub(super) fn told(facts: &Facts<'_>) -> Self {
        let (ids, tells) = (facts.history.ids, facts.tells);
        // Only the orders of each attempt, and all of them, show when a buyer had how many.
        if !(tells.attempts && tells.request_ids && tells.buyers && tells.limit) {
            return Self::default();
        }
        let refused = facts.history.refusals.of(Refused::AlreadyBought).map(kept);
        let refused = refused.into_iter().flatten().filter(|request| request.answered_us > 0);
        let lost = decided_losses(facts, Loss::AlreadyBought).into_iter();
        let lost = lost.map(|request| (request, true));
        let told: Vec<_> = lost.chain(refused.map(|request| (request, false))).collect();
        if told.is_empty() {
            return Self::default();
        }
        let mut made_us: HashMap<Uuid, MadeUs> = told
            .iter()
            .map(|(request, _)| (ids.buyer(request.attempt), MadeUs::default()))
            .collect();
        let is_won = |row: &&Row| matches!(row.status, Status::Won(_));
        let before = facts.history.before.values().filter(is_won).map(|row| (row, 0, 0));
        let new = orders(facts).iter().map(|order| (order.row, order.from_us, order.by_us));
        for (row, from_us, by_us) in before.chain(new) {
            if let Some(made_us) = buyer(row).and_then(|buyer| made_us.get_mut(&buyer)) {
                made_us.from_us.push(from_us);
                made_us.by_us.push(by_us);
            }
        }
        made_us.values_mut().for_each(MadeUs::sort);
        // Orders come back only where they are held.
        let views = if facts.holds { by_answers(facts) } else { Vec::new() };
        let given_back_us = given_back_us(facts, &made_us);
        let limit = facts.ledger.sale.per_buyer as usize;
        let mut at_limit = Self::default();
        for (request, is_lost) in told {
            let buyer = ids.buyer(request.attempt);
            let made_us = &made_us[&buyer];
            let made = made_us.from_us.partition_point(|us| *us <= request.answered_us);
            let given_back = given_back_us
                .get(&buyer)
                .map_or(0, |back_us| back_us.partition_point(|us| *us < request.sent_us));
            let earlier = views.partition_point(|view| view.answered_us < request.sent_us);
            let shown = earlier.checked_sub(1).map_or(usize::MAX, |last| {
                // All orders of that moment may be this buyer's.
                let View { sent_us, sale, .. } = views[last];
                let before = made_us.by_us.partition_point(|us| us < sent_us);
                let then = usize::try_from(sale.orders).unwrap_or(usize::MAX);
                then.saturating_add(made.saturating_sub(before))
            });
            if made.saturating_sub(given_back).min(shown) < limit {
                let falsely = if is_lost { &mut at_limit.lost } else { &mut at_limit.refused };
                falsely.push(request);
            } else if !facts.holds {
                // Otherwise some of the buyer's orders may have come back, and others come later.
                let by_us = at_limit.by_us.entry(buyer).or_insert(u64::MAX);
                *by_us = request.answered_us.min(*by_us);
            }
        }
        at_limit
    }

    /// By when an order had been made, if its buyer was told so: `u64::MAX` otherwise.
    pub(super) fn by_us(&self, order: &Row) -> u64 {
        let told = self.by_us.is_empty().then_some(u64::MAX);
        told.or_else(|| self.by_us.get(&buyer(order)?).copied()).unwrap_or(u64::MAX)
    }
}

/// When the orders of one buyer can have been made, and had been, each in order.
#[derive(Debug, Default)]
struct MadeUs {
    from_us: Vec<u64>,
    by_us: Vec<u64>,
}

impl MadeUs {
    fn sort(&mut self) {
        self.from_us.sort_unstable();
        self.by_us.sort_unstable();
    }
}

/// By when each of these buyers was told that orders had been given back, in order.
fn given_back_us(facts: &Facts<'_>, of: &HashMap<Uuid, MadeUs>) -> HashMap<Uuid, Vec<u64>> {
    let mut first_us: IdMap<u64> = IdMap::default();
    let tellings = tellings(facts).filter(|(_, status, _)| facts.holds && !status.takes_unit());
    for (id, _, by_us) in tellings {
        let first_us = first_us.entry(id).or_insert(by_us);
        *first_us = by_us.min(*first_us);
    }
    let mut back_us: HashMap<Uuid, Vec<u64>> = HashMap::new();
    for (id, by_us) in first_us {
        let buyer = facts.row_of(&id).and_then(buyer).filter(|buyer| of.contains_key(buyer));
        buyer.into_iter().for_each(|buyer| back_us.entry(buyer).or_default().push(by_us));
    }
    back_us.values_mut().for_each(|back_us| back_us.sort_unstable());
    back_us
}

/// The buyer of a row, if it can be one of the run's.
fn buyer(row: &Row) -> Option<Uuid> {
    Uuid::parse_str(&row.uid).ok()
}
