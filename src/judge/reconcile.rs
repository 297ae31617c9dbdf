//! [`reconcile`]: every invariant, checked against history and ledger. Pure; its time is linear in
//! the size of both.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::history::{Answered, History, Ledger, Row, Status};
use crate::ids::RequestId;

use super::invariant::{Invariant, Violation, Witnesses};
use super::verdict::{Audit, Verdict};

/// Judges a run by the answers to its clients and by the ledger after it.
///
/// `settled` says that nothing was queued when the ledger was read. If attempts were queued, a
/// missing decision breaks no invariant, but the run does not pass either.
pub fn reconcile(history: &History, ledger: &Ledger, settled: bool) -> Audit {
    if let Some(before) = &history.sale_before
        && before.epoch != ledger.sale.epoch
    {
        let because = "another sale of the item was opened during the run";
        return Audit::undecided(history, because.to_owned());
    }
    let facts = Facts::gather(history, ledger);
    let mut checks = vec![
        facts.never_oversold(),
        facts.stock_never_negative(),
        facts.stock_conserved(),
        facts.order_ids_unique(),
        facts.request_ids_unique(),
        facts.buyer_limit(),
        facts.orders_were_sent(),
        facts.refusals_hold(),
        facts.accepted_kept(),
        facts.answers_true(),
        facts.results_true(settled),
        facts.earlier_kept(),
        facts.terms_kept(),
    ];
    if settled {
        checks.extend([facts.accepted_decided(), facts.no_unsold_stock()]);
    }
    let mut violations: Vec<Violation> = checks.into_iter().filter_map(Witnesses::finish).collect();
    violations.sort_by_key(|violation| violation.invariant);
    let (verdict, because) = match (violations.is_empty(), settled) {
        (false, _) => (Verdict::Fail, None),
        (true, true) => (Verdict::Pass, None),
        (true, false) => (Verdict::Unknown, Some("attempts were still queued".to_owned())),
    };
    Audit {
        verdict,
        because,
        stock: Some(ledger.sale.stock),
        stock_left: Some(ledger.sale.stock_left),
        orders: Some(facts.orders.len() as u64),
        oversold: facts.oversold() as u64,
        accepted: facts.accepted.len() as u64,
        unresolved: facts.unresolved().count() as u64,
        unknown_outcomes: facts.unknown.len() as u64,
        violations,
    }
}

/// History and ledger, joined by request id.
struct Facts<'a> {
    history: &'a History,
    ledger: &'a Ledger,
    /// Rows that won, in the ledger's order.
    orders: Vec<&'a Row>,
    by_id: HashMap<RequestId, &'a Row>,
    orders_of: HashMap<&'a str, u64>,
    /// Attempts of this run that were accepted, with their answers.
    accepted: Vec<(RequestId, &'a Answered)>,
    unknown: BTreeSet<RequestId>,
}

impl<'a> Facts<'a> {
    fn gather(history: &'a History, ledger: &'a Ledger) -> Self {
        let won = |row: &&Row| matches!(row.status, Status::Won(_));
        let orders: Vec<&Row> = ledger.rows.iter().filter(won).collect();
        let mut orders_of = HashMap::new();
        for order in &orders {
            *orders_of.entry(&*order.uid).or_default() += 1;
        }
        let (mut accepted, mut unknown) = (Vec::new(), BTreeSet::new());
        for entry in &history.entries {
            let request_id = history.ids.request_id(entry.attempt);
            match entry.answered {
                Answered::Unknown => {
                    unknown.insert(request_id);
                }
                _ => accepted.push((request_id, &entry.answered)),
            }
        }
        let by_id = ledger.rows.iter().map(|row| (row.request_id, row)).collect();
        Self { history, ledger, orders, by_id, orders_of, accepted, unknown }
    }

    fn oversold(&self) -> usize {
        let stock = usize::try_from(self.ledger.sale.stock).unwrap_or(usize::MAX);
        self.orders.len().saturating_sub(stock)
    }

    fn never_oversold(&self) -> Witnesses {
        let mut broken = Witnesses::of(Invariant::NeverOversold);
        let within = self.orders.len() - self.oversold();
        self.orders[within..].iter().for_each(|order| broken.add(order.request_id));
        broken
    }

    fn stock_never_negative(&self) -> Witnesses {
        let mut broken = Witnesses::of(Invariant::StockNeverNegative);
        let left = self.ledger.sale.stock_left;
        broken.add_if(left < 0, format_args!("stock_left {left}"));
        broken
    }

    fn stock_conserved(&self) -> Witnesses {
        let mut broken = Witnesses::of(Invariant::StockConserved);
        let (stock, left) = (self.ledger.sale.stock, self.ledger.sale.stock_left);
        let orders = self.orders.len();
        let adds_up = i128::from(stock) == i128::from(left) + orders as i128;
        broken.add_if(!adds_up, format_args!("stock {stock}, left {left}, orders {orders}"));
        broken
    }

    fn order_ids_unique(&self) -> Witnesses {
        let mut broken = Witnesses::of(Invariant::OrderIdsUnique);
        let mut seen = HashSet::new();
        for order in &self.orders {
            if let Status::Won(order_id) = &order.status {
                broken.add_if(!seen.insert(order_id), order_id);
            }
        }
        broken
    }

    fn request_ids_unique(&self) -> Witnesses {
        let mut broken = Witnesses::of(Invariant::RequestIdsUnique);
        let mut seen = HashSet::new();
        for row in &self.ledger.rows {
            broken.add_if(!seen.insert(row.request_id), row.request_id);
        }
        broken
    }

