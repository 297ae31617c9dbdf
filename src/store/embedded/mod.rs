//! The store of this process: sales and decisions in memory, a journal on disk, which it may share
//! with the queue.

mod announce;
mod block;
mod decider;
mod decisions;
mod ends;
pub(in crate::store) mod flaws;
mod needed;
mod orders;
mod recovery;
mod register;
mod row;
mod rows;
mod state;
mod varint;
mod ways;
mod withdrawn;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crate::api::LostReason;
use crate::ids::{BuyerId, ItemId, RequestId};
use crate::journal::{Journal, STALLED_AFTER};
use crate::sale::{Attempt, Decision, Phase, Terms};

use super::ledger::Rows;
use super::waiters::Waiters;
use super::{Glance, Known, Ledger, Lookup, Reservation, SaleView, StoreError};
use decider::Decider;
use decisions::Logged;
pub use recovery::Recovery;
pub(super) use rows::MemoryRows;
use state::{State, view};
pub(super) use ways::Ways;

/// How long a ledger waits until the decisions in it are committed, and a payment for its own
/// commit: as long as an attempt waits. Only a disk that hangs takes longer.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(10);

/// The store of this process.
#[derive(Debug)]
pub struct Embedded {
    journal: Arc<Journal>,
    state: Mutex<State>,
    waiters: Waiters,
    ways: Ways,
}

