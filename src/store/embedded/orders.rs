//! Ending the orders of a sale that holds its orders, and writing that to the journal, under one
//! lock.
//!
//! Records: `ended us request_id ending status`, in the order in which units came back and were
//! sold again.

use std::sync::Arc;

use crate::api::OrderStatus;
use crate::ids::RequestId;
use crate::sale::{Ended, Ending, Fields, Order, RecordError};

use super::super::orders::OrderRef;
use super::super::{Decided, StoreError};
use super::ends::LoggedEnd;
use super::state::State;
use super::{COMMIT_TIMEOUT, Embedded};

/// Longest record of an end, in bytes.
const RECORD_LEN_MAX: usize = 128;

impl Embedded {
    pub(in crate::store) async fn end_order(
        &self,
        order: &OrderRef,
        ending: Ending,
        now_us: u64,
    ) -> Result<Option<OrderStatus>, StoreError> {
        if self.unavailable().is_some() {
            return Err(StoreError::Unavailable);
        }
        let (status, record) = {
            let mut state = self.lock();
            let decided = state.earlier(&order.request_id);
            let is_committed = |record| self.journal.is_committed(record);
            let decided = decided.filter(|logged| is_committed(logged.record));
            let Some(decided) = decided.filter(|logged| order.is_won_by(&logged.decided)) else {
                return Ok(None);
            };
            match self.end(&mut state, &decided.decided, ending, now_us)? {
                Some(ended) => ended,
                None => return Ok(None),
            }
        };
        // An earlier end is told only when no crash can undo it, either.
        self.committed_in_time(record).await?;
        Ok(Some(status))
    }

    /// Ends one order. Returns its status, and the journal record that ended it.
    fn end(
        &self,
        state: &mut State,
        decided: &Decided,
        ending: Ending,
        now_us: u64,
    ) -> Result<Option<(OrderStatus, Option<u64>)>, StoreError> {
        // As for a decision: what takes effect can be written.
        if !self.journal.has_room(1, RECORD_LEN_MAX) {
            return Err(StoreError::Unavailable);
        }
        let (request_id, epoch) = (decided.attempt.request_id, decided.attempt.epoch);
        let Some(Ended { status, is_new }) = state.end(epoch, &request_id, ending, now_us) else {
            return Ok(None);
        };
        if is_new {
            let word = ending.as_str();
            let record = format!("ended {now_us} {request_id} {word} {}", status.as_str());
            let commit = self.journal.append(record.as_bytes()).map_err(|_| StoreError::Unknown)?;
            state.insert_end(epoch, request_id, status, now_us, commit.seq());
        }
        Ok(Some((status, state.end_record(epoch, &request_id))))
    }

    pub(in crate::store) async fn expire_due(
        &self,
        now_us: u64,
        max: usize,
    ) -> Result<usize, StoreError> {
        let (count, record) = {
            let mut state = self.lock();
            let mut record = None;
            let due = state.due(now_us, max);
            for decided in &due {
                let ended = self.end(&mut state, decided, Ending::Expire, now_us)?;
                record = record.max(ended.and_then(|(_, record)| record));
            }
            (due.len(), record)
        };
        self.committed_in_time(record).await?;
        Ok(count)
    }

    async fn committed_in_time(&self, record: Option<u64>) -> Result<(), StoreError> {
        let committed = self.committed(record);
        tokio::time::timeout(COMMIT_TIMEOUT, committed).await.unwrap_or(Err(StoreError::Unknown))
    }

    pub(in crate::store) async fn order(
        &self,
        decided: &Decided,
    ) -> Result<Option<Order>, StoreError> {
        let state = self.lock();
        let (request_id, epoch) = (decided.attempt.request_id, decided.attempt.epoch);
        let opened = state.sales.get(&epoch);
        let order = opened.and_then(|opened| opened.sale.held_order(&request_id));
        // An end that is not committed could be undone by a crash, so the order is still held.
        let record = state.end_record(epoch, &request_id);
        let is_visible = record.is_none_or(|record| self.journal.is_committed(record));
        Ok(order.map(|order| match is_visible {
            true => order,
            false => Order { status: OrderStatus::Held, ended_us: None, ..order },
        }))
    }
}

impl State {
    /// Applies the rule that ends orders.
    fn end(
        &mut self,
        epoch: u64,
        request_id: &RequestId,
        ending: Ending,
        now_us: u64,
    ) -> Option<Ended> {
        let rule = self.rule;
        rule.end(&mut self.sales.get_mut(&epoch)?.sale, request_id, ending, now_us)
    }

    fn insert_end(
        &mut self,
        epoch: u64,
        request_id: RequestId,
        status: OrderStatus,
        ended_us: u64,
        record: u64,
    ) {
        if let Some(opened) = self.sales.get_mut(&epoch) {
            opened.ends.push(LoggedEnd { request_id, status, ended_us, record });
            opened.end_records.insert(request_id, record);
        }
    }

    pub(super) fn end_record(&self, epoch: u64, request_id: &RequestId) -> Option<u64> {
        self.sales.get(&epoch)?.end_records.get(request_id).copied()
    }

    /// Attempts with held orders whose deadline has passed, of all sales, at most `max`.
    fn due(&self, now_us: u64, max: usize) -> Vec<Arc<Decided>> {
        let ids = self.sales.values().flat_map(|opened| opened.sale.due(now_us, max));
        let decided = ids.filter_map(|id| self.decided.get(&id));
        decided.take(max).map(|logged| logged.decided).collect()
    }

    /// Ends an order of the journal again. The rule depends on the earlier records only, so it must
    /// come to the same end.
    pub(super) fn replay_end(
        &mut self,
        record: u64,
        fields: &mut Fields<'_>,
    ) -> Result<(), RecordError> {
        let ended_us = fields.next("ended_us")?;
        let request_id: RequestId = fields.next("request_id")?;
        let ending = fields.word("ending")?.parse().map_err(|()| fields.invalid("ending"))?;
        let status = OrderStatus::from_word(fields.word("status")?);
        let status = status.ok_or_else(|| fields.invalid("status"))?;
        let decided = self.decided.epoch_and_seq(&request_id);
        let (epoch, _) = decided.ok_or_else(|| fields.invalid("request_id"))?;
        if self.end(epoch, &request_id, ending, ended_us) != Some(Ended { status, is_new: true }) {
            return Err(fields.invalid("status"));
        }
        self.insert_end(epoch, request_id, status, ended_us, record);
        Ok(())
    }
}
