//! Orders of which buyers were told, and that the ledger does not have.

use std::collections::{HashMap, HashSet};

use crate::history::{AttemptNo, History, Ledger};
use crate::ids::{OrderId, RequestId};

use super::id_map::IdMap;
use super::origin::Origin;

/// The orders that were told of attempts without an order in the ledger, each once.
pub(super) fn only_told<'a>(
    history: &'a History,
    by_id: &IdMap<usize>,
    ledger: &Ledger,
) -> Vec<(&'a OrderId, RequestId)> {
    let mut told = without_order(history, by_id, ledger);
    if !told.is_empty() {
        let in_ledger: HashSet<&OrderId> =
            ledger.rows.iter().filter_map(|row| row.status.order_id()).collect();
        told.retain(|(order_id, _)| !in_ledger.contains(order_id));
        told.sort_unstable();
        // An order without an id is another one for each attempt.
        told.dedup_by_key(|(order_id, id)| (*order_id, (!order_id.is_told()).then_some(*id)));
    }
    told
}

/// What was told of attempts without an order in the ledger.
fn without_order<'a>(
    history: &'a History,
    by_id: &IdMap<usize>,
    ledger: &Ledger,
) -> Vec<(&'a OrderId, RequestId)> {
    let has_order = |id: &RequestId| {
        by_id.get(id).is_some_and(|at| ledger.rows[*at].status.order_id().is_some())
    };
    let told = history.told_orders().map(|(order_id, id, _)| (order_id, id));
    told.filter(|(_, id)| !has_order(id)).collect()
}

/// What is certainly missing in a ledger whose source does not tell everything.
#[derive(Debug, Default)]
pub(super) struct Missing<'a> {
    /// Orders that the ledger does not have at all, each once.
    pub(super) orders: Vec<(&'a OrderId, RequestId)>,
    /// Attempts that were told of an order, and have none.
    pub(super) attempts: HashSet<RequestId>,
}

impl<'a> Missing<'a> {
    pub(super) fn find(
        history: &'a History,
        by_id: &IdMap<usize>,
        ledger: &Ledger,
        origins: &[Origin],
    ) -> Self {
        let mut told = without_order(history, by_id, ledger);
        told.sort_unstable_by_key(|(order_id, id)| (*id, *order_id));
        told.dedup_by_key(|(order_id, id)| (*id, order_id.is_told().then_some(*order_id)));
        if told.is_empty() {
            return Self::default();
        }
        let orders = Orders::of(history, ledger, origins);
        let mut missing = Self::default();
        let mut unnamed = Vec::new();
        for (order_id, id) in told {
            match orders.find(order_id, &id) {
                Place::InLedger => {}
                Place::OfOther => drop(missing.attempts.insert(id)),
                Place::Nowhere => missing.add(order_id, id),
                Place::Unnamed => unnamed.push((order_id, id)),
            }
        }
        // Each order that has no owner may be that of one of these.
        unnamed.dedup_by_key(|(_, id)| *id);
        let rest = unnamed.into_iter().skip(orders.without_owner);
        rest.for_each(|(order_id, id)| missing.add(order_id, id));
        // An order that was told of two attempts is one order.
        let mut seen = HashSet::new();
        missing.orders.retain(|(order_id, _)| !order_id.is_told() || seen.insert(*order_id));
        missing
    }

    fn add(&mut self, order_id: &'a OrderId, id: RequestId) {
        self.attempts.insert(id);
        self.orders.push((order_id, id));
    }
}

/// Where the order of an attempt is that has no row of its own.
enum Place {
    /// It is in the ledger, or may be: an attempt that is sent again keeps the order that it had
    /// before the run.
    InLedger,
    /// It is in the ledger for another attempt of this run.
    OfOther,
    /// It is not in the ledger.
    Nowhere,
    /// It may be any order without an owner.
    Unnamed,
}

/// The orders of a ledger.
struct Orders<'a> {
    history: &'a History,
    ledger: &'a Ledger,
    by_id: HashMap<&'a OrderId, Origin>,
    /// Buyers that had an order before the run.
    earlier_of: HashSet<&'a str>,
    /// How many of them belong to no attempt of this run.
    without_owner: usize,
}

impl<'a> Orders<'a> {
    fn of(history: &'a History, ledger: &'a Ledger, origins: &[Origin]) -> Self {
        let mut orders = Self {
            history,
            ledger,
            by_id: HashMap::new(),
            earlier_of: HashSet::new(),
            without_owner: 0,
        };
        for (row, origin) in ledger.rows.iter().zip(origins) {
            let Some(order_id) = row.status.order_id() else { continue };
            orders.by_id.insert(order_id, *origin);
            if *origin == Origin::Earlier {
                orders.earlier_of.insert(&row.uid);
            }
            let is_of_attempt = matches!(origin, Origin::Made | Origin::Refused);
            orders.without_owner += usize::from(!is_of_attempt);
        }
        orders
    }

    fn find(&self, order_id: &OrderId, id: &RequestId) -> Place {
        let tells = self.ledger.tells;
        let attempt = self.history.ids.attempt(id);
        if tells.order_ids && order_id.is_told() {
            return match self.by_id.get(order_id) {
                None => Place::Nowhere,
                Some(Origin::Made | Origin::Refused) if attempt.is_some() => Place::OfOther,
                Some(_) => Place::InLedger,
            };
        }
        if tells.request_ids {
            return Place::Nowhere;
        }
        match attempt {
            // An order before the run that is gone.
            None => Place::Nowhere,
            Some(attempt) if tells.buyers => match self.has_earlier(attempt) {
                true => Place::InLedger,
                false => Place::Nowhere,
            },
            Some(_) => Place::Unnamed,
        }
    }

    fn has_earlier(&self, attempt: AttemptNo) -> bool {
        !self.earlier_of.is_empty() && {
            let buyer = self.history.ids.buyer(attempt).to_string();
            self.earlier_of.contains(&*buyer)
        }
    }
}
