//! The store of this process: sales and decisions in memory, a journal on disk.
//!
//! Records: `sale epoch terms…` for an opened sale, `decided decided_us attempt… decision…`.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::journal::{Durability, Journal, JournalError};
use crate::sale::{
    Attempt, BuyerId, Decision, Fields, ItemId, LostReason, RecordError, RequestId, Sale, Terms,
};

use super::{Decided, Ledger, Reservation, SaleView, StoreError};

/// No record is longer, in bytes: two names of 64, a UUID, an order id and some numbers.
const RECORD_LEN_MAX: usize = 512;

/// See the module.
#[derive(Debug)]
pub struct Embedded {
    journal: Journal,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Every sale, by its epoch.
    sales: HashMap<u64, Opened>,
    /// The epoch of each item's present sale.
    present: HashMap<ItemId, u64>,
    epochs: u64,
    decided: HashMap<RequestId, Logged>,
}

/// A sale and where in the journal it is.
#[derive(Debug)]
struct Opened {
    sale: Sale,
    record: u64,
}

/// A decision and where in the journal it is: it counts once that is committed.
#[derive(Debug, Clone)]
struct Logged {
    decided: Arc<Decided>,
    record: u64,
}

impl Embedded {
    /// Opens the store whose journal is at `path`.
    ///
    /// # Errors
    /// When the journal cannot be used.
    pub fn open(path: &Path, durability: Durability) -> Result<Self, JournalError> {
        let mut state = State::default();
        let journal = Journal::open(path, durability, |record_seq, record| {
            state.replay(record_seq, record).map_err(|error| error.to_string())
        })?;
        Ok(Self { journal, state: Mutex::new(state) })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn open_sale(&self, terms: Terms) -> Result<SaleView, StoreError> {
        let (view, commit) = {
            let mut state = self.lock();
            let epoch = state.epochs + 1;
            let record = format!("sale {epoch} {terms}");
            let commit = self.journal.append(record.as_bytes());
            let commit = commit.map_err(|_| StoreError::Unavailable)?;
            (state.open_sale(terms, epoch, commit.seq()), commit)
        };
        commit.await.map_err(|_| StoreError::Unknown)?;
        Ok(view)
    }

    pub(super) fn sale(&self, item: Option<&ItemId>) -> Result<SaleView, StoreError> {
        let state = self.lock();
        let opened = state.sale(item)?;
        // Nobody may buy in a sale that a crash could still undo.
        let is_open = self.journal.is_committed(opened.record);
        if is_open { Ok(view(&opened.sale)) } else { Err(StoreError::Unavailable) }
    }

    pub(super) fn at_limit(&self, item: &ItemId, buyer: &BuyerId) -> bool {
        self.lock().sale(Some(item)).is_ok_and(|opened| opened.sale.at_limit(buyer))
    }

    pub(super) fn reserve(
        &self,
        attempts: &[Arc<Attempt>],
        now_us: u64,
    ) -> Result<Reservation, StoreError> {
        let mut state = self.lock();
        // Only holders of this lock append, so the room that is there now stays: no decision is
        // made that cannot be written.
        if !self.journal.has_room(attempts.len(), RECORD_LEN_MAX) {
            return Err(StoreError::Unavailable);
        }
        let mut decided = Vec::with_capacity(attempts.len());
        let mut last_record = None;
        for attempt in attempts {
            let logged = match state.decided.get(&attempt.request_id) {
                Some(logged) => logged.clone(),
                None => self.decide(&mut state, attempt, now_us)?,
            };
            last_record = last_record.max(Some(logged.record));
            decided.push(logged.decided);
        }
        Ok(Reservation { decided, last_record })
    }

    fn decide(
        &self,
        state: &mut State,
        attempt: &Arc<Attempt>,
        decided_us: u64,
    ) -> Result<Logged, StoreError> {
        let decided = state.decide(attempt, decided_us);
        let record = format!("decided {decided_us} {attempt} {}", decided.decision);
        let commit = self.journal.append(record.as_bytes()).map_err(|_| StoreError::Unknown)?;
        let logged = Logged { decided, record: commit.seq() };
        state.decided.insert(attempt.request_id, logged.clone());
        Ok(logged)
    }

    pub(super) async fn commit(
        &self,
        reserved: Reservation,
    ) -> Result<Vec<Arc<Decided>>, StoreError> {
        self.committed(reserved.last_record).await?;
        Ok(reserved.decided)
    }

    async fn committed(&self, record: Option<u64>) -> Result<(), StoreError> {
        match record {
            Some(record) => self.journal.committed(record).await.map_err(|_| StoreError::Unknown),
            None => Ok(()),
        }
    }

    pub(super) fn decided(&self, request_id: &RequestId) -> Option<Arc<Decided>> {
        let logged = self.lock().decided.get(request_id).cloned()?;
        self.journal.is_committed(logged.record).then_some(logged.decided)
    }

    pub(super) fn progress(&self) -> watch::Receiver<()> {
        self.journal.progress()
    }

    pub(super) async fn ledger(&self, epoch: u64) -> Result<Ledger, StoreError> {
        let (ledger, last_record) = {
            let state = self.lock();
            let opened = state.sales.get(&epoch).ok_or(StoreError::UnknownItem)?;
            let sale = view(&opened.sale);
            let of_sale =
                state.decided.values().filter(|logged| logged.decided.attempt.epoch == epoch);
            let (mut decided, mut last_record) = (Vec::new(), None);
            for logged in of_sale {
                decided.push(Arc::clone(&logged.decided));
                last_record = last_record.max(Some(logged.record));
            }
            (Ledger { sale, decided }, last_record)
        };
        self.committed(last_record).await?;
        Ok(ledger)
    }

    pub(super) fn close(&self) -> Result<(), String> {
        self.journal.close()
    }

    pub(super) async fn failed(&self) -> String {
        self.journal.failed().await
    }

    /// Bytes of a torn tail that opening cut.
    pub fn cut_bytes(&self) -> u64 {
        self.journal.cut_bytes()
    }
}

fn view(sale: &Sale) -> SaleView {
    SaleView {
        terms: sale.terms().clone(),
        epoch: sale.epoch(),
        left: sale.left(),
        orders: sale.orders(),
    }
}

impl State {
    fn sale(&self, item: Option<&ItemId>) -> Result<&Opened, StoreError> {
        let epoch = match item {
            Some(item) => self.present.get(item),
            None if self.present.len() > 1 => return Err(StoreError::ItemRequired),
            None => self.present.values().next(),
        };
        epoch.and_then(|epoch| self.sales.get(epoch)).ok_or(StoreError::UnknownItem)
    }

