//! The embedded store's state in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use crate::api::LostReason;
use crate::gradual_map::GradualMap;
use crate::ids::{ItemId, RequestId};
use crate::sale::{Attempt, Decision, Rule, Sale, Terms};

use super::super::{Decided, SaleView, StoreError};
use super::decisions::{Decisions, Leaving, Logged, OfSale};
use super::ends::Ends;
use super::register::Register;
use super::withdrawn::Withdrawn;

/// Decides one attempt, of which the recorded decision is known.
pub(super) type Replay = fn(&mut Sale, &Attempt, &Decision) -> Decision;

/// Sales, decisions and the register.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The rule that decides attempts.
    pub(super) rule: Rule,
    /// Decides the attempts of the journal again, if not the rule.
    pub(super) replay_rule: Option<Replay>,
    /// Every sale, by its epoch.
    pub(super) sales: HashMap<u64, Opened>,
    /// The epoch of each item's current sale.
    pub(super) current_epochs: HashMap<ItemId, u64>,
    pub(super) epochs: u64,
    pub(super) decided: Decisions,
    /// The decisions on attempts at sales that are not here, which lose.
    pub(super) strays: OfSale,
    pub(super) register: Register,
    pub(super) withdrawn: Withdrawn,
    /// The replaced sales that are still here, by their epochs, and since when they are known to be
    /// replaced.
    pub(super) replaced: BTreeMap<u64, Instant>,
    /// The decisions that are to be removed, since their sale was dropped.
    pub(super) leaving: Leaving,
    /// The epoch of the sale that was dropped last.
    pub(super) last_dropped: Option<u64>,
}

/// A sale, its decisions, and the sequence number of its journal record.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) sale: Sale,
    pub(super) decisions: OfSale,
    pub(super) record: u64,
    /// The ends of orders, at a sale that holds its orders.
    pub(super) ends: Ends,
    /// The journal record that ended each order.
    pub(super) end_records: GradualMap<RequestId, u64>,
}

impl Opened {
    fn new(sale: Sale, record: u64) -> Self {
        let (decisions, ends, end_records) = Default::default();
        Self { sale, decisions, record, ends, end_records }
    }

    /// The newest journal record of its decisions and of the ends of its orders.
    pub(super) fn newest_record(&self) -> Option<u64> {
        self.decisions.newest_record.max(self.ends.newest_record())
    }
}

/// The view of a sale.
pub(super) fn view(sale: &Sale) -> SaleView {
    SaleView {
        terms: sale.terms().clone(),
        epoch: sale.epoch(),
        left: sale.left(),
        orders: sale.orders().into(),
        paid: sale.paid().into(),
    }
}

impl State {
    /// The newest journal record of the sale of this item.
    pub(super) fn newest_record(&self, item: Option<&ItemId>) -> Option<u64> {
        self.sale(item.map(ItemId::as_str)).ok()?.newest_record()
    }

    pub(super) fn sale(&self, item: Option<&str>) -> Result<&Opened, StoreError> {
        let epoch = match item {
            Some(item) => self.current_epochs.get(item),
            None if self.current_epochs.len() > 1 => return Err(StoreError::ItemRequired),
            None => self.current_epochs.values().next(),
        };
        epoch.and_then(|epoch| self.sales.get(epoch)).ok_or(StoreError::UnknownItem)
    }

    pub(super) fn open_sale(&mut self, terms: Terms, epoch: u64, record: u64) -> SaleView {
        self.epochs = epoch;
        let sale = Sale::open(terms, epoch);
        let view = view(&sale);
        if let Some(before) = self.current_epochs.insert(view.terms.item.clone(), epoch) {
            self.replaced.insert(before, Instant::now());
        }
        self.sales.insert(epoch, Opened::new(sale, record));
        view
    }

    /// Applies the rule. An attempt at an item that was never on sale cannot have been accepted; if
    /// one is delivered nevertheless, it loses like one at a replaced sale.
    pub(super) fn reserve(&mut self, attempt: &Attempt) -> Decision {
        let rule = self.rule;
        self.decide_with(attempt, |sale| rule.decide(sale, attempt))
    }

    /// Decides an attempt at the current sale of its item.
    pub(super) fn decide_with(
        &mut self,
        attempt: &Attempt,
        decide: impl FnOnce(&mut Sale) -> Decision,
    ) -> Decision {
        let current = self.current_epochs.get(&attempt.item);
        match current.and_then(|epoch| self.sales.get_mut(epoch)) {
            Some(opened) => decide(&mut opened.sale),
            None => Decision::Lost(LostReason::SaleReplaced),
        }
    }

    /// Units left of the current sale of an attempt's item.
    pub(super) fn left(&self, attempt: &Attempt) -> i64 {
        self.sale(Some(attempt.item.as_str())).map_or(0, |opened| opened.sale.left())
    }

    /// Whether an attempt with this id is decided, or in the register.
    pub(super) fn knows(&self, request_id: &RequestId) -> bool {
        self.decided.has(request_id) || self.register.get(request_id).is_some()
    }

    /// The decision that was made before.
    pub(super) fn earlier(&self, request_id: &RequestId) -> Option<Logged> {
        self.decided.get(request_id)
    }

    /// Keeps a decision whose journal record is `record`, and returns it. If it is an order, its
    /// hold begins.
    pub(super) fn insert_decision(
        &mut self,
        attempt: Arc<Attempt>,
        decision: Decision,
        decided_us: u64,
        record: u64,
    ) -> Decided {
        self.register.remove(&attempt.request_id);
        let mut opened = self.sales.get_mut(&attempt.epoch);
        let held_until_us = match (&mut opened, &decision) {
            (Some(opened), Decision::Won(_)) => opened.sale.hold(&attempt, decided_us),
            _ => None,
        };
        let decided = Decided { attempt, decision, decided_us, held_until_us };
        let of_sale = opened.map_or(&mut self.strays, |opened| &mut opened.decisions);
        self.decided.insert(of_sale, &decided, record);
        decided
    }

    /// Removes an attempt from the register for good.
    pub(super) fn withdraw(&mut self, request_id: &RequestId) {
        if let Some(attempt) = self.register.remove(request_id) {
            self.withdrawn.insert(&attempt);
        }
    }
}
