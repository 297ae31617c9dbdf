//! The embedded store's state in memory, and how it is rebuilt from the journal's records.

use std::collections::HashMap;
use std::sync::Arc;

use crate::api::LostReason;
use crate::gradual_map::GradualMap;
use crate::ids::{ItemId, RequestId};
use crate::sale::{Attempt, Decision, Fields, RecordError, Rule, Sale, Terms};

use super::super::{Decided, SaleView, StoreError};
use super::decisions::{Blocks, Logged, LoggedEnd, newest_record};
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
    pub(super) decided: GradualMap<RequestId, Logged>,
    pub(super) register: Register,
    pub(super) withdrawn: Withdrawn,
}

/// A sale, its decisions, and the sequence number of its journal record.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) sale: Sale,
    pub(super) decisions: Blocks<Logged>,
    pub(super) record: u64,
    /// The ends of orders, at a sale that holds its orders.
    pub(super) ends: Blocks<LoggedEnd>,
    /// The journal record that ended each order.
    pub(super) end_records: GradualMap<RequestId, u64>,
}

impl Opened {
    fn new(sale: Sale, record: u64) -> Self {
        let (decisions, ends, end_records) = Default::default();
        Self { sale, decisions, record, ends, end_records }
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
        let opened = self.sale(item).ok()?;
        newest_record(&opened.decisions, &opened.ends)
    }

    pub(super) fn sale(&self, item: Option<&ItemId>) -> Result<&Opened, StoreError> {
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
        self.current_epochs.insert(view.terms.item.clone(), epoch);
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
        self.sale(Some(&attempt.item)).map_or(0, |opened| opened.sale.left())
    }

    /// The decision that was made before.
    pub(super) fn earlier(&self, request_id: &RequestId) -> Option<Logged> {
        self.decided.get(request_id).cloned()
    }

    /// Decides an attempt of the journal again.
    fn replay_decision(&mut self, attempt: &Attempt, recorded: &Decision) -> Decision {
        match self.replay_rule {
            Some(replay) => self.decide_with(attempt, |sale| replay(sale, attempt, recorded)),
            None => self.reserve(attempt),
        }
    }

    /// Keeps a decision whose journal record is `record`. If it is an order, its hold begins.
    pub(super) fn insert_decision(
        &mut self,
        attempt: Arc<Attempt>,
        decision: Decision,
        decided_us: u64,
        record: u64,
    ) -> Logged {
        let request_id = attempt.request_id;
        self.register.remove(&request_id);
        let mut opened = self.sales.get_mut(&attempt.epoch);
        let held_until_us = match (&mut opened, &decision) {
            (Some(opened), Decision::Won(_)) => opened.sale.hold(&attempt, decided_us),
            _ => None,
        };
        let decided = Decided { attempt, decision, decided_us, held_until_us };
        let logged = Logged { decided: Arc::new(decided), record };
        if let Some(opened) = opened {
            opened.decisions.push(logged.clone());
        }
        self.decided.insert(request_id, logged.clone());
        logged
    }

    /// Removes an attempt from the register for good.
    pub(super) fn withdraw(&mut self, request_id: &RequestId) {
        if let Some(attempt) = self.register.remove(request_id) {
            self.withdrawn.insert(&attempt);
        }
    }

    pub(super) fn replay(&mut self, record_seq: u64, record: &[u8]) -> Result<(), RecordError> {
        let fields = &mut Fields::new(record);
        match fields.word("kind")? {
            "sale" => {
                let epoch = fields.number("epoch")?;
                self.open_sale(Terms::from_fields(fields)?, epoch, record_seq);
            }
            "decided" => {
                let decided_us = fields.next("decided_us")?;
                let attempt = Arc::new(Attempt::from_fields(fields)?);
                let decision = Decision::from_fields(fields)?;
                // The rule depends on the earlier records only, so it must decide the same again.
                // It did not decide undeliverable attempts.
                let by_rule = decision != Decision::Lost(LostReason::Undeliverable);
                if by_rule && self.replay_decision(&attempt, &decision) != decision {
                    return Err(fields.invalid("decision"));
                }
                self.insert_decision(attempt, decision, decided_us, record_seq);
            }
            "ended" => self.replay_end(record_seq, fields)?,
            "announced" => self.register.add(Arc::new(Attempt::from_fields(fields)?)),
            "confirmed" => self.register.confirm(&fields.next("request_id")?),
            "withdrawn" => self.withdraw(&fields.next("request_id")?),
            _ => return Err(fields.invalid("kind")),
        }
        Ok(())
    }
}
