//! The store of this process: sales and decisions in memory, a journal on disk.
//!
//! Records: `sale epoch terms…` for an opened sale, `decided decided_us attempt… decision…`, and
//! for the register `announced attempt…`, `confirmed request_id` and `withdrawn request_id`.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::api::LostReason;
use crate::ids::{BuyerId, ItemId, RequestId};
use crate::journal::{Durability, Journal, JournalError};
use crate::sale::{Attempt, Decision, Fields, NewAttempt, RecordError, Sale, Terms};

use super::register::Register;
use super::waiters::Waiters;
use super::{Announced, Decided, Known, Ledger, Look, Reservation, SaleView, StoreError};

/// No record is longer, in bytes: two names of 64, a UUID, an order id and some numbers.
const RECORD_LEN_MAX: usize = 512;

/// See the module.
#[derive(Debug)]
pub struct Embedded {
    journal: Journal,
    state: Mutex<State>,
    waiters: Waiters,
}

#[derive(Debug, Default)]
struct State {
    /// Every sale, by its epoch.
    sales: HashMap<u64, Opened>,
    /// The epoch of each item's present sale.
    present: HashMap<ItemId, u64>,
    epochs: u64,
    decided: HashMap<RequestId, Logged>,
    register: Register,
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
        Ok(Self { journal, state: Mutex::new(state), waiters: Waiters::default() })
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

    pub(super) async fn open_or_resume(&self, terms: Terms) -> Result<SaleView, StoreError> {
        match self.sale(Some(&terms.item)).await {
            Err(StoreError::UnknownItem) => self.open_sale(terms).await,
            found => found,
        }
    }

    pub(super) async fn sale(&self, item: Option<&ItemId>) -> Result<SaleView, StoreError> {
        self.present(&self.lock(), item)
    }

    fn present(&self, state: &State, item: Option<&ItemId>) -> Result<SaleView, StoreError> {
        let opened = state.sale(item)?;
        // Nobody may buy in a sale that a crash could still undo.
        let is_open = self.journal.is_committed(opened.record);
        if is_open { Ok(view(&opened.sale)) } else { Err(StoreError::Unavailable) }
    }

    pub(super) async fn look(
        &self,
        request_id: &RequestId,
        item: Option<&ItemId>,
        buyer: &BuyerId,
    ) -> Result<Look, StoreError> {
        let mut state = self.lock();
        let known = self.known_in(&state, request_id);
        // Whoever looks will have it queued once more: it must not be withdrawn.
        state.register.mark_twin(request_id);
        let at_limit = state.sale(item).is_ok_and(|opened| opened.sale.at_limit(buyer));
        let sale = self.present(&state, item);
        // In memory a second call costs nothing.
        Ok(Look { known, sale, at_limit, announced: None })
    }

    pub(super) async fn known(&self, request_id: &RequestId) -> Result<Option<Known>, StoreError> {
        Ok(self.known_in(&self.lock(), request_id))
    }

    /// A decision that a crash could still undo is none: its attempt waits.
    fn known_in(&self, state: &State, request_id: &RequestId) -> Option<Known> {
        let Some(Logged { decided, record }) = state.decided.get(request_id) else {
            return state.register.get(request_id);
        };
        Some(match self.journal.is_committed(*record) {
            true => Known::Decided(Arc::clone(decided)),
            false => Known::Waiting(Arc::clone(&decided.attempt)),
        })
    }

    pub(super) async fn announce(&self, new: &NewAttempt) -> Result<Announced, StoreError> {
        let (attempt, commit) = {
            let mut state = self.lock();
            if let Some(known) = self.known_in(&state, &new.request_id) {
                state.register.mark_twin(&new.request_id);
                return Ok(Announced::Known(known));
            }
            let attempt = Arc::new(new.clone().at(state.register.next_seq()));
            let record = format!("announced {attempt}");
            let commit = self.journal.append(record.as_bytes());
            let commit = commit.map_err(|_| StoreError::Unavailable)?;
            state.register.add(Arc::clone(&attempt));
            (attempt, commit)
        };
        commit.await.map_err(|_| StoreError::Unknown)?;
        Ok(Announced::Fresh(attempt))
    }

    pub(super) async fn confirm(&self, attempts: &[Arc<Attempt>]) -> Result<(), StoreError> {
        let mut state = self.lock();
        for attempt in attempts {
            state.register.confirm(&attempt.request_id);
            // Not waited for, nor missed: without it the attempt is queued once more.
            let record = format!("confirmed {}", attempt.request_id);
            let _ = self.journal.append_later(record.as_bytes());
        }
        Ok(())
    }