impl Embedded {
    fn lock(&self) -> MutexGuard<'_, State> {
        decider::lock(&self.state)
    }

    /// Why nothing can be committed at this moment.
    pub(in crate::store) fn unavailable(&self) -> Option<String> {
        self.journal.stalled()
    }

    pub(in crate::store) async fn open_sale(&self, terms: Terms) -> Result<SaleView, StoreError> {
        if self.unavailable().is_some() {
            return Err(StoreError::Unavailable);
        }
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

    pub(in crate::store) async fn open_or_resume(
        &self,
        terms: Terms,
    ) -> Result<SaleView, StoreError> {
        match self.sale(Some(&terms.item)).await {
            Err(StoreError::UnknownItem) => self.open_sale(terms).await,
            found => found,
        }
    }

    pub(in crate::store) async fn sale(
        &self,
        item: Option<&ItemId>,
    ) -> Result<SaleView, StoreError> {
        let (view, record) = {
            let state = self.lock();
            (self.committed_view(&state, item)?, state.newest_record(item))
        };
        self.can_be_told(record).await?;
        Ok(view)
    }

    /// Waits until no crash can undo what was read of a sale, up to this record of the journal.
    /// What is told otherwise might not be so afterwards.
    async fn can_be_told(&self, record: Option<u64>) -> Result<(), StoreError> {
        if record.is_none_or(|record| self.journal.is_committed(record)) {
            return Ok(());
        }
        if self.unavailable().is_some() {
            return Err(StoreError::Unavailable);
        }
        let committed = tokio::time::timeout(STALLED_AFTER, self.committed(record));
        committed.await.ok().and_then(Result::ok).ok_or(StoreError::Unavailable)
    }

    fn committed_view(&self, state: &State, item: Option<&ItemId>) -> Result<SaleView, StoreError> {
        let opened = state.sale(item.map(ItemId::as_str))?;
        // A sale whose record is not committed could be undone by a crash: it does not count as
        // open.
        let is_open = self.journal.is_committed(opened.record);
        if is_open { Ok(view(&opened.sale)) } else { Err(StoreError::Unavailable) }
    }

    pub(in crate::store) async fn lookup(
        &self,
        request_id: &RequestId,
        item: Option<&ItemId>,
        buyer: &BuyerId,
    ) -> Result<Lookup, StoreError> {
        let (lookup, record) = {
            let mut state = self.lock();
            let known = self.known_in(&state, request_id);
            // A concurrent retry may republish this attempt, so it must not be withdrawn.
            state.register.mark_announced_again(request_id);
            let at_limit = state
                .sale(item.map(ItemId::as_str))
                .is_ok_and(|opened| opened.sale.at_limit(buyer));
            let sale = self.committed_view(&state, item);
            // Announcing together with the lookup would save nothing in memory.
            (Lookup { known, sale, at_limit, announced: None }, state.newest_record(item))
        };
        let is_sold_out = lookup.sale.as_ref().is_ok_and(|sale| sale.left <= 0);
        if lookup.known.is_none() && (is_sold_out || lookup.at_limit) {
            // It will be refused for that.
            self.can_be_told(record).await?;
        }
        Ok(lookup)
    }

    /// What can refuse every new attempt, without waiting for a commit. `None` if there is no such
    /// sale, or if the attempt's id is known, here or to `is_known`. Nothing is decided while that
    /// looks, so it must be quick.
    pub fn glance(
        &self,
        item: Option<&str>,
        now_us: impl FnOnce() -> u64,
        request_id: Option<&RequestId>,
        is_known: impl FnOnce(&RequestId) -> bool,
    ) -> Option<Glance> {
        let state = self.lock();
        let opened = state.sale(item).ok()?;
        let is_committed = |record: u64| self.journal.is_committed(record);
        if !is_committed(opened.record) || !opened.newest_record().is_none_or(is_committed) {
            return None;
        }
        let is_known = |id: &RequestId| is_known(id) || state.knows(id);
        if request_id.is_some_and(is_known) {
            return None;
        }
        let terms = opened.sale.terms();
        // A sale without times needs no clock.
        let is_timed = terms.opens_us.is_some() || terms.closes_us.is_some();
        let phase = if is_timed { terms.phase(now_us()) } else { Phase::Open };
        Some(Glance { phase, left: opened.sale.left() })
    }

    pub(in crate::store) async fn known(
        &self,
        request_id: &RequestId,
    ) -> Result<Option<Known>, StoreError> {
        Ok(self.known_in(&self.lock(), request_id))
    }

    /// A decision that is not committed could be undone by a crash, so its attempt still waits.
    fn known_in(&self, state: &State, request_id: &RequestId) -> Option<Known> {
        let Some(Logged { decided, record }) = state.decided.get(request_id) else {
            return state.register.get(request_id);
        };
        Some(match self.journal.is_committed(record) {
            true => Known::Decided(decided),
            false => Known::Waiting(Arc::clone(&decided.attempt)),
        })
    }

    pub(in crate::store) async fn reserve(
        &self,
        attempts: &[Arc<Attempt>],
        now_us: u64,
    ) -> Result<Reservation, StoreError> {
        self.ways.interrupt.map_or(Ok(()), |interrupt| interrupt())?;
        match self.ways.reserve {
            Some(reserve) => reserve(self.decider(), attempts, now_us).await,
            None => self.decider().decide(attempts, now_us, State::earlier, State::reserve),
        }
    }

    pub(in crate::store) async fn lose_undeliverable(
        &self,
        attempts: &[Arc<Attempt>],
        now_us: u64,
    ) -> Result<Reservation, StoreError> {
        let undeliverable = |_: &mut State, _: &Attempt| Decision::Lost(LostReason::Undeliverable);
        self.decider().decide(attempts, now_us, State::earlier, undeliverable)
    }

    fn decider(&self) -> Decider<'_> {
        Decider { journal: &self.journal, state: &self.state }
    }

    /// Waits until the decisions are durable. The writer of the journal counts those who wait here
    /// among its callers, so that a commit has the decisions on what the one before accepted.
    pub(in crate::store) async fn commit(&self, reserved: &Reservation) -> Result<(), StoreError> {
        match reserved.last_record {
            Some(record) => self.journal.commit_of(record).await.map_err(|_| StoreError::Unknown),
            None => Ok(()),
        }
    }

    async fn committed(&self, record: Option<u64>) -> Result<(), StoreError> {
        match record {
            Some(record) => self.journal.committed(record).await.map_err(|_| StoreError::Unknown),
            None => Ok(()),
        }
    }

    pub(in crate::store) fn waiters(&self) -> &Waiters {
        &self.waiters
    }

    pub(in crate::store) async fn ledger(&self, epoch: u64) -> Result<Ledger, StoreError> {
        let (sale, blocks, ends, newest) = {
            let state = self.lock();
            let opened = state.sales.get(&epoch).ok_or(StoreError::UnknownItem)?;
            let blocks = state.decided.blocks_of(&opened.decisions);
            (view(&opened.sale), blocks, opened.ends.clone(), opened.newest_record())
        };
        let committed = self.committed(newest);
        match tokio::time::timeout(COMMIT_TIMEOUT, committed).await {
            Ok(committed) => committed?,
            Err(_) => return Err(StoreError::Unknown),
        }
        let rows = Rows::Memory(MemoryRows::of(blocks));
        Ok(Ledger { sale, rows, ended: ends.ended() })
    }

    /// The journal.
    pub fn journal(&self) -> &Arc<Journal> {
        &self.journal
    }

    pub(in crate::store) fn close(&self) -> Result<(), String> {
        self.journal.close()
    }

    pub(in crate::store) async fn failed(&self) -> String {
        self.journal.failed().await
    }
}