    fn open_sale(&mut self, terms: Terms, epoch: u64, record: u64) -> SaleView {
        self.epochs = epoch;
        let sale = Sale::open(terms, epoch);
        let view = view(&sale);
        self.present.insert(view.terms.item.clone(), epoch);
        self.sales.insert(epoch, Opened { sale, record });
        view
    }

    /// Applies the rule. An attempt at an item that was never on sale cannot have been accepted;
    /// should one come all the same, it is at a sale that is gone.
    fn decide(&mut self, attempt: &Arc<Attempt>, decided_us: u64) -> Arc<Decided> {
        let present = self.present.get(&attempt.item);
        let decision = match present.and_then(|epoch| self.sales.get_mut(epoch)) {
            Some(opened) => opened.sale.reserve(attempt),
            None => Decision::Lost(LostReason::SaleReplaced),
        };
        Arc::new(Decided { attempt: Arc::clone(attempt), decision, decided_us })
    }

    fn replay(&mut self, record_seq: u64, record: &[u8]) -> Result<(), RecordError> {
        let mut fields = Fields::new(record);
        match fields.word("kind")? {
            "sale" => {
                let epoch = fields.next("epoch")?;
                self.open_sale(Terms::from_fields(&mut fields)?, epoch, record_seq);
            }
            "decided" => {
                let decided_us = fields.next("decided_us")?;
                let attempt = Arc::new(Attempt::from_fields(&mut fields)?);
                let written = Decision::from_fields(&mut fields)?;
                let decided = self.decide(&attempt, decided_us);
                // The rule is a function of the records before, so it must decide the same again.
                if decided.decision != written {
                    return Err(fields.wrong("decision"));
                }
                let logged = Logged { decided, record: record_seq };
                self.decided.insert(attempt.request_id, logged);
            }
            _ => return Err(fields.wrong("kind")),
        }
        Ok(())
    }
}