    pub(super) async fn withdraw(&self, attempt: &Attempt) -> Result<bool, StoreError> {
        let commit = {
            let mut state = self.lock();
            let id = attempt.request_id;
            let known = self.known_in(&state, &id);
            if !matches!(known, Some(Known::Announced(_))) || state.register.has_twin(&id) {
                return Ok(false);
            }
            let commit = self.journal.append(format!("withdrawn {id}").as_bytes());
            let commit = commit.map_err(|_| StoreError::Unknown)?;
            state.register.remove(&id);
            commit
        };
        commit.await.map_err(|_| StoreError::Unknown)?;
        self.waiters.send_to_look(&attempt.request_id);
        Ok(true)
    }

    pub(super) async fn waiting(&self, epoch: u64) -> Result<Vec<Arc<Attempt>>, StoreError> {
        let mut attempts = self.lock().register.all();
        attempts.retain(|attempt| attempt.epoch == epoch);
        attempts.sort_by_key(|attempt| attempt.seq);
        Ok(attempts)
    }

    pub(super) async fn unconfirmed(
        &self,
        before_us: u64,
    ) -> Result<Vec<Arc<Attempt>>, StoreError> {
        let mut state = self.lock();
        let mut attempts = state.register.unconfirmed();
        attempts.retain(|attempt| attempt.accepted_us <= before_us);
        attempts.iter().for_each(|attempt| state.register.mark_twin(&attempt.request_id));
        Ok(attempts)
    }

    pub(super) async fn waiting_count(&self, item: &ItemId) -> Result<usize, StoreError> {
        Ok(self.lock().register.count(item))
    }

    pub(super) async fn reserve(
        &self,
        attempts: &[Arc<Attempt>],
        now_us: u64,
    ) -> Result<Reservation, StoreError> {
        self.decide_all(attempts, now_us, State::reserve)
    }

    pub(super) async fn give_up(
        &self,
        attempts: &[Arc<Attempt>],
        now_us: u64,
    ) -> Result<Reservation, StoreError> {
        let given_up = |_: &mut State, _: &Attempt| Decision::Lost(LostReason::Undeliverable);
        self.decide_all(attempts, now_us, given_up)
    }

    fn decide_all(
        &self,
        attempts: &[Arc<Attempt>],
        now_us: u64,
        rule: fn(&mut State, &Attempt) -> Decision,
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
                None => {
                    let decision = rule(&mut state, attempt);
                    self.log(&mut state, attempt, decision, now_us)?
                }
            };
            last_record = last_record.max(Some(logged.record));
            decided.push(logged.decided);
        }
        Ok(Reservation { decided, last_record })
    }

    fn log(
        &self,
        state: &mut State,
        attempt: &Arc<Attempt>,
        decision: Decision,
        decided_us: u64,
    ) -> Result<Logged, StoreError> {
        let record = format!("decided {decided_us} {attempt} {decision}");
        let commit = self.journal.append(record.as_bytes()).map_err(|_| StoreError::Unknown)?;
        let decided = Decided { attempt: Arc::clone(attempt), decision, decided_us };
        let logged = Logged { decided: Arc::new(decided), record: commit.seq() };
        state.keep(logged.clone());
        Ok(logged)
    }

    pub(super) async fn commit(&self, reserved: &Reservation) -> Result<(), StoreError> {
        self.committed(reserved.last_record).await
    }

    async fn committed(&self, record: Option<u64>) -> Result<(), StoreError> {
        match record {
            Some(record) => self.journal.committed(record).await.map_err(|_| StoreError::Unknown),
            None => Ok(()),
        }
    }

    pub(super) fn waiters(&self) -> &Waiters {
        &self.waiters
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
        left: sale.left().into(),
        orders: sale.orders().into(),
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
    fn reserve(&mut self, attempt: &Attempt) -> Decision {
        let present = self.present.get(&attempt.item);
        match present.and_then(|epoch| self.sales.get_mut(epoch)) {
            Some(opened) => opened.sale.reserve(attempt),
            None => Decision::Lost(LostReason::SaleReplaced),
        }
    }

    fn keep(&mut self, logged: Logged) {
        let request_id = logged.decided.attempt.request_id;
        self.register.remove(&request_id);
        self.decided.insert(request_id, logged);
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
                let decision = Decision::from_fields(&mut fields)?;
                // The rule is a function of the records before, so it must decide the same again;
                // but what was given up was not decided by it.
                let by_rule = decision != Decision::Lost(LostReason::Undeliverable);
                if by_rule && self.reserve(&attempt) != decision {
                    return Err(fields.wrong("decision"));
                }
                let decided = Arc::new(Decided { attempt, decision, decided_us });
                self.keep(Logged { decided, record: record_seq });
            }
            "announced" => self.register.add(Arc::new(Attempt::from_fields(&mut fields)?)),
            "confirmed" => self.register.confirm(&fields.next("request_id")?),
            "withdrawn" => self.register.remove(&fields.next("request_id")?),
            _ => return Err(fields.wrong("kind")),
        }
        Ok(())
    }
}