    fn buyer_limit(&self) -> Witnesses {
        let mut broken = Witnesses::of(Invariant::BuyerLimit);
        let limit = u64::from(self.ledger.sale.per_buyer);
        let mut over: Vec<_> = self.orders_of.iter().filter(|(_, n)| **n > limit).collect();
        over.sort_unstable();
        over.into_iter().for_each(|(uid, orders)| broken.add(format_args!("{uid} has {orders}")));
        broken
    }

    fn orders_were_sent(&self) -> Witnesses {
        let mut broken = Witnesses::of(Invariant::OrdersWereSent);
        for order in &self.orders {
            let earlier = self.history.before.contains_key(&order.request_id);
            broken.add_if(!earlier && !self.was_sent(order), order.request_id);
        }
        broken
    }

    fn refusals_hold(&self) -> Witnesses {
        let mut broken = Witnesses::of(Invariant::RefusalsHold);
        let accepted: HashSet<_> = self.accepted.iter().map(|(id, _)| *id).collect();
        for row in &self.ledger.rows {
            let id = &row.request_id;
            let not_refused = accepted.contains(id)
                || self.unknown.contains(id)
                || self.history.before.contains_key(id);
            broken.add_if(!not_refused && self.was_sent(row), id);
        }
        broken
    }

    fn was_sent(&self, row: &Row) -> bool {
        let attempt = self.history.ids.attempt(&row.request_id);
        attempt.is_some_and(|attempt| self.history.was_sent(attempt))
    }

    fn accepted_kept(&self) -> Witnesses {
        let mut broken = Witnesses::of(Invariant::AcceptedKept);
        for (request_id, _) in &self.accepted {
            broken.add_if(!self.by_id.contains_key(request_id), request_id);
        }
        broken
    }

    fn unresolved(&self) -> impl Iterator<Item = &RequestId> {
        let ids = self.accepted.iter().map(|(request_id, _)| request_id);
        ids.filter(|id| self.by_id.get(id).is_none_or(|row| row.status == Status::Queued))
    }

    fn accepted_decided(&self) -> Witnesses {
        let mut broken = Witnesses::of(Invariant::AcceptedDecided);
        // An attempt that is not in the ledger at all breaks `accepted_kept` instead.
        self.unresolved()
            .filter(|id| self.by_id.contains_key(id))
            .for_each(|request_id| broken.add(request_id));
        broken
    }

    /// Checks each answered decision, its buyer and its item.
    fn answers_true(&self) -> Witnesses {
        let mut broken = Witnesses::of(Invariant::AnswersTrue);
        let unknown = self.unknown.iter().map(|id| (id, &Answered::Unknown));
        let all = self.accepted.iter().map(|(id, answered)| (id, *answered)).chain(unknown);
        for (request_id, answered) in all {
            let Some(row) = self.by_id.get(request_id) else { continue };
            let same_decision = match (answered, &row.status) {
                (Answered::Won(answered), Status::Won(order_id)) => **answered == *order_id,
                (Answered::Won(_), _) => false,
                (Answered::Lost, status) => *status == Status::Lost,
                (Answered::Accepted | Answered::Unknown, _) => true,
            };
            let attempt = self.history.ids.attempt(request_id);
            let same_buyer = attempt
                .is_some_and(|attempt| self.history.ids.buyer_id(attempt).as_str() == &*row.uid);
            let same_item = self.history.item.as_str() == &*row.item;
            broken.add_if(!(same_decision && same_buyer && same_item), request_id);
        }
        broken
    }

    /// The ledger was read after the results: an attempt that was queued then may have been decided
    /// since, unless everything was settled.
    fn results_true(&self, settled: bool) -> Witnesses {
        let mut broken = Witnesses::of(Invariant::ResultsTrue);
        for (request_id, result) in &self.history.results {
            let row = self.by_id.get(request_id).map(|row| &row.status);
            let is_true = match (result, row) {
                (Some(Status::Queued), Some(row)) => *row == Status::Queued || !settled,
                (Some(result), Some(row)) => result == row,
                // An attempt that is not in the ledger breaks `accepted_kept` instead.
                (_, None) => true,
                (None, Some(_)) => false,
            };
            broken.add_if(!is_true, request_id);
        }
        broken
    }

    fn earlier_kept(&self) -> Witnesses {
        let mut broken = Witnesses::of(Invariant::EarlierKept);
        let mut earlier: Vec<_> = self.history.before.iter().collect();
        earlier.sort_unstable_by_key(|(request_id, _)| **request_id);
        for (request_id, before) in earlier {
            let now = self.by_id.get(request_id).map(|row| &row.status);
            let kept = match before {
                Status::Queued => now.is_some(),
                decided => now == Some(decided),
            };
            broken.add_if(!kept, request_id);
        }
        broken
    }

    fn terms_kept(&self) -> Witnesses {
        let mut broken = Witnesses::of(Invariant::TermsKept);
        if let Some(before) = &self.history.sale_before {
            let now = &self.ledger.sale;
            let kept = (before.stock, before.per_buyer) == (now.stock, now.per_buyer);
            let (stock, per_buyer) = (now.stock, now.per_buyer);
            broken.add_if(
                !kept,
                format_args!(
                    "stock {} is now {stock}, per_buyer {} is now {per_buyer}",
                    before.stock, before.per_buyer
                ),
            );
        }
        broken
    }

    fn no_unsold_stock(&self) -> Witnesses {
        let mut broken = Witnesses::of(Invariant::NoUnsoldStock);
        if self.ledger.sale.stock_left <= 0 {
            return broken;
        }
        let limit = u64::from(self.ledger.sale.per_buyer);
        for row in &self.ledger.rows {
            let orders = self.orders_of.get(&*row.uid).copied().unwrap_or(0);
            broken.add_if(row.status == Status::Lost && orders < limit, row.request_id);
        }
        broken
    }
}
